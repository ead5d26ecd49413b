"""What must never be printed, and what must stay readable."""

import pytest

from caldav_run import secret
from caldav_run.secret import Secret, redact


@pytest.mark.parametrize(
    ("hidden", "text", "shown"),
    [
        ("a", "latest: a change at a.example", "latest: *** change at ***.example"),
        (
            "test",
            "the latest test of https://me:test@host",
            "the latest *** of https://me:***@host",
        ),
        ("seven-7", "'seven-7' but not seven-77", "'***' but not seven-77"),
        ("!", "Stop! ! ok", "Stop! *** ok"),
        ("über", "über überall", "*** überall"),
        ("eight-88", "xeight-88x", "x***x"),
        ("a.c", "abc a.c", "abc ***"),
    ],
)
def test_a_short_secret_is_masked_as_a_whole_word_and_a_long_one_anywhere(
    hidden: str, text: str, shown: str
) -> None:
    Secret.of(hidden).reveal()
    assert redact(text) == shown


def test_a_secret_within_a_longer_one_leaves_nothing_of_it() -> None:
    secret.hide(["pass", "pass word long"])
    assert redact("pass word long, pass") == "***, ***"


def test_the_empty_secret_masks_nothing() -> None:
    secret.hide([""])
    assert redact("all is well") == "all is well"
