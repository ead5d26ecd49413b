"""A repository in an object storage does all that one in a folder does."""

import json
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.testing.object_servers import ObjectServer
from caldav_run.testing.scripted import Answer, scripted_server

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Desk

EXAMPLES = Path(__file__).parents[3] / "pipelines"


@pytest.fixture
def cloud(desk: "Desk", s3: ObjectServer, s3_place: str) -> "Desk":
    """A desk whose repository shall lie in an object storage."""
    desk.environment |= {**s3.environ, "CALDAV_RUN_VAULT": s3_place}
    return desk


def exported(desk: "Desk", to: str, *more: str) -> dict[str, bytes]:
    """Take a snapshot out, and return the bytes of its files."""
    done = desk.run("export", "--repository", place(desk), "--to", to, *more)
    assert done.status == 0, done
    return {each.name: each.read_bytes() for each in (desk.folder / to).rglob("*.ics")}


def place(desk: "Desk") -> str:
    return desk.environment["CALDAV_RUN_VAULT"]


def test_the_whole_way_from_a_backup_to_a_restore(cloud: "Desk") -> None:
    cloud.create()
    cloud.put("family/dentist.ics", "Dentist")
    cloud.back_up()
    before = exported(cloud, "before")
    assert len(before) == 13
    cloud.delete("family/dentist.ics")
    cloud.put("family/lunch.ics", "Lunch")
    assert "13 items read, 2 changes written" in cloud.back_up().out
    # A machine without its cache goes on where the last one stood.
    shutil.rmtree(cloud.folder / "state")
    assert "13 items read, nothing written" in cloud.back_up().out
    assert len(cloud.snapshots()) == 2
    changes = cloud.run("diff", "--repository", place(cloud)).out
    assert "Dentist" in changes
    assert "Lunch" in changes
    body = cloud.run("cat", "quickstart.yaml", "family/lunch.ics").out
    assert "SUMMARY:Lunch" in body
    done = cloud.run("run", "restore.yaml", "--set", "as_of=latest~1")
    assert (done.status, done.out) == (0, "restore: done: 13 items read, 1 change written\n")
    cloud.back_up()
    after = exported(cloud, "after")
    assert after.pop("lunch.ics")
    assert after == before


def test_a_pipeline_says_how_its_storage_is_reached(
    desk: "Desk", rclone: ObjectServer, tmp_path: Path
) -> None:
    text = (EXAMPLES / "s3-backup.yaml").read_text()
    shown = {"endpoint": rclone.url, "access_key_id": rclone.access_key}
    for key in ("endpoint", "access_key_id", "secret_access_key"):
        text = text.replace(f"      # {key}: ", f"      {key}: ")
    text = text.replace("https://s3.example.org\n      access", f"{rclone.url}\n      access")
    text = text.replace("AKIA…\n", f"{rclone.access_key}\n")
    assert all(f"{key}: {value}\n" in text for key, value in shown.items())
    (desk.folder / "s3-backup.yaml").write_text(text)
    secret = desk.folder / "s3.secret"
    secret.touch(0o600)
    secret.write_text(rclone.secret_key)
    desk.environment["CALDAV_RUN_BUCKET"] = rclone.location(tmp_path.name)
    exports = [["export", "--to", "out"], ["export", "--to", "out.zip"]]
    for verb in (["create", "--yes"], ["run"], ["snapshots"], *exports):
        done = desk.run(verb[0], "s3-backup.yaml", *verb[1:])
        assert done.status == 0, done
        assert rclone.secret_key not in done.text
    secret.unlink()
    done = desk.run("run", "s3-backup.yaml")
    assert done.status == 78
    assert "s3.secret does not exist" in done.err


def counts(server: ObjectServer, seen: int) -> dict[str, int]:
    """Return how many requests of each kind came since some number of requests."""
    kinds: dict[str, int] = {}
    for request in server.requests()[seen:]:
        method, target = request.split(" ", 1)
        kind = "LIST" if "list-type=2" in target else method
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def test_a_run_asks_no_more_than_it_has_to(
    desk: "Desk", moto: ObjectServer, tmp_path: Path
) -> None:
    desk.environment |= {**moto.environ, "CALDAV_RUN_VAULT": moto.location(tmp_path.name)}

    def asked(*command: str) -> dict[str, int]:
        seen = len(moto.requests())
        done = desk.run(*command)
        assert done.status == 0, done
        return counts(moto, seen)

    assert asked("create", "quickstart.yaml", "--yes") == {"LIST": 1, "PUT": 2, "GET": 1}
    # The marker is read at every run: a newer program may have changed the version.
    assert asked("quickstart.yaml") == {"LIST": 1, "GET": 1, "PUT": 3}
    assert asked("quickstart.yaml") == {"LIST": 1, "GET": 1, "PUT": 1}
    desk.put("work/later.ics", "Later")
    assert asked("quickstart.yaml") == {"LIST": 1, "GET": 1, "PUT": 3}
    assert asked("plan", "quickstart.yaml") == {"LIST": 1, "GET": 1}


def test_a_bucket_that_is_missing(desk: "Desk", moto: ObjectServer) -> None:
    desk.environment |= {**moto.environ, "CALDAV_RUN_VAULT": "s3://no-such-bucket/x"}
    for verb in (["create", "--yes"], ["run"], ["snapshots"]):
        done = desk.run(verb[0], "quickstart.yaml", *verb[1:])
        assert done.status == 78, (verb, done)
        assert "s3://no-such-bucket/x: there is no such bucket" in done.err
        assert "make it, or check its name" in done.err


def test_a_storage_that_refuses(cloud: "Desk", rclone: ObjectServer) -> None:
    cloud.create()
    wrong = "wrong-secret-wrong-secret"
    cloud.environment |= {**rclone.environ, "AWS_SECRET_ACCESS_KEY": wrong}
    done = cloud.run("quickstart.yaml")
    assert done.status == 77
    assert "check the access key and its secret" in done.err
    assert wrong not in done.text
    assert rclone.secret_key not in done.text


def test_a_storage_that_is_not_there(desk: "Desk", s3: ObjectServer) -> None:
    desk.create()
    unreachable = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "CALDAV_RUN_VAULT": "s3://b/x"}
    desk.environment |= {**s3.environ, **unreachable}
    done = desk.run("quickstart.yaml")
    assert done.status == 75
    assert "cannot reach 127.0.0.1:9: the connection is refused" in done.err
    assert s3.secret_key not in done.text


def test_a_storage_that_nobody_has_keys_for(desk: "Desk", s3: ObjectServer) -> None:
    desk.create()
    for name in [each for each in desk.environment if each.startswith("AWS_")]:
        del desk.environment[name]
    desk.environment |= {
        # What would be asked for a role is refused here at once.
        "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL": s3.url,
        "CALDAV_RUN_VAULT": s3.location("x"),
    }
    done = desk.run("quickstart.yaml")
    assert done.status == 77
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in done.err


def test_ctrl_c_while_a_storage_is_silent(desk: "Desk") -> None:
    desk.create()
    desk.measure_nothing()
    with scripted_server(lambda _: Answer(200, delay_s=20)) as silent:
        desk.environment |= {
            "AWS_ENDPOINT_URL": silent.url,
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "some-secret-or-other",
            "CALDAV_RUN_VAULT": "s3://backups/x",
        }
        running = desk.start("quickstart.yaml")
        while not silent.asked and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert desk.ended(running).status == 130


def test_an_address_of_no_known_kind(desk: "Desk") -> None:
    done = desk.run("snapshots", "--repository", "ftp://example.org/x")
    assert done.status == 78
    assert "a repository cannot be at ftp://" in done.err
    done = desk.run("snapshots", "--repository", "s3://alice:hunter2@b/x", "--output", "json")
    assert done.status == 78
    assert "hunter2" not in done.text
    assert json.loads(done.out or "null") is None
