"""From YAML events to nodes: strict, bounded, and with a place for everything.

The composer of PyYAML is not used: it recurses in C and dies of 50,000 nested brackets, and it
silently takes the last of two equal keys. Here every limit is checked event by event.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

import yaml

from caldav_run.pipeline.places import Span, printable, quoted
from caldav_run.pipeline.problems import FatalProblem, Problem
from caldav_run.pipeline.scalars import Scalar, doubt, resolve

MAX_NODES: Final = 20_000
"""Values and keys, each use of an anchor counted in full."""

MAX_DEPTH: Final = 64
_TOO_DEEP: Final = f"lists and maps are nested more than {MAX_DEPTH} deep"
# Neither names nor paths nor addresses hold one; surrogates come from the parser in Python only.
_UNFIT: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f\\ud800-\\udfff]")
_REST_OF_LINE: Final = 1 << 20

# libyaml where PyYAML was built with it; the same events from Python otherwise.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar with the value that it means."""

    text: str
    value: Scalar
    style: str
    span: Span
    end_line: int
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class SequenceNode:
    """A list; it grows while its items are read."""

    span: Span
    items: "list[Node]" = field(default_factory=list)
    end_line: int = 0
    size: int = 1
    height: int = 1

    def add(self, node: "Node") -> None:
        """Take the next item."""
        self.items.append(node)
        self.size += node.size
        self.height = max(self.height, node.height + 1)


@dataclass(slots=True)
class MappingNode:
    """A map; it grows while its entries are read. Of equal keys the first one counts."""

    span: Span
    entries: "dict[str, tuple[ScalarNode, Node]]" = field(default_factory=dict)
    key: ScalarNode | None = None
    end_line: int = 0
    size: int = 1
    height: int = 1

    def add(self, node: "Node") -> None:
        """Take the value of the pending key."""
        if self.key is not None:
            self.entries.setdefault(self.key.text, (self.key, node))
            self.size += node.size + 1
            self.height = max(self.height, node.height + 1)
            self.key = None


Node = ScalarNode | SequenceNode | MappingNode
_Tagged = yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent


def compose(text: str) -> tuple[Node | None, list[Problem]]:
    """Return the only document of a YAML text, or None when there is nothing in it.

    Returns:
        The document, and what is wrong with it as far as reading could go on.

    Raises:
        FatalProblem: Reading could not go on.
        yaml.YAMLError: The text is not YAML.
    """
    composer = _Composer()
    for event in yaml.parse(text, Loader=_Loader):
        composer.take(event)
    return composer.root, composer.problems


class _Composer:
    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[tuple[SequenceNode | MappingNode, str | None]] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._document(event)
            case _:
                pass

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            message = "a second YAML document begins here; a pipeline file holds one"
            self._stop("yaml-documents", message, _span(event), "put it into a file of its own")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        span = _span(event)
        self._admit(event, span)
        mapping = self._awaiting_key()
        if _UNFIT.search(event.value):
            message = "a control character stands here as an escape"
            self._report("control-character", message, span, "take it out")
        value = event.value if event.style else self._meaning(event.value, span)
        node = ScalarNode(event.value, value, event.style or "", span, _last_line(event))
        if mapping is None:
            self._place(node, event.anchor)
            return
        if not isinstance(value, str):
            message = f"the key {quoted(node.text)} is not text"
            self._report("key-not-text", message, span, f'quote it: "{node.text}"')
        self._take_key(mapping, node)

    def _meaning(self, text: str, span: Span) -> Scalar:
        meaning = doubt(text)
        if meaning is not None:
            mend = "write the entries out" if text == "<<" else f'quote it: "{text}"'
            self._report("ambiguous-scalar", f"{quoted(text)} is {meaning}", span, mend)
            return text
        try:
            return resolve(text)
        except ValueError as error:
            message = f"the number {quoted(text)} cannot be used: {error}"
            self._report("bad-number", message, span, "quote it if it is meant as text")
            return text

    def _take_key(self, mapping: MappingNode, node: ScalarNode) -> None:
        earlier = mapping.entries.get(node.text)
        if earlier is not None:
            lines = f"in lines {earlier[0].span.line} and {node.span.line}"
            message = f"the key {quoted(node.text)} stands twice, {lines}"
            self._report("duplicate-key", message, node.span, "keep one of them")
        mapping.key = node

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        span = _span(event)._replace(length=1)
        self._admit(event, span)
        if self._awaiting_key() is not None:
            self._stop("key-not-text", "a list or a map cannot be a key", span, "write text")
        if len(self._open) >= MAX_DEPTH:
            self._stop("yaml-depth", _TOO_DEEP, span, None)
        is_map = isinstance(event, yaml.MappingStartEvent)
        self._open.append((MappingNode(span) if is_map else SequenceNode(span), event.anchor))

    def _end(self, event: yaml.Event) -> None:
        node, anchor = self._open.pop()
        node.end_line = _last_line(event)
        self._place(node, anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        span = _span(event)
        if self._awaiting_key() is not None:
            self._stop("yaml-alias", "an alias cannot be a key", span, "write the key out")
        name = event.anchor or ""
        node = self._anchors.get(name)
        if node is None:
            inside = any(anchor == name for _, anchor in self._open)
            why = "stands inside what it names" if inside else "names no anchor before it"
            message = f"the alias {quoted('*' + name)} {why}"
            self._stop("yaml-alias", message, span, "write the value out")
        else:
            if len(self._open) + node.height > MAX_DEPTH:
                self._stop("yaml-depth", _TOO_DEEP, span, None)
            self._weigh(node.size, span)
            self._place(node, None)

    def _admit(self, event: _Tagged, span: Span) -> None:
        if event.tag is not None:
            message = (
                f"the tag {quoted(event.tag)} is not allowed; values are plain text and numbers"
            )
            self._stop("yaml-tag", message, span, "remove the tag")
        self._weigh(1, span)

    def _weigh(self, nodes: int, span: Span) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            message = f"the file holds more than {MAX_NODES} values, each use of an alias counted"
            self._stop("yaml-size", message, span, "split it into several pipelines")

    def _awaiting_key(self) -> MappingNode | None:
        if self._open:
            node = self._open[-1][0]
            if isinstance(node, MappingNode) and node.key is None:
                return node
        return None

    def _place(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1][0].add(node)
        else:
            self.root = node

    def _report(self, code: str, message: str, span: Span, hint: str) -> None:
        self.problems.append(Problem(code=code, message=message, span=span, hint=printable(hint)))

    def _stop(self, code: str, message: str, span: Span, hint: str | None) -> NoReturn:
        raise FatalProblem(Problem(code=code, message=message, span=span, hint=hint))


def _span(event: yaml.Event) -> Span:
    line, column, end_line, end_column = _bounds(event)
    # A piece that goes on in further lines is marked to the end of its first one.
    length = end_column - column if end_line == line else _REST_OF_LINE
    return Span(line + 1, column + 1, max(length, 1))


def _last_line(event: yaml.Event) -> int:
    _, _, end_line, end_column = _bounds(event)
    # A block's end is seen at the start of the line after it.
    return end_line + (1 if end_column else 0)


def _bounds(event: yaml.Event) -> tuple[int, int, int, int]:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:  # pragma: no cover -- parsed events always have both
        return 0, 0, 0, 0
    return start.line, start.column, end.line, end.column
