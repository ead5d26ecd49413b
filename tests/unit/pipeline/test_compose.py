import pytest
import yaml

from caldav_run.pipeline import compose as composing
from caldav_run.pipeline.load import parse
from caldav_run.pipeline.problems import FatalProblem


def stopped(text: str) -> str:
    with pytest.raises(FatalProblem) as caught:
        parse(text)
    return caught.value.problem.code


def found(text: str) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.hint) for problem in parse(text)[1]]


def test_a_doubled_key_names_both_lines() -> None:
    document, (problem,) = parse("a: 1\nb: 2\na: 3\n")
    assert problem.code == "duplicate-key"
    assert problem.message == 'the key "a" stands twice, in lines 1 and 3'
    assert document.value == {"a": 1, "b": 2}


def test_a_doubtful_scalar_asks_for_quotes() -> None:
    assert found("a: no\nb: 'no'\n") == [("ambiguous-scalar", 'quote it: "no"')]


def test_a_merge_key_asks_to_write_entries_out() -> None:
    assert found("a: &x {b: 1}\nc: {<<: *x}\n") == [("ambiguous-scalar", "write the entries out")]


def test_a_number_without_end_is_told() -> None:
    assert found("a: .inf\n") == [("bad-number", "quote it if it is meant as text")]


@pytest.mark.parametrize("key", ["12", "true", "~", "1.5"])
def test_a_key_is_text(key: str) -> None:
    assert found(f"{key}: a\n") == [("key-not-text", f'quote it: "{key}"')]


@pytest.mark.parametrize("text", ["[a]: 1\n", "? {a: 1}\n: 2\n"])
def test_a_list_or_map_is_no_key(text: str) -> None:
    assert stopped(text) == "key-not-text"


@pytest.mark.parametrize("text", ["a: !!str x", "a: !x {b: 1}", "!!python/object:os.x [a]"])
def test_a_tag_is_refused(text: str) -> None:
    assert stopped(text) == "yaml-tag"


@pytest.mark.parametrize("text", ["a: {b: [1, 'x']}\nc: |\n  d\ne: 2\n", "a: &x 1\nb: *x\n"])
def test_the_parser_in_python_gives_the_same_where_libyaml_is_missing(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = parse(text)
    monkeypatch.setattr(composing, "_Loader", yaml.SafeLoader)
    assert parse(text) == fast


def test_a_second_document_is_refused() -> None:
    assert stopped("a: 1\n---\nb: 1\n") == "yaml-documents"


def test_an_alias_stands_for_its_anchor() -> None:
    document, problems = parse("a: &x [1, {b: 2}]\nc: *x\n")
    assert problems == []
    assert document.value == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}
    assert document.places["c", 1, "b"] == document.places["a", 1, "b"]


@pytest.mark.parametrize("text", ["a: *x", "a: &x [*x]", "a: &x 1\n*x : 2", "a: *x\nb: &x 1"])
def test_an_alias_that_means_nothing_is_refused(text: str) -> None:
    assert stopped(text) == "yaml-alias"


def test_an_alias_bomb_is_refused_by_what_it_would_unfold_to() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert stopped("\n".join(lines)) == "yaml-size"


def test_20000_values_are_read_and_one_more_is_not() -> None:
    # The map, the key and the list are values as well.
    parse("a: [" + "x," * (composing.MAX_NODES - 3) + "]")
    assert stopped("a: [" + "x," * (composing.MAX_NODES - 2) + "]") == "yaml-size"


def test_nesting_ends_at_64_levels() -> None:
    parse("a: " + "[" * 63 + "]" * 63)
    assert stopped("a: " + "[" * 64 + "]" * 64) == "yaml-depth"


def test_nesting_by_an_alias_counts_too() -> None:
    assert stopped("a: &x " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 30 + "*x" + "]" * 30) == (
        "yaml-depth"
    )


def test_50000_brackets_do_not_crash() -> None:
    assert stopped("[" * 50_000) == "yaml-depth"
