"""Bodies out of packs: each pack is unpacked once for all that is wanted of it."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from caldav_run.errors import DamageError, SetupError
from caldav_run.model import Failed, Item
from caldav_run.repository import envelope
from caldav_run.repository.age import Identity
from caldav_run.repository.snapshots import ItemInfo
from caldav_run.repository.store import Store

# Asked calendar by calendar, a pack is wanted several times.
_KEPT_BYTES: Final = 4 << 20


class Bodies:
    """Fetches items' bytes, and compares each with the hash in its signed row."""

    def __init__(self, store: Store, identities: Sequence[Identity]) -> None:
        """Take where packs lie and what opens them."""
        self._store = store
        self._identities = identities
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def read(self, wanted: Iterable[ItemInfo]) -> Iterator[Item | Failed]:
        """Yield the wanted items, pack by pack.

        Yields:
            Each item, or why it cannot be read: its pack is missing or damaged, say.

        Raises:
            ConnectorError: The store cannot be read.
        """
        by_pack: dict[str, list[ItemInfo]] = {}
        for info in wanted:
            if info.object is None:
                yield _failed(info, info.reason or "its bytes were never read")
            else:
                by_pack.setdefault(info.object, []).append(info)
        for name, infos in by_pack.items():
            yield from self._of_pack(name, infos)

    def _of_pack(self, name: str, infos: Sequence[ItemInfo]) -> Iterator[Item | Failed]:
        waiting: dict[str, list[ItemInfo]] = {}
        for info in infos:
            waiting.setdefault(info.member or "", []).append(info)
        reason = f"{name} does not hold it"
        try:
            archive = self._archive(name)
            # An early end saves unpacking what nobody wants.
            for member, body in envelope.unpack(name, archive, lambda each, _: each in waiting):
                yield from (_item(name, info, body) for info in waiting.pop(member))
                if not waiting:
                    return
        except (DamageError, SetupError) as error:
            reason = str(error)
        yield from (_failed(info, reason) for left in waiting.values() for info in left)

    def _archive(self, name: str) -> bytes:
        archive = self._kept.pop(name, None)
        if archive is None:
            archive = envelope.unseal(name, self._store.get(name), self._identities)
        self._kept[name] = archive
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > _KEPT_BYTES:
            self._kept.popitem(last=False)
        return archive


def _item(name: str, info: ItemInfo, body: bytes) -> Item | Failed:
    item = Item(
        info.calendar, info.href, info.etag, body, info.provenance, stale_since=info.stale_since
    )
    if item.sha256 != info.sha256:
        return _failed(info, f"{name} holds other bytes than the signed row says")
    return item


def _failed(info: ItemInfo, reason: str) -> Failed:
    return Failed(info.calendar, info.href, reason)
