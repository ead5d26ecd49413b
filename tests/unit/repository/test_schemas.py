"""What `schemas/repository/` says of documents is what writers write and the documentation says."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from caldav_run.connectors.schemas import schema_folder
from caldav_run.model import Calendar, Change, Op
from caldav_run.repository import age, envelope, keys, names, tar
from caldav_run.repository.local import LocalStore
from caldav_run.repository.store import Store
from caldav_run.testing.vault import Vault, about, added, calendar_row

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"
PAGE = (ROOT / "docs" / "repository-format.md").read_text("utf-8")
SCHEMAS = {
    path.name.partition(".")[0]: json.loads(path.read_text("utf-8"))
    for path in sorted((schema_folder() / "repository").glob("*.schema.json"))
}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
FIELDS = {name: schema["properties"] for name, schema in SCHEMAS.items() if name != "row"}
# Made by a program that this one does not know, or a document that was harmed on purpose.
FOREIGN = ("later-repository", "later-segment", "unknown-operation")


def documents(store: Store, identity: age.Identity) -> Iterator[tuple[str, Any]]:
    """Yield the name of its schema and each document and row of a repository."""
    yield "format", json.loads(store.get(names.MARKER))
    for each in store.list():
        data = store.get(each.name)
        if names.parse_tombstone(each.name):
            archive = tar.members([data], lambda *_: True)
        elif names.parse_segment(each.name) or names.parse_run(each.name):
            opened = age.unseal(data, (identity,))
            archive = envelope.unpack(each.name, opened, lambda *_: True)
        else:
            continue
        yield from parsed(dict(archive))


def parsed(files: Mapping[str, bytes]) -> Iterator[tuple[str, Any]]:
    for name, content in files.items():
        if name in {"segment.json", "run.json", "tombstone.json"}:
            yield name.removesuffix(".json"), json.loads(content)
        elif name == "changes.jsonl":
            yield from (("row", json.loads(line)) for line in content.splitlines())


def valid(store: Store, identity: age.Identity) -> dict[str, int]:
    """Return how many documents of each kind were valid; all have to be."""
    counted: dict[str, int] = {}
    for name, document in documents(store, identity):
        errors = [each.message for each in VALIDATORS[name].iter_errors(document)]
        assert not errors, (name, document, errors)
        counted[name] = counted.get(name, 0) + 1
    return counted


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def described(schema: Any) -> Iterator[tuple[str, bool]]:
    for name, each in schema.get("properties", {}).items():
        reference = SCHEMAS["segment"]["$defs"].get(each.get("$ref", "").rpartition("/")[2], {})
        yield name, bool(each.get("description") or reference.get("description"))
        yield from described(each)
        yield from described(each.get("items", {}))


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_field_is_described(name: str) -> None:
    parts = [SCHEMAS[name], *SCHEMAS[name].get("prefixItems", [])]
    assert [field for part in parts for field, said in described(part) if not said] == []


@pytest.mark.parametrize("name", [*FIELDS, "row"])
def test_the_documentation_has_the_same_fields(name: str) -> None:
    heading = "column" if name == "row" else f"field of `{name}.json`"
    table = PAGE.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    documented = [field for cell in cells for field in re.findall(r"`(\w+)`", cell)]
    columns = [each["title"] for each in SCHEMAS["row"]["prefixItems"]]
    assert documented == (columns if name == "row" else list(FIELDS[name]))


@pytest.mark.parametrize("folder", [each.parent.name for each in GOLDEN.glob("*/expected.json")])
def test_golden_repositories_hold_valid_documents(folder: str) -> None:
    store = LocalStore(GOLDEN / folder / "repository")
    (identity,) = keys.load_keyring([GOLDEN / "keys" / "daily.txt"]).identities
    if folder in FOREIGN:
        with pytest.raises(AssertionError):
            valid(store, identity)
    else:
        harmed = ("dropped", "flipped", "truncated", "replayed", "swapped", "hostile", "other")
        if not folder.startswith(harmed):
            assert valid(store, identity)["segment"] > 1


UIDS = st.sampled_from(["a", "b", "ä ö", "%C3%A4", "x/y"])
CALENDARS = st.sampled_from(["family", "日本"])
REASONS = st.text(max_size=20)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "display_name": st.text(min_size=1, max_size=9),
        "order": st.integers(-5, 5),
        "components": st.just(("VEVENT",)),
        "read_only": st.booleans(),
        "token": st.text(min_size=1, max_size=9),
    },
)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(lambda c, p: calendar_row(c, **p), CALENDARS, PROPERTIES),
    st.builds(
        lambda u, v, c, w: added(u, v, c, valid_until=w),
        UIDS,
        st.integers(1, 3),
        CALENDARS,
        st.none() | st.floats(0, 2e9),
    ),
    st.builds(lambda u, c: about(Op.GONE, u, c), UIDS, CALENDARS),
    st.builds(lambda u, c: about(Op.EXCLUDED, u, c, etag='"1"'), UIDS, CALENDARS),
    st.builds(lambda u, c, r: about(Op.UNREAD, u, c, reason=r), UIDS, CALENDARS, REASONS),
    st.builds(
        lambda c, o: about(o, None, c, properties=Calendar(id=c), reason="503"),
        CALENDARS,
        st.sampled_from([Op.UNREAD, Op.EXCLUDED, Op.CALENDAR_GONE]),
    ),
)


@settings(max_examples=25)
@given(st.lists(st.lists(CHANGES, max_size=6), min_size=1, max_size=4))
def test_whatever_a_writer_writes_is_valid(runs: list[list[Change]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder))
        for changes in runs:
            vault.run(*changes)
        (identity,) = keys.load_keyring([vault.keys / keys.IDENTITY]).identities
        assert valid(vault.local, identity)["run"] == len(runs)
