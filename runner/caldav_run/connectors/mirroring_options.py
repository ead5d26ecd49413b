"""The options that the sinks with a present state share."""

from caldav_run.connectors.mirroring import MirrorOptions
from caldav_run.model import Options


def mirror_options(options: Options) -> MirrorOptions:
    """Return what the options say about writing."""
    saved = options.get("safety_snapshot")
    return MirrorOptions(
        mode=str(options.get("mode", "merge")),
        on_conflict=str(options.get("on_conflict", "newest")),
        verify=str(options.get("verify", "full")),
        safety_snapshot=None if saved is None else str(saved),
    )
