"""Every version of every item that an account ever held, each once."""

from collections.abc import Iterator

from caldav_run.errors import DamageError, ItemError, SetupError
from caldav_run.model import Item
from caldav_run.repository.chapter import Chapter
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import ItemInfo


def versions(reader: Reader, account: str) -> Iterator[Item]:
    """Yield each version with its bytes, once, however many snapshots and generations hold it.

    An item says nothing here of its etag and of how it was read. What is in one pack comes
    together, and one pack is in memory at a time. A version whose pack is damaged is taken from
    another generation where that has it. What is nowhere whole is told in the reader's problems,
    pack by pack.
    """
    read: set[str] = set()
    lost: dict[str, tuple[str, set[str]]] = {}
    for chapter in reader.chapters(account):
        try:
            packs = _unread(chapter, read)
        except (DamageError, SetupError) as error:
            reader.report(error)
            continue
        for pack, infos in packs.items():
            missing = {sha256: each for sha256, each in infos.items() if sha256 not in read}
            for found in reader.bodies(missing.values()):
                if isinstance(found, Item):
                    read.add(found.sha256)
                    del missing[found.sha256]
                    yield found
                else:
                    lost[pack] = (found.reason, set(missing))
    for reason, hashes in lost.values():
        if count := len(hashes - read):
            items = "1 version" if count == 1 else f"{count} versions"
            reader.report(ItemError(f"{items} cannot be read: {reason}"))


def _unread(chapter: Chapter, read: set[str]) -> dict[str, dict[str, ItemInfo]]:
    """Return the versions of a generation that were not read yet, by pack and by hash."""
    packs: dict[str, dict[str, ItemInfo]] = {}
    for row in chapter.rows():
        if row.object is None or row.sha256 is None or row.sha256 in read:
            continue
        pack = packs.setdefault(row.object, {})
        if row.sha256 not in pack:
            pack[row.sha256] = ItemInfo(
                calendar=row.calendar,
                href=row.href or "",
                sha256=row.sha256,
                object=chapter.generation.listed.name.pack(row.object),
                member=row.member,
            )
    return packs
