"""What a sink does with items that have people in them, as its policy says and its server does."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

from caldav_run.connectors.mirroring import Order
from caldav_run.dav import scheduler, scheduling
from caldav_run.dav.discovery import Account
from caldav_run.dav.scheduling import Edit, Policy, Refusal, Scheduler, Way
from caldav_run.ical import schedule_agent
from caldav_run.model import Version

_EDITS: Final[Mapping[Edit, Callable[[bytes], bytes]]] = {
    Edit.NONE: bytes,
    Edit.HUSH: schedule_agent.hush,
    Edit.STRIP: schedule_agent.strip,
}


class People:
    """How their items are written and deleted; connects when it is asked first.

    Args:
        policy: What the sink says of them.
        account: Gives the account.
    """

    def __init__(self, policy: Policy, account: Callable[[], Account]) -> None:
        """Ask for nothing yet."""
        self._policy = policy
        self._account = account

    def way(self, wanted: Version | None, present: Version | None) -> Way | Refusal:
        """Return how to write an item, or to delete it; see `scheduling.decide`."""
        return scheduling.decide(self._scheduler, self._policy, wanted, present)

    def way_of(self, order: Order) -> Way | Refusal:
        """Return how to do an order; see `scheduling.give_back` for what was there before."""
        decide = scheduling.give_back if order.gives_back else scheduling.decide
        return decide(self._scheduler, self._policy, order.wanted, order.replaces)

    def told(self, wanted: Version | None, present: Version | None) -> frozenset[str]:
        """Return whom the server may mail; see `scheduling.told`."""
        return scheduling.told(self._scheduler, self._policy, wanted, present)

    def meant(self, order: Order) -> bytes:
        """Return what an order has to bring: without its people where they are to be left out."""
        way = self.way_of(order)
        strips = isinstance(way, Way) and way.edit is Edit.STRIP
        return schedule_agent.strip(order.body()) if strips else order.body()

    @cached_property
    def _scheduler(self) -> Scheduler:
        return scheduler.ask(self._account())


def edited(body: bytes, way: Way) -> bytes:
    """Return an item as it goes to the server."""
    return _EDITS[way.edit](body)
