"""Versions as text, for what waits outside of memory."""

import json
from dataclasses import fields

from caldav_run.model import Stamp, Version

_NAMES = tuple(each.name for each in fields(Version))


def pack(version: Version) -> str:
    """Return a version as text."""
    values = (getattr(version, name) for name in _NAMES)
    return json.dumps([each.hex() if isinstance(each, bytes) else each for each in values])


def unpack(text: str) -> Version:
    """Return the version that `pack` made a text of."""
    values = dict(zip(_NAMES, json.loads(text), strict=True))
    lists = {name: tuple(each) for name, each in values.items() if isinstance(each, list)}
    exact = {"digest": bytes.fromhex(values["digest"]), "stamp": Stamp(*values["stamp"])}
    return Version(**values | lists | exact)
