"""What the JSON Schema finds wrong, in words that a person can act on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from caldav_run.connectors.schemas import Schema
from caldav_run.pipeline.fields import allows_type
from caldav_run.pipeline.guess import similar
from caldav_run.pipeline.places import Located, Path, Span, dotted, printable, quoted
from caldav_run.pipeline.problems import Problem
from caldav_run.pipeline.sound import sound
from caldav_run.pipeline.wording import TYPE_WORDS, kind, spelled

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


def structure_problems(
    value: object,
    schema: Schema,
    places: Mapping[Path, Located],
    *,
    skip: Iterable[Path] = (),
    shown: Mapping[Path, str] | None = None,
) -> list[Problem]:
    """Return everything that the schema finds wrong with a pipeline.

    Args:
        value: The pipeline.
        schema: The bundled schema.
        places: Where its values stand.
        skip: Paths about which nothing can be said, or is said elsewhere; what is below them is
            passed over as well.
        shown: What messages show in the place of these values, such as the reference that one
            was made from.
    """
    if _surely_sound(value, schema):
        return []
    # Costs 30 ms and more.
    from jsonschema import Draft202012Validator

    skipped = set(skip)
    problems: list[Problem] = []
    for error in Draft202012Validator(schema).iter_errors(value):
        for leaf in _leaves(error):
            path = tuple(leaf.absolute_path)
            if not any(path[:length] in skipped for length in range(len(path) + 1)):
                problems += _Wording(leaf, path, places, shown or {}).problems()
    return problems


def _surely_sound(value: object, schema: Schema) -> bool:
    try:
        return sound(value, schema, schema)
    except NotImplementedError:
        return False


def _leaves(error: "ValidationError") -> Iterator["ValidationError"]:
    """Yield what is to be said of an error: of alternatives, the errors of the one meant."""
    if error.validator not in {"oneOf", "anyOf"} or not error.context:
        yield error
        return
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(int(inner.schema_path[0]), []).append(inner)
    alternatives: Any = error.validator_value
    fitting = [at for at in branches if allows_type(alternatives[at], error.instance)]
    shapes_differ = all("type" in part for part in alternatives)
    if shapes_differ and len(fitting) == 1:
        for inner in branches[fitting[0]]:
            yield from _leaves(inner)
    else:
        yield error


class _Wording:
    """Turns one schema error into problems."""

    def __init__(
        self,
        error: "ValidationError",
        path: Path,
        places: Mapping[Path, Located],
        shown: Mapping[Path, str],
    ) -> None:
        self.error = error
        self.path = path
        self.places = places
        self.shown = shown.get(path)
        self.rule: Any = error.validator_value
        self.instance: Any = error.instance
        self.schema: Schema = error.schema if isinstance(error.schema, Mapping) else {}
        self.where = dotted(path) if path else "the pipeline"

    def problems(self) -> Iterable[Problem]:
        if self._of_a_key():
            return [self._key_spelling()]
        say = _SAYINGS.get(str(self.error.validator), _Wording._anything_else)
        return say(self)

    def unknown_keys(self) -> Iterable[Problem]:
        known = self.schema.get("properties", {})
        for at, key in enumerate(self.instance):
            if key not in known:
                yield Problem(
                    code="unknown-key",
                    message=f"unknown key {quoted(key)} in {self.where}",
                    span=self.places[*self.path, key].name,
                    hint=similar(key, known) if at < _MOST_GUESSES else None,
                    notes=(f"allowed: {', '.join(known)}",),
                )

    def missing_keys(self) -> Iterable[Problem]:
        known = self.schema.get("properties", {})
        for key in self.rule:
            if key in self.instance or self._is_misspelt(key, known):
                continue
            about = known.get(key, {}).get("description")
            meant = [name for name in self._strangers() if similar(name, [key])]
            yield Problem(
                code="missing-key",
                message=f"{self.where} lacks {quoted(key)}",
                span=self._name(),
                hint=f'write "{key}" for {quoted(meant[0])}' if meant else f'add "{key}: …"',
                notes=(f"{key}: {about}",) if about else (),
            )

    def wrong_type(self) -> Iterable[Problem]:
        names = [self.rule] if isinstance(self.rule, str) else self.rule
        yield self._wrong_type(names)

    def bad_choice(self) -> Iterable[Problem]:
        known = [spelled(one) for one in self.rule]
        found = self.instance
        hint = similar(found, known) if isinstance(found, str) else None
        if self.path and self.path[-1] == "type":
            owner = dotted(self.path[:-1])
            message = f"unknown type {self._found()} of {owner}"
            yield self._problem("unknown-type", message, hint, f"known: {', '.join(known)}")
        else:
            message = f"{self.where} cannot be {self._found()}"
            yield self._problem("bad-value", message, hint, f"allowed: {', '.join(known)}")

    def constant(self) -> Iterable[Problem]:
        if self.path == ("version",):
            message = f"this program reads version {self.rule} of the language, not {self._found()}"
            yield self._problem("unsupported-version", message, f"write version: {self.rule}")
        else:
            message = f"{self.where} must be {spelled(self.rule)}"
            yield self._problem("bad-value", message)

    def pattern(self) -> Iterable[Problem]:
        # The rule for times says more than a pattern can.
        if self.schema.get("x-time"):
            return
        message = f"{self._found()} is not written as {self.where} must be"
        yield self._problem("bad-format", message, None, *self._about(), f"pattern: {self.rule}")

    def too_few(self) -> Iterable[Problem]:
        least = f"must hold at least {self.rule} {_UNITS[str(self.error.validator)]}"
        said = "must not be empty" if self.rule == 1 else least
        yield self._problem("too-few", f"{self.where} {said}", None, *self._about())

    def too_many(self) -> Iterable[Problem]:
        unit = _UNITS[str(self.error.validator)]
        message = f"{self.where} must hold at most {self.rule} {unit}"
        yield self._problem("too-many", message, None, *self._about())

    def out_of_range(self) -> Iterable[Problem]:
        relation = _RELATIONS[str(self.error.validator)]
        message = f"{self.where} must be {relation} {self.rule}, not {self._found()}"
        yield self._problem("out-of-range", message)

    def repeated(self) -> Iterable[Problem]:
        message = f"{self.where} names something twice"
        yield self._problem("duplicate-item", message, "keep one of them")

    def needs_company(self) -> Iterable[Problem]:
        for key, needed in self.rule.items():
            missing = [name for name in needed if name not in self.instance]
            if key in self.instance and missing:
                yield Problem(
                    code="missing-key",
                    message=f"{self.where}.{key} needs {' and '.join(map(quoted, missing))}",
                    span=self.places[*self.path, key].name,
                    hint=f'add "{missing[0]}: …"',
                )

    def alternatives(self) -> Iterable[Problem]:
        keys = [name for part in self.rule for name in part.get("required", ())]
        if keys and isinstance(self.instance, dict):
            present = [name for name in keys if name in self.instance]
            choice = ", ".join(keys)
            if present:
                message = f"{self.where} takes only one of {choice}"
                yield self._problem("too-many", message, "keep one of them")
            else:
                yield self._problem("missing-key", f"{self.where} needs one of {choice}")
            return
        names = [part["type"] for part in self.rule if isinstance(part.get("type"), str)]
        if names and not any(allows_type(part, self.instance) for part in self.rule):
            yield self._wrong_type(names)
            return
        message = f"{self.where} cannot be {self._found()}"
        yield self._problem("bad-value", message, None, *self._about())

    def _anything_else(self) -> Iterable[Problem]:
        message = f"{self.where} is not as it must be"
        yield self._problem("bad-value", message, None, *self._about())

    def _of_a_key(self) -> bool:
        return "propertyNames" in self.error.absolute_schema_path

    def _key_spelling(self) -> Problem:
        key = str(self.instance)
        at = self.places.get((*self.path, key))
        return Problem(
            code="bad-name",
            message=f"{quoted(key)} cannot be a name in {self.where}",
            span=at.name if at else self._name(),
            notes=("a name holds letters, digits, - and _",),
        )

    def _wrong_type(self, names: list[str]) -> Problem:
        wanted = " or ".join(dict.fromkeys(TYPE_WORDS[name] for name in names))
        found = self.instance
        hint = None
        if "string" in names and isinstance(found, (bool, int, float)):
            hint = "quote it"
        elif "array" in names and not isinstance(found, (dict, list)) and found is not None:
            hint = "write it in brackets: […]"
        message = f"{self.where} must be {wanted}, not {kind(found)}"
        about = self._about() if found is None else ()
        return self._problem("wrong-type", message, hint, *about)

    def _is_misspelt(self, key: str, known: Mapping[str, Any]) -> bool:
        # "recipient" is unknown, did you mean "recipients": that says it all.
        if self.schema.get("additionalProperties") is not False:
            return False
        guess = f'did you mean "{key}"?'
        return any(similar(name, known) == guess for name in self._strangers())

    def _strangers(self) -> list[str]:
        known = self.schema.get("properties", {})
        return [name for name in self.instance if name not in known][:_MOST_GUESSES]

    def _found(self) -> str:
        if self.shown is not None:
            return self.shown
        found = self.instance
        return quoted(found) if isinstance(found, str) else printable(spelled(found))

    def _about(self) -> tuple[str, ...]:
        about = self.schema.get("description")
        return (about,) if about else ()

    def _name(self) -> Span | None:
        return self.places[self.path].name if self.path else None

    def _problem(self, code: str, message: str, hint: str | None = None, *notes: str) -> Problem:
        at = self.places[self.path]
        empty = self.instance is None or isinstance(self.instance, (dict, list))
        span = at.name if empty else at.value
        return Problem(code=code, message=message, span=span, hint=hint, notes=notes)


_MOST_GUESSES: Final = 50
"""Keys of one map that are guessed at; a hostile one could hold ten thousand."""

_UNITS: Final = {
    "minLength": "characters",
    "minItems": "entries",
    "minProperties": "keys",
    "maxLength": "characters",
    "maxItems": "entries",
    "maxProperties": "keys",
}
_RELATIONS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}
_SAYINGS: Final[Mapping[str, Callable[[_Wording], Iterable[Problem]]]] = {
    "additionalProperties": _Wording.unknown_keys,
    "required": _Wording.missing_keys,
    "type": _Wording.wrong_type,
    "enum": _Wording.bad_choice,
    "const": _Wording.constant,
    "pattern": _Wording.pattern,
    "uniqueItems": _Wording.repeated,
    "dependentRequired": _Wording.needs_company,
    "oneOf": _Wording.alternatives,
    "anyOf": _Wording.alternatives,
    **dict.fromkeys(("minLength", "minItems", "minProperties"), _Wording.too_few),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), _Wording.too_many),
    **dict.fromkeys(_RELATIONS, _Wording.out_of_range),
}
