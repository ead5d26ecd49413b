"""A backup host has the recipients and its writer key, and can not read one event."""

import subprocess
import sys
from pathlib import Path

from caldav_run.repository import keys
from caldav_run.testing.vault import Vault, body_of

BACK_UP = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from caldav_run.repository import age, keys, names
from caldav_run.repository.archive import RepositoryWriter, Settings
from caldav_run.repository.local import LocalStore
from caldav_run.testing.vault import added, calendar_row

folder, root = Path(sys.argv[1]), Path(sys.argv[2])
writer = keys.load_writer(folder / keys.WRITER)
recipients = keys.load_recipients(folder / keys.RECIPIENTS)
store = LocalStore(root)
archive = RepositoryWriter(
    store, writer, recipients, Settings(pipeline="p", state_dir=folder / "state")
)
# Its clock is far ahead of the vault's: a new generation begins.
opened = archive.open_account("cloud", "home")
for change in (calendar_row("family"), added("a", 2), added("z")):
    opened.append(change)
opened.commit("f", guarded=False)
archive.close({"cloud": "ok"})

# Whatever key is at hand: the only one that opens anything is the metadata key.
packs = [each.name for each in store.list(names.ACCOUNTS) if names.parse_pack(each.name)]
segments = [each.name for each in store.list(names.ACCOUNTS) if names.parse_segment(each.name)]
opened_packs = opened_segments = 0
for name in packs + segments:
    try:
        age.unseal(store.get(name), [writer.metadata])
    except age.NoMatchingKeyError:
        continue
    opened_packs += name in packs
    opened_segments += name in segments
bodies = sum(b"BEGIN:VEVENT" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
print(len(packs), opened_packs, len(segments), opened_segments, bodies)
"""


def test_a_host_with_recipients_and_writer_key_backs_up_and_reads_no_event(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.fill()
    host = tmp_path / "host"
    host.mkdir()
    for name in (keys.WRITER, keys.RECIPIENTS):
        (vault.keys / name).rename(host / name)
    (vault.keys / keys.IDENTITY).rename(tmp_path / keys.IDENTITY)
    done = subprocess.run(
        [sys.executable, "-c", BACK_UP, host, vault.root],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["2", "0", "2", "2", "0"]
    (tmp_path / keys.IDENTITY).rename(vault.keys / keys.IDENTITY)
    assert vault.held() == {
        ("family", "a.ics"): body_of("a", 2),
        ("family", "z.ics"): body_of("z"),
    }
