import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.ical.canonical import Level, digest, equal, normalise
from caldav_run.ical.lines import fold

BODY = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:a
SUMMARY:One\\NTwo
ATTENDEE;CN="Bob";ROLE=CHAIR:mailto:bob@example.org
END:VEVENT
END:VCALENDAR
"""

PARAM = st.builds(
    lambda name, value, quote: (name, value, quote),
    st.sampled_from("ABC"),
    st.text("xyz", max_size=3),
    st.booleans(),
)
PROPERTY = st.builds(
    lambda name, params, value: (name, params, value),
    st.sampled_from(("SUMMARY", "X-A", "X-B")),
    st.lists(PARAM, max_size=2, unique_by=lambda param: param[0]),
    st.text("ab\\Nn,;:ü", max_size=6),
)
Property = tuple[str, list[tuple[str, str, bool]], str]
Tree = tuple[str, list[Property], list["Tree"]]


def trees(depth: int = 2) -> st.SearchStrategy[Tree]:
    inner = st.lists(trees(depth - 1), max_size=2) if depth else st.just([])
    return st.tuples(
        st.sampled_from(("VEVENT", "VALARM", "X-Y")), st.lists(PROPERTY, max_size=3), inner
    )


def write(tree: Tree) -> list[str]:
    name, props, children = tree
    lines = [
        prop + "".join(f';{key}="{text}"' if q else f";{key}={text}" for key, text, q in params)
        + f":{value}"
        for prop, params, value in props
    ]  # fmt: skip
    return [
        f"BEGIN:{name}",
        *lines,
        *(line for one in children for line in write(one)),
        f"END:{name}",
    ]


def body_of(tree: Tree) -> bytes:
    return "\r\n".join(write(tree)).encode()


@st.composite
def rewritten(draw: st.DrawFn, tree: Tree) -> Tree:
    """Another way to write the same tree."""
    name, props, children = tree
    changed = [
        (
            draw(st.sampled_from((prop, prop.lower()))),
            draw(
                st.permutations(
                    [(key.lower(), text, draw(st.booleans())) for key, text, _ in params]
                )
            ),
            value,
        )
        for prop, params, value in props
    ]
    return (
        draw(st.sampled_from((name, name.lower()))),
        draw(st.permutations(changed)),
        draw(st.permutations([draw(rewritten(child)) for child in children])),
    )


@given(st.data(), trees())
def test_order_case_quotes_folds_and_line_ends_do_not_count(
    data: st.DataObject, tree: Tree
) -> None:
    end = data.draw(st.sampled_from((b"\n", b"\r\n", b"\r\n\r\n")))
    lines = body_of(data.draw(rewritten(tree))).split(b"\r\n")
    width = data.draw(st.integers(1, 9))
    if data.draw(st.booleans()):
        lines = [fold(line) for line in lines]
    else:
        lines = [
            b"\n ".join(line[at : at + width] for at in range(0, len(line), width))
            for line in lines
        ]
    assert digest(end.join(lines) + end) == digest(body_of(tree))


@given(trees(), PROPERTY, st.lists(st.integers(0, 3), max_size=3))
def test_one_more_property_counts_wherever_it_is(
    tree: Tree, prop: Property, way: list[int]
) -> None:
    assert digest(body_of(grown(tree, prop, way))) != digest(body_of(tree))


def grown(tree: Tree, extra: Property, way: list[int]) -> Tree:
    """The tree with one more property in the component that the way leads to."""
    name, props, children = tree
    if children and way:
        at = way[0] % len(children)
        child = grown(children[at], extra, way[1:])
        return name, props, [*children[:at], child, *children[at + 1 :]]
    return name, [*props, extra], children


@given(trees(1), PROPERTY)
def test_a_property_that_moves_to_another_component_counts(tree: Tree, prop: Property) -> None:
    outer: Tree = ("VCALENDAR", [prop], [tree])
    inner: Tree = ("VCALENDAR", [], [(tree[0], [*tree[1], prop], tree[2])])
    assert digest(body_of(outer)) != digest(body_of(inner))


@given(trees())
def test_a_dropped_duplicate_component_counts(tree: Tree) -> None:
    twice: Tree = ("VCALENDAR", [], [tree, tree])
    once: Tree = ("VCALENDAR", [], [tree])
    assert digest(body_of(twice)) != digest(body_of(once))


def test_each_level_takes_in_the_one_before() -> None:
    ends = BODY.replace(b"\n", b"\r\n")
    order = BODY.replace(b"UID:a\nSUMMARY:One\\NTwo\n", b"SUMMARY:One\\nTwo\nUID:a\n")
    content = BODY.replace(b"One", b"Two")
    assert [equal(BODY, BODY, level) for level in Level] == [True, True, True]
    assert [equal(BODY, ends, level) for level in Level] == [False, True, True]
    assert [equal(BODY, order, level) for level in Level] == [False, False, True]
    assert [equal(BODY, content, level) for level in Level] == [False, False, False]


def test_a_byte_order_mark_and_trailing_blanks_do_not_count_at_l1() -> None:
    assert normalise(b"\xef\xbb\xbfA:1\r\n \r\n\r\n") == b"A:1"


@pytest.mark.parametrize("changed", [b"ROLE=CHAIR;RSVP=TRUE", b"ROLE=OPT", b"X-ROLE=CHAIR", b"X=Y"])
def test_a_parameter_counts(changed: bytes) -> None:
    assert digest(BODY) != digest(BODY.replace(b"ROLE=CHAIR", changed))


def test_other_escapes_count_beside_an_escaped_line_feed() -> None:
    comma = BODY.replace(b"One\\N", b"One\\,\\N")
    assert digest(comma) != digest(comma.replace(b"\\,", b","))


def test_only_an_escaped_line_feed_may_be_spelt_in_two_ways() -> None:
    backslash = BODY.replace(b"\\N", b"\\\\N")
    assert digest(BODY) == digest(BODY.replace(b"\\N", b"\\n"))
    assert digest(backslash) != digest(backslash.replace(b"\\N", b"\\n"))


def test_a_time_zone_counts_once_for_its_tzid() -> None:
    zone = b"BEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE\n"
    with_zone = BODY.replace(b"BEGIN:VEVENT", zone + b"BEGIN:VEVENT")
    twice = BODY.replace(b"BEGIN:VEVENT", zone + zone + b"BEGIN:VEVENT")
    assert digest(with_zone) == digest(twice)
    assert digest(with_zone) != digest(BODY)
    other = with_zone.replace(b"TZID:X", b"TZID:Y")
    assert digest(with_zone) != digest(other)


def test_what_is_no_tree_is_compared_by_its_lines() -> None:
    broken = BODY.replace(b"END:VEVENT\n", b"")
    assert digest(broken) == digest(broken.replace(b"\n", b"\r\n"))
    assert digest(broken) != digest(broken.replace(b"UID:a\n", b""))
    assert digest(broken) != digest(BODY)


@given(st.binary())
def test_everything_has_a_digest(body: bytes) -> None:
    assert len(digest(body)) == 32


def test_a_single_raw_byte_counts() -> None:
    assert digest(BODY.replace(b"One", b"\xff")) != digest(BODY.replace(b"One", b"\xfe"))
