"""Rewriting an account's history: to erase an item for good, or for other readers.

Each generation is written anew, read back completely, and only then marked for deletion. Until
then nothing of the new one is shown, so that a rewriting can be stopped anywhere and begun again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from caldav_run.errors import DamageError, SetupError, TemporaryError
from caldav_run.repository import age, names, runs, tombstone
from caldav_run.repository.check.deep import Opener, check_deep
from caldav_run.repository.check.findings import Severity
from caldav_run.repository.check.inventory import inventory
from caldav_run.repository.create import repository_id
from caldav_run.repository.erase import Eraser
from caldav_run.repository.expire import deletion_order
from caldav_run.repository.generation import Generation
from caldav_run.repository.keys import Keyring, Writer
from caldav_run.repository.lineage import superseded
from caldav_run.repository.names import GenerationName
from caldav_run.repository.reader import Reader
from caldav_run.repository.rewrite_plan import Past, Plan, Request, make_plan
from caldav_run.repository.rewriting import Pen, Rewriting, Written
from caldav_run.repository.rows import encode
from caldav_run.repository.store import Store
from caldav_run.repository.survey import Listed, survey
from caldav_run.repository.tombstone import Reason, Tombstone


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Rewrites history in a repository.

    Attributes:
        store: Where.
        keyring: Opens what is there.
        writer: Signs what is new.
        recipients: The readers of what is new.
        clock: Tells the time in UTC.
    """

    store: Store
    keyring: Keyring
    writer: Writer
    recipients: tuple[str, ...]
    clock: Callable[[], datetime]

    def plan(self, request: Request) -> Plan:
        """Say what has to be rewritten; nothing is written.

        Raises:
            ConnectorError: The store cannot be read.
            DamageError: Something cannot be read, and `Request.on_damage` raised.
            SetupError: There is no repository, its readers do not trust the writer, or no identity
                opens what will be written.
            UsageError: There is no such account, or no such item.
        """
        if self.writer.signer.fingerprint not in self.keyring.trusted:
            raise SetupError(
                "who reads with this identity does not trust the pipeline's writer",
                mend=f"pass --trust {self.writer.signer.fingerprint}, if it is your own",
            )
        try:
            age.unseal(age.seal(b"", self.recipients), self.keyring.identities)
        except age.NoMatchingKeyError as error:
            raise SetupError(
                "no given identity opens what is written for the pipeline's recipients",
                mend="give one of theirs with --identity as well: all of it is read back",
            ) from error
        past = self._look(self._opener())
        return make_plan(past, request, self.writer, self.recipients)

    def carry_out(self, plan: Plan, request: Request) -> Iterator[Written]:
        """Write generations anew, read each back, and mark its original for deletion.

        Yields:
            Each that is done.

        Raises:
            ConnectorError: The store refuses.
            DamageError: Something cannot be read, and `Request.on_damage` raised.
            TemporaryError: A run added a snapshot meanwhile.
        """
        opener = self._opener()
        pen = Pen(opener, self.writer, self.recipients, request.on_damage)
        taken = {each.name.name for each in survey(self.store.list(names.ACCOUNTS))}
        # The newest first: what it carries forward from older ones is erased before these change.
        for task in reversed(plan.tasks):
            listed = task.generation.listed
            name = names.rewritten_generation(listed.name, self.writer.name, taken)
            taken.add(name.name)
            eraser = Eraser(request.uids, plan.places)
            written = Rewriting(pen, task.generation, name, eraser).write(task.chain)
            task.generation.let_go()
            self._verify(opener, written)
            self._expect_unchanged(listed)
            stone = Tombstone(
                repository=opener.repository,
                generation=listed.name,
                time=self.clock().replace(microsecond=0),
                reason=Reason.REWRITTEN,
                successor=name.name,
            )
            self.store.put(*tombstone.build(stone, self.writer.signer))
            yield written
        for each in plan.leftovers:
            self._delete(each)

    def delete(
        self, written: Sequence[Written], replaced: Sequence[Listed] = ()
    ) -> list[GenerationName]:
        """Delete at once what was written anew.

        Args:
            written: By this rewriting, which has read it back.
            replaced: By earlier ones; what stands for it is read again first.

        Returns:
            What was deleted.

        Raises:
            ConnectorError: The store refuses.
            DamageError: What stands for it is not whole any more.
            TemporaryError: A run added a snapshot meanwhile, which would be lost.
        """
        past = self._look(self._opener())
        originals = {each.original for each in written}
        earlier = {each.name for each in replaced}
        found = [each for each in past.generations if each.listed.name in originals | earlier]
        for each in found:
            if not past.covered(each):
                raise _added(each.listed.name)
            if each.listed.name in earlier:
                for other in past.stand_ins(each):
                    self._expect_whole(other.listed.name)
        for each in found:
            # Reading back takes its time, and a run may have been under way.
            self._expect_unchanged(each.listed)
            self._delete(each.listed)
        return [each.listed.name for each in found]

    def record(self, written: Sequence[Written]) -> None:
        """Say the writer's last run record again, with the new ids of its newest snapshots.

        Old records stay: they hold no items, and other readers need not open them then.

        Raises:
            ConnectorError: The store refuses.
        """
        known = Reader(self.store, self.keyring).runs()
        last = next((each for each in known if each.writer == self.writer.name), None)
        if last is None:
            return
        heads = {old: new for each in written for old, new in each.heads.items()}
        record = replace(
            last,
            time=last.time + timedelta(seconds=1),
            accounts=tuple(
                replace(each, head=each.head and heads.get(each.head, each.head))
                for each in last.accounts
            ),
        )
        sealed_to = (*self.recipients, self.writer.metadata.recipient)
        stored = runs.build(record, self.writer.signer, sealed_to)
        self.store.put(runs.record_name(record, stored), stored)

    def _opener(self) -> Opener:
        return Opener(self.store, self.keyring, repository_id(self.store))

    def _look(self, opener: Opener) -> Past:
        """Open all generations."""
        listed = [each for each in survey(self.store.list(names.ACCOUNTS)) if each.segments]
        until = self.keyring.until
        generations = [Generation(e, opener.segment, until(e.name.writer)) for e in listed]
        graves = {e.name.name: grave for e in listed if (grave := opener.grave(e)[0])}
        stones = {name: grave.tombstone for name, grave in graves.items()}
        return Past(generations, superseded(generations, stones), stones)

    def _verify(self, opener: Opener, written: Written) -> None:
        """Read back all of a new generation.

        Raises:
            DamageError: It is not what was written; the original stays.
        """
        self._expect_whole(written.name)
        (listed,) = survey(self.store.list(written.name.folder))
        digest = hashlib.sha256()
        for row in Generation(listed, opener.segment).rows(written.tip):
            digest.update(encode(row))
        if digest.digest() != written.digest:
            raise _broken(f"{written.name.folder} holds other rows than were written")

    def _expect_whole(self, name: GenerationName) -> None:
        objects = inventory(self.store.list(name.folder))
        findings = check_deep(self.store, self.keyring, objects)
        damage = next((each for each in findings if each.severity is Severity.DAMAGE), None)
        if damage is not None:
            raise _broken(f"{damage.name}: {damage.what}")

    def _expect_unchanged(self, listed: Listed) -> None:
        now = {each.name for each in self.store.list(listed.name.folder)}
        if any(names.parse_segment(each) for each in now - listed.sizes.keys()):
            raise _added(listed.name)

    def _delete(self, listed: Listed) -> None:
        for each in survey(self.store.list(listed.name.folder)):
            for name in deletion_order(each):
                self.store.delete(name)


def _broken(what: str) -> DamageError:
    return DamageError(
        f"what was rewritten is not whole: {what}", mend="nothing was deleted; try again"
    )


def _added(name: GenerationName) -> TemporaryError:
    return TemporaryError(
        f"a run added a snapshot to {name.folder} while it was rewritten",
        mend="nothing was lost; rewrite again, when no run is under way",
    )
