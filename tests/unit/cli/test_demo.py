"""What the demo takes from a person's environment, and how it fails; it runs as a whole in
tests/integration/cli.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.cli import demo
from caldav_run.testing.servers import Server

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

SERVER = Server("http://127.0.0.1:1/", "alice", "secret", "/alice/")


def test_nothing_leads_the_demo_to_a_persons_own_keys_or_account() -> None:
    own = {
        "PATH": "/bin",
        "HOME": "/home/alice",
        "CALDAV_URL": "https://calendars.example",
        "CALDAV_RUN_IDENTITY": "/home/alice/identity.txt",
        "PYTHON_CALDAV_COMMDUMP": "1",
        "PYTHONPATH": "runner::/abs",
    }
    kept = demo.environment(own)
    assert not [name for name in kept if "CALDAV" in name]
    assert (kept["PATH"], kept["HOME"]) == ("/bin", "/home/alice")
    assert kept["PYTHONPATH"] == f"{Path('runner').absolute()}:/abs"


def test_the_shipped_pipelines_are_found_in_the_checkout_and_in_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (demo.pipeline_folder() / "quickstart.yaml").is_file()
    module = tmp_path / "caldav_run" / "cli" / "demo.py"
    (tmp_path / "caldav_run" / "pipelines").mkdir(parents=True)
    monkeypatch.setattr(demo, "__file__", str(module))
    assert demo.pipeline_folder() == tmp_path / "caldav_run" / "pipelines"


def test_a_step_that_fails_ends_the_demo_and_shows_what_was_hidden(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = demo.Guide(tmp_path, SERVER)
    with pytest.raises(demo.DemoError, match="caldav-run create ended with 78"):
        guide.run("create", "none.yaml", show=False)
    out = capsys.readouterr().out
    assert out.startswith("  $ caldav-run create none.yaml\n")
    assert "    error[file-missing]" in out


def test_a_step_shows_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo.Guide(tmp_path, SERVER).run("--version")
    assert "    caldav-run " in capsys.readouterr().out


def test_a_missing_server_is_named(call: "Call", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "radicale", None)
    done = call("demo")
    assert (done.status, done.out) == (78, "")
    assert "radicale is not installed" in done.err


def test_an_interrupted_demo_says_that_nothing_is_left(
    call: "Call", monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "show_all", interrupted)
    done = call("demo")
    assert done.status == 130
    assert done.err == "interrupted: the server and all that was made are gone\n"
