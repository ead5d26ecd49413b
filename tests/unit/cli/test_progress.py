import pytest

from caldav_run.cli import console
from caldav_run.cli.progress import counting


@pytest.mark.parametrize("watched", [True, False])
def test_progress_is_for_a_terminal_only_and_never_among_the_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, watched: bool
) -> None:
    monkeypatch.setattr(console, "watched", lambda _: watched)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with counting("reading", 2) as step:
        step()
        step()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("reading" in printed.err) is watched
