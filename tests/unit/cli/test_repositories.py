"""Which repository is meant."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.repository.keys import create_keys
from caldav_run.testing.vault import Vault

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

RESTORE = """\
version: 1
name: restore
sources:
  vault:
    type: snapshot
    repository: repository
    account: cloud
    as_of: "${env.NO_SUCH_VARIABLE}"
    identity: {file: keys/identity.txt}
    trust: ["SHA256:0000000000000000000000000000000000000000000"]
  other: {type: snapshot, repository: second}
sinks: {copy: {type: ics, path: copy}}
"""
NONE = """\
version: 1
name: none
sources: {a: {type: ics, path: calendars}}
sinks: {b: {type: ics, path: copy}}
"""
UNSET = """\
version: 1
name: unset
sources: {a: {type: ics, path: calendars}}
sinks: {vault: {type: snapshot, repository: "${env.NO_SUCH_VARIABLE}"}}
"""

pytestmark = pytest.mark.usefixtures("vault")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nightly.yaml"],
        ["nightly.yaml", "--sink", "vault"],
        ["--repository", "repository"],
        ["--repository", "~/../repository"],
        ["nightly.yaml", "--account", "cloud"],
        ["other.yaml", "--source", "vault"],
    ],
)
def test_a_repository_is_found_by_pipeline_or_by_path(
    call: "Call", here: Path, arguments: list[str]
) -> None:
    (here / "home").mkdir()
    (here / "other.yaml").write_text(RESTORE)
    done = call("show", *arguments)
    assert done.status == 0, done
    assert "Familie" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no repository is named"),
        (["repository"], "is it meant as --repository repository?"),
        (["nightly.yaml", "--sink", "x"], "has no repository --sink x"),
        (["nightly.yaml", "--source", "cloud"], "choose: --sink vault"),
        (["other.yaml"], "choose: --source vault, --source other"),
        (["none.yaml"], "has no sink or source of type snapshot"),
        (["--repository", "repository", "latest", "more"], '"more" is one too many'),
        (["nightly.yaml", "--account", "x"], "known accounts: cloud"),
    ],
)
def test_it_has_to_be_clear_which_one_is_meant(
    call: "Call", here: Path, arguments: list[str], message: str
) -> None:
    (here / "other.yaml").write_text(RESTORE)
    (here / "none.yaml").write_text(NONE)
    done = call("show", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_the_variables_of_the_pipeline_can_be_set(call: "Call", here: Path) -> None:
    (here / "repository").rename(here / "moved")
    assert call("snapshots", "nightly.yaml").status == 78
    assert call("snapshots", "nightly.yaml", "--set", "place=moved").status == 0


def test_a_path_that_hangs_on_a_missing_variable_is_named(call: "Call", here: Path) -> None:
    (here / "unset.yaml").write_text(UNSET)
    done = call("snapshots", "unset.yaml")
    assert done.status == 78
    assert "sinks.vault.repository needs an environment variable that is not set" in done.err


def test_what_else_is_not_set_does_not_matter(call: "Call", here: Path) -> None:
    (here / "other.yaml").write_text(RESTORE)
    assert call("snapshots", "other.yaml", "--source", "vault").status == 0


def test_a_broken_pipeline_shows_its_problems(call: "Call", here: Path) -> None:
    (here / "broken.yaml").write_text("version: 2\n")
    done = call("snapshots", "broken.yaml")
    assert done.status == 78
    assert "broken.yaml:1" in done.err


def test_the_command_lines_identity_comes_before_the_pipelines(call: "Call", here: Path) -> None:
    (here / "other.yaml").write_text(RESTORE)
    create_keys(here / "wrong")
    wrong = str(here / "wrong" / "identity.txt")
    assert call("show", "other.yaml", "--source", "vault").status == 0
    assert call("show", "other.yaml", "--source", "vault", "-i", wrong).status == 78


def test_an_empty_repository_says_how_to_fill_it(call: "Call", here: Path, vault: Vault) -> None:
    empty = Vault(here / "empty")
    done = call("show", "--repository", str(empty.root), "-i", str(empty.keys / "identity.txt"))
    assert done.status == 2
    assert "holds no snapshot yet" in done.err
    del vault


def test_an_account_that_two_sources_feed_has_to_be_named(
    call: "Call", here: Path, vault: Vault
) -> None:
    text = (here / "nightly.yaml").read_text()
    more = "sources:\n  phone: {type: ics, path: phone}\n"
    (here / "nightly.yaml").write_text(text.replace("sources:\n", more))
    vault.run(account="phone")
    done = call("show", "nightly.yaml")
    assert done.status == 2
    assert "name one with --account" in done.err
    assert call("show", "nightly.yaml", "--account", "cloud").status == 0
