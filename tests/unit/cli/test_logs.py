import logging
import warnings

import pytest

from caldav_run import secret
from caldav_run.cli import logs

Printed = pytest.CaptureFixture[str]

OWN = logging.getLogger("caldav_run.repository.archive")
LIBRARY = logging.getLogger("urllib3_future.connection")


def test_our_warnings_are_told_and_a_librarys_are_not(capsys: Printed) -> None:
    logs.start(verbose=False)
    OWN.warning("account %s: a new full backup begins", "cloud")
    OWN.info("and more")
    LIBRARY.warning("connection pool is full")
    assert tuple(capsys.readouterr()) == ("", "warning: account cloud: a new full backup begins\n")


def test_verbose_tells_what_libraries_warn_of_and_what_we_do(capsys: Printed) -> None:
    logs.start(verbose=True)
    OWN.info("reading %d calendars", 3)
    LIBRARY.warning("connection pool is full")
    LIBRARY.info("resetting connection")
    LIBRARY.error("it broke")
    assert capsys.readouterr().err.splitlines() == [
        "reading 3 calendars",
        "warning: urllib3_future.connection: connection pool is full",
        "error: urllib3_future.connection: it broke",
    ]


def test_pythons_warnings_take_the_same_way(capsys: Printed) -> None:
    for verbose, expected in [(False, False), (True, True)]:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logs.start(verbose=verbose)
            warnings.warn("old ways", DeprecationWarning, stacklevel=1)
            logging.captureWarnings(capture=False)
        assert ("py.warnings: " in capsys.readouterr().err) == expected


def test_no_secret_gets_into_the_log(capsys: Printed) -> None:
    secret.hide(["pass-word-7"])
    logs.start(verbose=True)
    error = ValueError("pass-word-7 in an error")
    LIBRARY.error("Authorization: %s", "pass-word-7", exc_info=error)
    told = capsys.readouterr().err
    assert "Authorization: ***" in told
    assert "ValueError: *** in an error" in told
    assert "pass-word-7" not in told


def test_the_redaction_needs_no_handler_of_ours() -> None:
    secret.hide(["pass-word-7"])
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "say %s", ("pass-word-7",), None)
    assert logs.Redaction().filter(record)
    assert record.getMessage() == "say ***"


def test_starting_twice_tells_once(capsys: Printed) -> None:
    logs.start(verbose=False)
    logs.start(verbose=True)
    OWN.warning("once")
    assert capsys.readouterr().err == "warning: once\n"
