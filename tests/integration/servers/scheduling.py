"""Spreads tests over workers so that each server is started by one of them only."""

from tests.integration.servers import known
from xdist.scheduler.loadscope import LoadScopeScheduling


class ByServer(LoadScopeScheduling):  # type: ignore[misc]
    """Gives all tests of one server to one worker.

    What `--dist=loadgroup` would do, which xdist 3.8 cannot under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        """Return the server that a test needs, or its file."""
        names = sorted(known.SERVERS, key=len, reverse=True)
        parameters = nodeid.rpartition("[")[2].removesuffix("]")
        file = nodeid.partition("::")[0]
        found = (name for name in names if parameters.endswith(name) or f"test_{name}." in file)
        return next(found, file)
