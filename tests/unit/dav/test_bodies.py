"""The XML of requests is well-formed whatever it carries."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from caldav_run.dav import bodies, names
from caldav_run.model import Calendar

xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\r\n")
)


def parsed(body: bytes) -> etree._Element:
    return etree.fromstring(body)


def test_a_propfind_names_its_properties() -> None:
    root = parsed(bodies.propfind([names.GETETAG, names.COLOR]))
    assert [element.tag for element in root[0]] == [names.GETETAG, names.COLOR]


@given(st.lists(xml_text))
def test_a_multiget_carries_every_href(hrefs: list[str]) -> None:
    root = parsed(bodies.multiget(hrefs))
    assert [element.text or "" for element in root.iterfind(names.HREF)] == hrefs


@given(name=xml_text, description=xml_text, order=st.integers())
def test_properties_survive_the_markup(name: str, description: str, order: int) -> None:
    calendar = Calendar(id="a", display_name=name, description=description, order=order)
    root = parsed(bodies.proppatch(bodies.values(calendar)))
    found = {str(element.tag): element.text or "" for element in root[0][0]}
    assert found == {
        names.DISPLAYNAME: name,
        names.DESCRIPTION: description,
        names.ORDER: str(order),
    }


def test_what_xml_cannot_carry_is_left_out() -> None:
    values = bodies.values(Calendar(id="a", display_name="a\x0bb\ufffe"))
    assert parsed(bodies.proppatch(values)).findtext(f".//{names.DISPLAYNAME}") == "ab"


def test_a_missing_property_is_not_set() -> None:
    assert bodies.values(Calendar(id="a")) == {}


def test_components_are_listed_one_by_one() -> None:
    values = bodies.values(Calendar(id="a", components=("VEVENT", "VTODO")))
    root = parsed(bodies.mkcalendar(values))
    found = [comp.get("name") for comp in root.iter(names.COMP)]
    assert found == ["VEVENT", "VTODO"]


def test_an_extended_mkcol_says_that_it_is_a_calendar() -> None:
    root = parsed(bodies.extended_mkcol({names.DISPLAYNAME: "A"}))
    kinds = [element.tag for element in root.iterfind(f".//{names.RESOURCETYPE}/*")]
    assert kinds == [names.COLLECTION, names.CALENDAR]
    assert root.findtext(f".//{names.DISPLAYNAME}") == "A"
