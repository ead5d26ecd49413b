"""Copying, rewriting and expiry on real S3 endpoints."""

from datetime import timedelta
from pathlib import Path

from caldav_run.errors import CaldavRunError
from caldav_run.repository import keys, names
from caldav_run.repository.copying import by_size, prepare
from caldav_run.repository.expire import look_for_expired
from caldav_run.repository.retention import Keep, Stage
from caldav_run.repository.rewrite import Rewrite
from caldav_run.repository.rewrite_plan import Request
from caldav_run.repository.stores import open_store
from caldav_run.repository.survey import survey
from caldav_run.testing.clocked import ClockedStore
from caldav_run.testing.vault import Vault, added


def stop(problem: CaldavRunError) -> None:
    raise problem


def test_history_is_copied_to_s3_rewritten_there_and_expires(s3_place: str, tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    for _ in range(3):
        vault.clock.forward(days=100)
        vault.fill()
    wanted = vault.held()
    there = open_store(s3_place)
    list(prepare(vault.local, there, None, None).carry_out(by_size))
    vault.wrap = lambda _: there
    vault.forget()
    assert vault.held() == wanted
    made = Rewrite(
        store=there,
        keyring=keys.load_keyring([vault.keys / keys.IDENTITY]),
        writer=vault.writer,
        recipients=vault.recipients,
        clock=vault.clock,
    )
    request = Request(uids=frozenset({"a"}), on_damage=stop)
    written = list(made.carry_out(made.plan(request), request))
    made.record(written)
    made.delete(written)
    assert set(vault.held()) == {("family", "b.ics")}
    vault.run(added("c"))
    # The endpoint's clock cannot be set: what it holds is taken for as old as it was made.
    aged = ClockedStore(there, vault.clock)
    for each in survey(there.list(names.ACCOUNTS)):
        aged.stored |= dict.fromkeys(each.sizes, each.name.begun)
    keep = Keep(within=timedelta(days=50), min_generations=1)
    for stage in (Stage.MARK, Stage.DELETE):
        found = look_for_expired(aged, vault.writer, keep, vault.clock).confirmed()
        assert found.verdicts[0].stage is stage
        assert [each.problem for each in found.carry_out()] == [None]
        vault.clock.forward(hours=80)
        aged.put("runs/tonight", b"")
    assert len(vault.reader().snapshots()) == 3
    assert set(vault.held()) == {("family", "b.ics"), ("family", "c.ics")}
    assert vault.reader().problems == []
