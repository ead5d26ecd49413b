"""What is erased is gone from all history, and nothing else is."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from caldav_run.errors import CaldavRunError, DamageError, SetupError, TemporaryError, UsageError
from caldav_run.model import Change, Failed, Item, Op
from caldav_run.repository import keys, names
from caldav_run.repository.check.deep import check_deep
from caldav_run.repository.check.findings import Severity
from caldav_run.repository.check.inventory import inventory
from caldav_run.repository.erase import Eraser
from caldav_run.repository.generation import Generation
from caldav_run.repository.header import Counts, LogEntry
from caldav_run.repository.local import LocalStore
from caldav_run.repository.rewrite import Rewrite
from caldav_run.repository.rewrite_plan import Request
from caldav_run.repository.rewriting import Rewriting, Written
from caldav_run.repository.rows import Row
from caldav_run.repository.store import Store
from caldav_run.testing.crashing import CrashError, CrashingStore
from caldav_run.testing.vault import Vault, about, added, body_of, calendar_row

Held = dict[tuple[str, str], bytes]
A = ("family", "a.ics")


def stop(problem: CaldavRunError) -> None:
    raise problem


def rewriter(vault: Vault, store: Store | None = None) -> Rewrite:
    return Rewrite(
        store=store or vault.local,
        keyring=keys.load_keyring([vault.keys / keys.IDENTITY]),
        writer=vault.writer,
        recipients=tuple(vault.recipients),
        clock=vault.clock,
    )


def erased(
    vault: Vault,
    *uids: str,
    store: Store | None = None,
    account: str | None = None,
    on_damage: Callable[[CaldavRunError], None] = stop,
) -> list[Written]:
    """Erase items, mark the old generations, and record it."""
    made = rewriter(vault, store)
    request = Request(uids=frozenset(uids), account=account, on_damage=on_damage)
    written = list(made.carry_out(made.plan(request), request))
    made.record(written)
    return written


def everything(vault: Vault) -> list[Held]:
    """Return what each snapshot gives back, oldest first; all of it has to be readable."""
    reader = vault.reader()
    every: list[Held] = []
    for each in reader.snapshots():
        found = list(reader.bodies(reader.items(each)))
        assert not [each for each in found if isinstance(each, Failed)], found
        every.append({(e.calendar, e.href): e.body for e in found if isinstance(e, Item)})
    return every


def without(every: list[Held], *places: tuple[str, str]) -> list[Held]:
    return [{key: body for key, body in held.items() if key not in places} for held in every]


def damage(vault: Vault) -> list[str]:
    keyring = keys.load_keyring([vault.keys / keys.IDENTITY])
    found = check_deep(vault.local, keyring, inventory(vault.local.list()))
    return [f"{each.name}: {each.what}" for each in found if each.severity is Severity.DAMAGE]


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Two generations with cumulative segments: `a` and others come, change, and go."""
    for module in ("segment", "account"):
        monkeypatch.setattr(f"caldav_run.repository.{module}.CUMULATIVE_EVERY", 3)
    made = Vault(tmp_path)
    made.fill()
    made.run(added("a", 2), added("c"))
    made.run(added("b", 2), about(Op.GONE, "a"))
    made.run(added("a", 3), added("d"))
    made.run(about(Op.UNREAD, "a", reason="500"), about(Op.EXCLUDED, "d", etag='"1"'))
    made.clock.forward(days=100)
    made.run(calendar_row("family"), added("b", 3), about(Op.UNREAD, "a", reason="500"))
    made.run(added("a", 4))
    made.run(about(Op.EXCLUDED, "a", etag='"5"'))
    made.run(added("a", 6, etag='"6"'), fingerprint="g")
    made.run(fingerprint="h")
    return made


def test_every_version_of_an_item_is_erased_and_the_rest_is_bit_exact(vault: Vault) -> None:
    before, infos = everything(vault), vault.reader().snapshots()
    written = erased(vault, "a")
    assert len(written) == 2
    assert everything(vault) == without(before, A)
    after = vault.reader().snapshots()
    assert [(e.time, e.number, e.guarded) for e in after] == [
        (e.time, e.number, e.guarded) for e in infos
    ]
    assert [e.counts and e.counts.items for e in after] == [len(e) for e in without(before, A)]
    assert vault.reader().problems == []
    assert damage(vault) == []


def test_nothing_of_it_is_left_in_what_stays(vault: Vault) -> None:
    written = erased(vault, "a")
    rewriter(vault).delete(written)
    assert damage(vault) == []
    reader = vault.reader()
    rows = [
        row
        for generation in reader._generations
        for identity in generation.snapshots
        for row in generation.rows(identity)
    ]
    assert rows
    assert not [row for row in rows if row.href == "a.ics"]
    assert len(vault.generations()) == 2
    assert everything(vault) == without(everything(vault), A)


def test_what_an_earlier_rewriting_replaced_goes_while_its_place_is_taken(vault: Vault) -> None:
    erased(vault, "a")
    expected = everything(vault)
    plan = rewriter(vault).plan(Request(uids=frozenset({"a"}), on_damage=stop))
    assert (len(plan.tasks), len(plan.replaced)) == (0, 2)
    assert len(rewriter(vault).delete([], plan.replaced)) == 2
    assert len(vault.generations()) == 2
    assert everything(vault) == expected


def test_nothing_replaced_goes_where_what_stands_for_it_is_damaged(vault: Vault) -> None:
    (first, _) = erased(vault, "a")
    plan = rewriter(vault).plan(Request(uids=frozenset({"a"}), on_damage=stop))
    new = next(each for each in vault.generations() if each.name == first.name)
    harmed(vault, next(name for name in new.sizes if "/pack-" in name))
    with pytest.raises(DamageError, match="what was rewritten is not whole"):
        rewriter(vault).delete([], plan.replaced)
    assert len(vault.generations()) == 4


def test_the_old_is_hidden_at_once_and_still_there(vault: Vault) -> None:
    count = len(vault.reader().snapshots())
    erased(vault, "a")
    assert len(vault.generations()) == 4
    assert len(vault.reader().snapshots()) == count


def test_a_run_goes_on_incrementally_in_the_new_generation(vault: Vault) -> None:
    written = erased(vault, "a")
    outcome = vault.run(added("later"), fingerprint="h")
    assert outcome.objects == 2
    assert vault.reader().resolve("latest").generation == written[0].name.name
    vault.forget()
    vault.run(added("later still"), fingerprint="h")
    assert len(vault.generations()) == 4
    assert {key[1] for key in vault.held()} == {"b.ics", "later.ics", "later still.ics"}
    assert damage(vault) == []


def test_runs_before_and_after_know_that_nothing_was_cut_off(vault: Vault) -> None:
    for uid in ("a", "b"):
        rewriter(vault).delete(erased(vault, uid))
        assert vault.reader().problems == []
    vault.run(fingerprint="h")
    rewriter(vault).delete(erased(vault, "c"))
    assert vault.reader().problems == []


def test_a_rewriting_twice_names_the_first_original(vault: Vault) -> None:
    originals = {each.sha256 for each in vault.segments()}
    for uid in ("a", "b"):
        rewriter(vault).delete(erased(vault, uid))
    found = [e for g in vault.reader()._generations for e in g.snapshots.values()]
    assert {each.replaces for each in found} == originals


def test_only_generations_that_hold_it_are_rewritten(vault: Vault) -> None:
    assert len(erased(vault, "c")) == 1
    with pytest.raises(UsageError, match="has the UID nobody"):
        erased(vault, "nobody")


def test_one_account_is_rewritten_and_no_other(vault: Vault) -> None:
    vault.run(calendar_row("work"), added("a", calendar="work"), account="office")
    assert len(erased(vault, "a", account="office")) == 1
    assert A in vault.held("latest~0")
    assert vault.held("latest", "office") == {}
    with pytest.raises(UsageError, match="there is no account 'none'"):
        erased(vault, "a", account="none")


def test_an_item_that_shares_the_place_of_an_erased_one_stays(vault: Vault) -> None:
    def moved(uid: str, version: int) -> Change:
        made = added(uid, version)
        item = made.item
        assert item is not None
        return Change(
            op=Op.ADD,
            calendar="family",
            href="shared.ics",
            item=type(item)("family", "shared.ics", made.etag, item.body, item.provenance),
            etag=made.etag,
            uid=uid,
        )

    for uid, version in (("mine", 1), ("secret", 2), ("mine", 3)):
        vault.run(moved(uid, version), fingerprint="h")
    vault.run(about(Op.GONE, "shared"), fingerprint="h")
    erased(vault, "secret")
    shared = [each.get(("family", "shared.ics")) for each in everything(vault)[-4:]]
    assert shared == [body_of("mine", 1), None, body_of("mine", 3), None]
    assert damage(vault) == []


def test_a_calendar_that_goes_takes_what_was_erased_along(vault: Vault) -> None:
    vault.run(about(Op.EXCLUDED, None), fingerprint="h")
    vault.run(calendar_row("family"), added("b"), added("a"), fingerprint="h")
    vault.run(about(Op.CALENDAR_GONE, None), fingerprint="h")
    before = everything(vault)
    erased(vault, "a")
    assert everything(vault) == without(before, A)
    assert damage(vault) == []


def test_history_is_sealed_to_other_readers(vault: Vault) -> None:
    before = everything(vault)
    made = keys.create_keys(vault.folder / "new")
    vault.recipients = (made.recipient,)
    with pytest.raises(SetupError, match="opens what is written"):
        erased(vault)
    path = vault.keys / keys.IDENTITY
    old = path.read_text()
    new = (made.folder / keys.IDENTITY).read_text().splitlines()[-1]
    path.write_text(f"{old}{new}\n")
    written = erased(vault)
    assert len(written) == 2
    rewriter(vault).delete(written)
    assert erased(vault) == []
    path.write_text(old.rpartition("AGE-SECRET-KEY")[0] + new + "\n")
    assert everything(vault) == before
    vault.run(added("later"), fingerprint="h")
    assert len(vault.generations()) == 2
    path.write_text(old)
    with pytest.raises(SetupError, match="none of the given identities"):
        vault.reader().snapshots()


def test_whoever_does_not_trust_the_writer_cannot_rewrite(vault: Vault) -> None:
    path = vault.keys / keys.IDENTITY
    path.write_text(path.read_text().replace("trusted-signer", "signer"))
    with pytest.raises(SetupError, match="does not trust the pipeline's writer"):
        erased(vault, "a")


def harmed(vault: Vault, name: str) -> None:
    path = vault.root / name
    path.write_bytes(bytes(path.stat().st_size))


def pack_of(vault: Vault, ref: str, href: str) -> str:
    reader = vault.reader()
    infos = reader.items(reader.resolve(ref))
    return next(str(each.object) for each in infos if each.href == href)


def test_a_damaged_pack_stops_it_and_nothing_is_lost(vault: Vault) -> None:
    before = everything(vault)
    pack = pack_of(vault, "latest", "b.ics")
    kept = vault.local.get(pack)
    harmed(vault, pack)
    with pytest.raises(DamageError, match=pack):
        erased(vault, "a")
    (vault.root / pack).write_bytes(kept)
    assert everything(vault) == before
    # What was left unfinished goes once it is done.
    erased(vault, "a")
    assert len(vault.generations()) == 4
    assert everything(vault) == without(before, A)


def test_what_is_damaged_is_left_out_and_listed_when_asked(vault: Vault) -> None:
    before = everything(vault)
    pack = pack_of(vault, "latest", "b.ics")
    harmed(vault, pack)
    told: list[CaldavRunError] = []
    erased(vault, "a", on_damage=told.append)
    assert [pack in str(each) for each in told] == [True]
    assert everything(vault) == without(before[:5], A) + without(before[5:], A, ("family", "b.ics"))
    assert damage(vault) == [d for d in damage(vault) if pack in d]


def test_an_older_version_is_not_taken_for_a_lost_one(vault: Vault) -> None:
    before = everything(vault)
    harmed(vault, pack_of(vault, vault.segments()[2].sha256, "b.ics"))
    erased(vault, "c", on_damage=lambda _: None)
    b, c = ("family", "b.ics"), ("family", "c.ics")
    after = everything(vault)
    assert after[:2] == without(before[:2], c)
    assert after[2:5] == without(before[2:5], b, c)
    assert damage(vault) == [each for each in damage(vault) if "pack-" in each]


def test_a_lost_segment_stops_it_or_costs_what_needs_it(vault: Vault) -> None:
    before = everything(vault)
    lost = vault.segments()[4]
    harmed(vault, lost.name)
    with pytest.raises(DamageError, match=lost.sha256):
        erased(vault, "a")
    told: list[CaldavRunError] = []
    erased(vault, "a", on_damage=told.append)
    assert [lost.sha256 in str(each) for each in told] == [True]
    assert everything(vault) == without(before[:4] + before[5:], A)


def test_a_lost_segment_that_a_cumulative_one_repeats_costs_nothing(vault: Vault) -> None:
    before = everything(vault)
    lost = vault.segments()[1]
    harmed(vault, lost.name)
    with pytest.raises(DamageError, match=lost.sha256):
        erased(vault, "a")
    told: list[CaldavRunError] = []
    erased(vault, "a", on_damage=told.append)
    assert everything(vault) == without(before, A)
    assert len(told) == 1


def test_a_missing_base_costs_its_generation(vault: Vault) -> None:
    before = everything(vault)
    (vault.root / vault.segments()[0].name).unlink()
    told: list[CaldavRunError] = []
    assert len(erased(vault, "a", on_damage=told.append)) == 1
    assert len(told) == 1
    whole = [each for each in vault.reader().snapshots() if not each.incomplete]
    assert [vault.held(each.id) for each in whole] == without(before[5:], A)


def test_both_sides_of_a_fork_are_rewritten(vault: Vault) -> None:
    vault.run(calendar_row("family"), added("b"), added("a"), account="forked")
    state = {each: each.read_bytes() for each in vault.state.rglob("*.sqlite")}
    vault.run(added("left"), account="forked")
    left = vault.segments()[-1]
    kept = vault.local.get(left.name)
    pack = [each for each in vault.packs() if left.generation.folder in each]
    vault.local.delete(left.name)
    for path, content in state.items():
        path.write_bytes(content)
    vault.run(added("right"), account="forked")
    vault.local.put(left.name, kept)
    assert pack
    before = everything(vault)
    erased(vault, "a", account="forked")
    assert len(before) == len(everything(vault))
    assert without(everything(vault), A) == without(before, A)
    assert A not in vault.held("latest", "forked")


class Meanwhile:
    """A store in which something happens just before a tombstone is put."""

    def __init__(self, store: Store, happen: Callable[[], None], *, at: str) -> None:
        self._store = store
        self._happen = happen
        self._at = at
        self.location = store.location
        self.get, self.delete = store.get, store.delete
        self.list = store.list

    def put(self, name: str, data: bytes) -> None:
        if self._at in name:
            self._at = "\0"
            self._happen()
        self._store.put(name, data)


def append(vault: Vault) -> None:
    vault.run(added("meanwhile"), fingerprint="h")


def test_a_run_meanwhile_stops_it_and_nothing_is_lost(vault: Vault) -> None:
    last = vault.generations()[-1].name
    before = everything(vault)
    happening = Meanwhile(vault.local, lambda: append(vault), at=f"{last.name[:16]}")
    with pytest.raises(TemporaryError, match="added a snapshot"):
        erased(vault, "a", store=happening)
    after = everything(vault)
    assert after[:-1] == before
    erased(vault, "a")
    assert everything(vault) == without(after, A)
    assert len(vault.generations()) == 4


def test_a_run_that_ends_during_the_deletion_loses_nothing(vault: Vault) -> None:
    class Ending(LocalStore):
        def delete(self, name: str) -> None:
            if under_way:
                under_way.pop().commit("h", guarded=False)
            super().delete(name)

    with vault.opened() as account:
        account.append(added("meanwhile"))
        under_way = [account]
        written = erased(vault, "a")
        with pytest.raises(TemporaryError, match="added a snapshot"):
            rewriter(vault, Ending(vault.root)).delete(written)
    assert ("family", "meanwhile.ics") in vault.held()


def test_a_snapshot_that_comes_after_the_last_look_is_shown_and_rewritten_later(
    vault: Vault,
) -> None:
    last = vault.generations()[-1].name
    happening = Meanwhile(vault.local, lambda: append(vault), at=f"{last.folder}zz-expire")
    made = rewriter(vault, happening)
    request = Request(uids=frozenset({"a"}), on_damage=stop)
    written = list(made.carry_out(made.plan(request), request))
    meanwhile = vault.reader().resolve("latest")
    assert meanwhile.generation == last.name
    assert ("family", "meanwhile.ics") in vault.held()
    with pytest.raises(TemporaryError, match="added a snapshot"):
        made.delete(written)
    assert A in vault.held()
    before = everything(vault)
    rewriter(vault).delete(erased(vault, "a"))
    assert everything(vault) == without(before, A)
    assert damage(vault) == []


def test_what_is_read_back_otherwise_stops_it(vault: Vault) -> None:
    before = everything(vault)
    known = {each.name.name for each in vault.generations()}

    def harm() -> None:
        new = next(each for each in vault.generations() if each.name.name not in known)
        harmed(vault, next(name for name in new.sizes if "/pack-" in name))

    happening = Meanwhile(vault.local, harm, at="seg-00000003")
    with pytest.raises(DamageError, match="what was rewritten is not whole"):
        erased(vault, "a", store=happening)
    assert everything(vault) == before


def test_other_rows_than_were_written_stop_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Rewriting.write

    def wrong(self: Rewriting, chain: Sequence[LogEntry]) -> Written:
        return write(self, chain)._replace(digest=b"")

    monkeypatch.setattr(Rewriting, "write", wrong)
    with pytest.raises(DamageError, match="holds other rows"):
        erased(vault, "a")


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_calls_loses_nothing_and_can_be_repeated(
    tmp_path: Path, *, after: bool
) -> None:
    vault = Vault(tmp_path)
    for _ in range(2):
        vault.fill()
        vault.run(added("a", 2))
        vault.clock.forward(days=100)
    vault.clock.forward(days=-90)
    before = everything(vault)
    allowed = [before, before[:2] + without(before[2:], A), without(before, A)]
    keep = tmp_path / "as-it-was"
    shutil.copytree(vault.root, keep)
    for at in range(200):
        shutil.rmtree(vault.root)
        shutil.copytree(keep, vault.root)
        crashing = CrashingStore(vault.local, at, after=after)
        try:
            rewriter(vault, crashing).delete(erased(vault, "a", store=crashing))
        except CrashError:
            pass
        else:
            break
        assert everything(vault) in allowed
        assert vault.reader().problems == []
        try:
            written = erased(vault, "a")
        except UsageError:
            written = []
        rewriter(vault).delete(written)
        assert everything(vault) == without(before, A)
        vault.forget()
        vault.run(added("later"))
        assert vault.held() == without(before, A)[-1] | {("family", "later.ics"): body_of("later")}
    else:
        pytest.fail("it never came to its end")
    assert at > 10


def test_a_repository_without_a_record_gets_none(vault: Vault) -> None:
    for each in list(vault.local.list(names.RUNS)):
        vault.local.delete(each.name)
    erased(vault, "a")
    assert list(vault.local.list(names.RUNS)) == []


def test_rows_about_nothing_erased_stay_as_they_are() -> None:
    eraser = Eraser(frozenset({"a"}), frozenset({A}))
    rows = [
        Row(0, Op.CALENDAR, "family"),
        Row(0, Op.ADD, "family", "b.ics", '"1"', "0", 1, "pack", "b", None, "get"),
        Row(1, Op.GONE, "family", "b.ics"),
    ]
    assert [eraser.apply(row) for row in rows] == rows
    assert eraser.counted(Counts(1, 2, 0, 0, 0)) == Counts(1, 2, 0, 0, 0)


def test_a_row_whose_pack_nothing_brought_is_damage(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.run(added("b", 3, etag='"other"'), fingerprint="h")
    rows = Generation.rows

    def without_additions(self: Generation, identity: str) -> Iterator[Row]:
        return (row for row in rows(self, identity) if row.op is not Op.ADD or row.href != "b.ics")

    monkeypatch.setattr(Generation, "rows", without_additions)
    with pytest.raises(DamageError, match="no row says that its pack was stored"):
        erased(vault, "a")


def test_a_base_that_goes_meanwhile_stops_it(vault: Vault) -> None:
    made = rewriter(vault)
    request = Request(uids=frozenset({"a"}), on_damage=lambda _: None)
    plan = made.plan(request)
    for each in plan.tasks:
        harmed(vault, each.generation.listed.segments[each.chain[0].id].name)
    with pytest.raises(DamageError):
        list(made.carry_out(plan, request))


def test_a_body_that_is_not_what_its_row_says_is_damage(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Generation.rows

    def lying(self: Generation, identity: str) -> Iterator[Row]:
        for row in rows(self, identity):
            yield row._replace(sha256="0" * 64) if row.href == "b.ics" and row.object else row

    monkeypatch.setattr(Generation, "rows", lying)
    with pytest.raises(DamageError, match="does not hold what signed rows say of it"):
        erased(vault, "a")
