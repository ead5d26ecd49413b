"""The faults themselves: what a request is answered instead of the truth."""

import gzip
from collections.abc import Callable
from dataclasses import replace

from tests.integration.faults.account import Fault, Forward
from tests.integration.faults.places import LOGIN

from caldav_run.testing.scripted import Answer, Asked

TIMEOUT_S = 1.0
"""What a source is told to wait where a fault has it wait in vain."""

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome!</body></html>"
_OUTSIDE = b'<!ENTITY x SYSTEM "%s">'
_BOMB = b'<!ENTITY x0 "%s">' % (b"x" * 100) + b"".join(
    b'<!ENTITY x%d "%s">' % (each, b"&x%d;" % (each - 1) * 10) for each in range(1, 10)
)


def answers(status: int, **headers: str) -> Fault:
    """Return a fault that answers something else; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Answer(status, headers=named)


def hangs(_: Asked, __: Forward) -> Answer:
    """Say nothing for longer than anybody waits."""
    return Answer(200, delay_s=2 * TIMEOUT_S)


def resets(_: Asked, __: Forward) -> Answer:
    """Reset the connection before anything is said."""
    return Answer(0, reset=True)


def resets_midway(_: Asked, answer: Forward) -> Answer:
    """Reset the connection in the middle of the body."""
    true = answer()
    return replace(true, body=_half(true), announced=len(true.body), reset=True)


def truncated(_: Asked, answer: Forward) -> Answer:
    """Close the connection in the middle of the body."""
    true = answer()
    return replace(true, body=_half(true), announced=len(true.body) - 1, broken=True)


def too_long(_: Asked, answer: Forward) -> Answer:
    """Announce more than comes, and keep the connection."""
    true = answer()
    return replace(true, announced=len(true.body) + 100)


def too_short(_: Asked, answer: Forward) -> Answer:
    """Announce less than comes."""
    true = answer()
    return replace(true, announced=len(true.body) // 2)


def drips(_: Asked, answer: Forward) -> Answer:
    """Say a byte at a time, each soon enough, and all of it far too late."""
    return replace(answer(), drip_s=TIMEOUT_S / 20)


def unanswered(fault: Fault) -> Fault:
    """Return a fault that has the request done, and then strikes the answer."""

    def done(asked: Asked, answer: Forward) -> Answer:
        answer()
        return fault(asked, answer)

    return done


def answer_cut_off(_: Asked, answer: Forward) -> Answer:
    """Have the request done, and end in the middle of what is said of it."""
    return replace(answer(), body=b"<", announced=100, broken=True)


def no_gzip(_: Asked, answer: Forward) -> Answer:
    """Say that plain text is compressed."""
    return _encoded(answer(), answer().body)


def half_gzip(_: Asked, answer: Forward) -> Answer:
    """Compress, and leave out the second half, with a length that fits."""
    true = answer()
    packed = gzip.compress(true.body)
    return _encoded(true, packed[: len(packed) // 2])


def bad_gzip(_: Asked, answer: Forward) -> Answer:
    """Compress, with a wrong checksum."""
    true = answer()
    packed = gzip.compress(true.body)
    return _encoded(true, packed[:-8] + bytes(4) + packed[-4:])


def malformed(_: Asked, answer: Forward) -> Answer:
    """End an element by another name."""
    return _changed(answer, lambda body: body.replace(b"</href>", b"</hre>", 1))


def vertical_tab(_: Asked, answer: Forward) -> Answer:
    """Put a byte that XML forbids into a text, as servers do that do not look at what they give."""
    true = answer()
    return replace(true, body=true.body.replace(b"Dinner", b"Din\x0bner"))


def vertical_tab_in_reports(asked: Asked, answer: Forward) -> Answer:
    """Do so in reports only."""
    return answer() if asked.method == "GET" else vertical_tab(asked, answer)


def vertical_tab_and_no_get(asked: Asked, answer: Forward) -> Answer:
    """Do so in reports, and answer nothing else."""
    return Answer(500) if asked.method == "GET" else vertical_tab(asked, answer)


def vertical_tab_in_names(_: Asked, answer: Forward) -> Answer:
    """Put one into the names of calendars."""
    name = b"</displayname>"
    return _changed(answer, lambda body: body.replace(name, b"\x0b" + name))


def bomb(_: Asked, answer: Forward) -> Answer:
    """Put a text of 100 GB into the answer by entities of entities."""
    return _changed(answer, lambda body: _with_entity(body, _BOMB, b"x9"))


def external_entities(asked: Asked, answer: Forward) -> Answer:
    """Put a file of the reader's machine, or a page that only it can see, into a text."""
    page = b"http://%s/secret" % asked.headers["host"].encode()
    place = b"file:///etc/hostname" if asked.method == "REPORT" else page
    return _changed(answer, lambda body: _with_entity(body, _OUTSIDE % place, b"x"))


def login_page(_: Asked, __: Forward) -> Answer:
    """Show a web page to sign in at, as a success."""
    return Answer(200, LOGIN_PAGE, {"Content-Type": "text/html"})


def leads_to_login(asked: Asked, __: Forward) -> Answer:
    """Lead to a web page to sign in at."""
    if asked.path == LOGIN:
        return Answer(200, LOGIN_PAGE, {"Content-Type": "text/html"})
    return Answer(302, b"", {"Location": LOGIN})


def _half(answer: Answer) -> bytes:
    return answer.body[: len(answer.body) // 2]


def _encoded(answer: Answer, body: bytes) -> Answer:
    return replace(answer, body=body, headers={**answer.headers, "Content-Encoding": "gzip"})


def _changed(answer: Forward, change: Callable[[bytes], bytes]) -> Answer:
    """Change an answer that is XML."""
    true = answer()
    return replace(true, body=change(true.body)) if true.status == 207 else true


def _with_entity(body: bytes, entities: bytes, name: bytes) -> bytes:
    """Declare an entity, and put it into a text: of an item, else of the first name."""
    head, end, rest = body.partition(b"?>")
    place = b"Dinner" if b"Dinner" in rest else b"</href>"
    rest = rest.replace(place, b"&%s;%s" % (name, place), 1)
    return b"%s%s<!DOCTYPE multistatus [%s]>%s" % (head, end, entities, rest)
