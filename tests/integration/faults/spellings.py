"""Answers that say the truth in an odd way."""

import re
from collections.abc import Callable
from dataclasses import replace

from tests.integration.faults.account import Fault, Forward

from caldav_run.testing.scripted import Answer, Asked

_HREF = re.compile(rb"<href>([^<]*)</href>")
_ETAG = re.compile(rb"<getetag>([^<]*)</getetag>")
_RESPONSE = re.compile(rb"<response>.*?</response>", re.DOTALL)
_ITEM = re.compile(rb"<href>[^<]*/([^/<]+\.ics)</href>")


def _told(change: Callable[[bytes, Asked], bytes]) -> Fault:
    """Return a fault that changes each answer in XML."""

    def fault(asked: Asked, answer: Forward) -> Answer:
        true = answer()
        return replace(true, body=change(true.body, asked)) if true.status == 207 else true

    return fault


def _etags(to: bytes) -> Fault:
    """Return a fault that changes each etag; `to` is a template for it."""

    def fault(asked: Asked, answer: Forward) -> Answer:
        true = _told(lambda body, _: _ETAG.sub(to, body))(asked, answer)
        etag = re.sub(rb"<[^>]*>", b"", to.replace(rb"\1", true.headers.get("ETag", "").encode()))
        headers = {name: value for name, value in true.headers.items() if name != "ETag"}
        return replace(true, headers={**headers, "ETag": etag.decode()} if etag else headers)

    return fault


no_etags = _etags(b"")
empty_etags = _etags(b"<getetag/>")
weak_etags = _etags(rb"<getetag>W/\1</getetag>")


def _listed_otherwise(body: bytes, asked: Asked) -> bytes:
    """Call an etag weak in listings, and strong in reports and answers to GET."""
    return body if b"multiget" in asked.body else _ETAG.sub(rb"<getetag>W/\1</getetag>", body)


weak_in_lists = _told(_listed_otherwise)


def _all_twice(body: bytes, _: Asked) -> bytes:
    return _RESPONSE.sub(lambda found: found[0] * 2, body)


def _whole_urls(body: bytes, asked: Asked) -> bytes:
    root = b"http://" + asked.headers["host"].encode()
    return _HREF.sub(lambda found: b"<href>" + root + found[1] + b"</href>", body)


def _relative(body: bytes, _: Asked) -> bytes:
    return _ITEM.sub(rb"<href>\1</href>", body)


def _escaped(body: bytes, _: Asked) -> bytes:
    """Escape what need not be, in lower-case digits."""
    return _ITEM.sub(lambda found: found[0].replace(b".ics", b"%2eics"), body)


def _blanks(body: bytes, _: Asked) -> bytes:
    return _HREF.sub(rb"<href>\n  \1\n  </href>", body)


all_twice = _told(_all_twice)
whole_urls = _told(_whole_urls)
relative = _told(_relative)
escaped = _told(_escaped)
blanks = _told(_blanks)


def _one_more(href: str, properties: str) -> Fault:
    """Return a fault that names one more member in each calendar."""
    said = (
        f"<response><href>{href}</href><propstat><prop>{properties}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )

    def change(body: bytes, asked: Asked) -> bytes:
        if "/work" not in asked.path:
            return body
        named = said.replace("HERE", asked.path).replace("HOST", asked.headers["host"])
        return body.replace(b"</multistatus>", named.encode())

    return _told(change)


_ICS = "<getetag>&quot;x&quot;</getetag><getcontenttype>text/calendar</getcontenttype>"
itself = {
    "as an item": _one_more("HERE", _ICS + "<resourcetype/>"),
    "as a URL": _one_more("http://HOSTHERE", _ICS),
    "without a slash": _one_more("/alice/work", _ICS),
    "escaped": _one_more("/alice/w%6frk/", _ICS),
}
no_items = {
    "a contact": _one_more(
        "HEREbob.vcf", "<getetag>&quot;x&quot;</getetag><getcontenttype>text/vcard</getcontenttype>"
    ),
    "a web page": _one_more("HEREindex.html", "<getcontenttype>text/html</getcontenttype>"),
    "a folder": _one_more("HEREold/", "<resourcetype><collection/></resourcetype>"),
    "a folder like an item": _one_more(
        "HEREold.ics/", _ICS + "<resourcetype><collection/></resourcetype>"
    ),
}
