from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.engine.guard import Expectation
from caldav_run.errors import SetupError
from caldav_run.pipeline.build import (
    Pipeline,
    build_filter,
    build_sink,
    build_source,
    load_pipeline,
)
from caldav_run.pipeline.problems import PipelineError
from caldav_run.secret import Secret

TEXT = """version: 1
name: nightly
timezone: Europe/Berlin
vars: {host: https://old.example.org}
sources:
  cloud:
    type: caldav
    url: ${vars.host}/dav
    username: joe
    password: {file: keys/pw}
    ca_file: ~/ca.pem
  files: {type: ics, path: in}
filters:
  - {type: components, keep: [VEVENT]}
sinks:
  plain:
    type: ics
    path: ${env.OUT}
    filters: [{type: period, from: -1y}]
  vault: {type: snapshot, repository: s3://bucket/x, recipients: [{file: ../a.pub}]}
expect: {min_items: 1, max_shrink: 20%}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def pipeline(path: Path) -> Pipeline:
    return load_pipeline(path, sets={"host": "https://new.example.org"}, environ={"OUT": "out"})


@pytest.fixture
def context(tmp_path: Path) -> Context:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    return Context(name="x", pipeline="p", timezone=UTC, now=now, state_dir=tmp_path)


def test_a_pipeline_keeps_names_and_order(pipeline: Pipeline, path: Path) -> None:
    assert (pipeline.name, pipeline.file) == ("nightly", path)
    assert list(pipeline.sources) == ["cloud", "files"]
    assert list(pipeline.sinks) == ["plain", "vault"]
    assert [spec.name for spec in pipeline.filters] == ["filters[0]"]
    assert [spec.name for spec in pipeline.sink_filters["plain"]] == ["sinks.plain.filters[0]"]
    assert pipeline.sink_filters["vault"] == ()
    assert pipeline.timezone == ZoneInfo("Europe/Berlin")
    assert pipeline.expect == Expectation(min_items=1, max_shrink=0.2)
    assert pipeline.sources["cloud"].place == f"{path}:6:3"


def test_the_time_zone_is_utc_unless_said(path: Path) -> None:
    path.write_text(TEXT.replace("timezone: Europe/Berlin\n", "").replace("20%", "0.5"))
    pipeline = load_pipeline(path, sets={}, environ={"OUT": "out"})
    assert pipeline.timezone == ZoneInfo("UTC")
    assert pipeline.expect.max_shrink == 0.5


def test_options_are_interpolated_and_defaults_filled_in(pipeline: Pipeline) -> None:
    options = pipeline.sources["cloud"].options
    assert options["url"] == "https://new.example.org/dav"
    assert options["auth"] == "auto"
    assert options["insecure"] is False
    assert "type" not in options
    assert "filters" not in pipeline.sinks["plain"].options


def test_paths_begin_at_the_pipelines_folder(pipeline: Pipeline, path: Path) -> None:
    assert pipeline.sources["files"].options["path"] == str(path.parent / "in")
    assert pipeline.sinks["plain"].options["path"] == str(path.parent / "out")
    assert pipeline.sources["cloud"].options["ca_file"] == str(Path.home() / "ca.pem")


def test_a_path_in_a_list_begins_there_too(pipeline: Pipeline, path: Path) -> None:
    recipients = pipeline.sinks["vault"].options["recipients"]
    assert recipients == [{"file": str(path.parent.parent / "a.pub")}]


def test_an_address_in_the_place_of_a_path_stays(pipeline: Pipeline) -> None:
    assert pipeline.sinks["vault"].options["repository"] == "s3://bucket/x"


def test_a_relative_pipeline_file_still_gives_absolute_paths(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    pipeline = load_pipeline(Path("p.yaml"), sets={}, environ={"OUT": "out"})
    assert pipeline.sources["files"].options["path"] == str(path.parent / "in")


def test_a_secret_is_looked_up_late(pipeline: Pipeline, path: Path) -> None:
    password = pipeline.sources["cloud"].options["password"]
    assert isinstance(password, Secret)
    with pytest.raises(SetupError, match=r"p\.yaml:10:5: sources\.cloud\.password: the secret"):
        password.reveal()
    (path.parent / "keys").mkdir()
    (path.parent / "keys" / "pw").write_text("hunter2\n")
    assert password.reveal() == "hunter2"
    assert "hunter2" not in repr(pipeline)


def test_a_secret_file_that_others_can_read_is_warned_of(path: Path) -> None:
    (path.parent / "keys").mkdir()
    (path.parent / "keys" / "pw").touch(mode=0o644)
    (warning,) = load_pipeline(path, sets={}, environ={"OUT": "out"}).warnings
    assert warning.code == "exposed-secret"
    assert warning.place == f"{path}:10:5"


def test_a_bad_file_raises_every_problem(path: Path) -> None:
    path.write_text(TEXT.replace("joe", "[]").replace("20%", "a"))
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path, sets={}, environ={"OUT": "out"})
    assert [problem.code for problem in caught.value.problems] == ["wrong-type", "bad-format"]
    assert caught.value.exit_status == 78
    assert str(caught.value) == (
        f"{path}:9:5: sources.cloud.username must be text, not a list (and 1 more)"
    )


def test_one_problem_is_told_with_its_mend(path: Path) -> None:
    path.write_text(f"{TEXT}name: again\n")
    with pytest.raises(PipelineError, match=r"twice, in lines 2 and 22; keep one of them"):
        load_pipeline(path, sets={}, environ={"OUT": "out"})


def test_connectors_are_built_by_their_type(pipeline: Pipeline, context: Context) -> None:
    assert isinstance(build_source(pipeline.sources["files"], context), IcsSource)
    assert isinstance(build_sink(pipeline.sinks["plain"], context), IcsSink)
    assert build_filter(pipeline.filters[0], context).fingerprint


def test_a_connector_that_hangs_on_a_missing_variable_is_not_built(
    path: Path, context: Context
) -> None:
    pipeline = load_pipeline(path, sets={}, environ={}, strict_env=False)
    assert [warning.code for warning in pipeline.warnings] == ["missing-env"]
    build_source(pipeline.sources["files"], context)
    with pytest.raises(SetupError, match=r"sinks\.plain\.path needs an environment variable"):
        build_sink(pipeline.sinks["plain"], context)
