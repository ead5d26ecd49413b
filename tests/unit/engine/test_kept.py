"""What a safety snapshot gives back."""

from pathlib import Path

from caldav_run import shelf
from caldav_run.engine.kept import KeptSnapshot
from caldav_run.model import Change, Item, Op, Provenance
from caldav_run.shelf import Place
from caldav_run.testing.vault import Vault


def kept(vault: Vault) -> KeptSnapshot:
    reader = vault.reader()
    return KeptSnapshot(reader, reader.resolve("latest", "cloud"))


def test_a_saved_file_is_found_by_its_managed_id(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    file = Item(shelf.ID, Place("family", "a.ics", "m1").name, '"m1"', b"one", Provenance.GET)
    vault.run(
        Change(op=Op.CALENDAR, calendar=shelf.ID, properties=shelf.CALENDAR),
        Change(op=Op.ADD, calendar=shelf.ID, href=file.href, item=file, etag=file.etag),
    )
    assert kept(vault).file("m1") == b"one"
    assert kept(vault).file("m2") is None


def test_where_no_file_was_saved_none_is_known(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    assert kept(vault).file("m1") is None
