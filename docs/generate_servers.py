"""Write docs/servers.md from what `make docs-servers` measured (docs/servers/*.json)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
PAGE: Final = HERE / "servers.md"
MEASURED: Final = HERE / "servers"
ORDER: Final = (
    *("nextcloud", "sabre", "cyrus", "cyrus-3.10", "davical", "sogo", "radicale", "xandikos"),
)
HEAD: Final = """\
# Servers, measured

<!-- Written by `make docs-servers` from what its run measured (docs/servers/*.json). -->

What real servers do with calendar items, and what a backup of them holds. All of it comes from the
suite in [tests/integration/servers](../tests/integration/servers): it puts each item by a plain
HTTP request, reads it back by GET and by REPORT, backs the calendar up, and compares. A backup
holds exactly the bytes that the server hands out; where these are not the ones that were sent, the
server has changed them. `make test-servers` runs it, also against
[a server of your own](../CONTRIBUTING.md#real-servers).

| below | server | items taken | back as sent | changed in form | changed in content | read |
|---|---|---|---|---|---|---|
"""
ITEMS: Final = """
## What becomes of an item

Sent are {count} items that are hard to carry, from
[hostile.py](../runner/caldav_run/testing/hostile.py) (legal ones) and
[odd.py](../runner/caldav_run/testing/odd.py) (broken and huge ones).

- `=` comes back as sent; `ends` only line ends, `fold` only folding, `order` only the order or
  spelling of lines differs: the same component tree.
- `content`: something is added, lost or changed. What exactly is in `docs/servers/*.json`, and why
  stands below.
- A number is the status with which the server refuses it.
- The backup reads all of it by REPORT but for what is marked `GET`, which no REPORT can carry, and
  `unread`, which the server lists and does not hand out. Such an item is named in the run's report.

"""
WHY: Final = """
## Why

"""
FEATURES: Final = """
## What servers can do

Measured anew in every run, with a calendar of three items; nothing of it is taken for granted
when a backup is made.

"""
SHORT: Final = {"as sent": "=", "line ends": "ends", "folding": "fold", "order": "order"}

Server = Mapping[str, Any]


def page(servers: Mapping[str, Server]) -> str:
    """Return the whole page.

    Args:
        servers: What was measured, by the server's name.
    """
    names = [name for name in ORDER if name in servers]
    count = len({item for name in names for item in servers[name]["items"]})
    return "".join(
        (
            HEAD,
            *(_summary(name, servers[name]) for name in names),
            ITEMS.format(count=count),
            _items(names, servers),
            WHY,
            *(_reasons(servers[name]) for name in names),
            FEATURES,
            _capabilities(names, servers),
        )
    )


def _summary(name: str, server: Server) -> str:
    items = list(server["items"].values())
    taken = [each for each in items if each["read"]]
    kinds = [SHORT.get(each["stored"], "content") for each in taken]
    unread = sum(each["read"] == "unread" for each in items)
    cells = (
        name,
        server["title"],
        f"{len(taken)} of {len(items)}",
        kinds.count("="),
        len(kinds) - kinds.count("=") - kinds.count("content"),
        kinds.count("content"),
        f"all but {unread}" if unread else "all",
    )
    return _row(cells)


def _items(names: Sequence[str], servers: Mapping[str, Server]) -> str:
    rows = [_row(["item", *names]), _row(["---"] * (len(names) + 1))]
    for item in servers[names[0]]["items"]:
        cells = (_cell(servers[name]["items"].get(item)) for name in names)
        rows.append(_row([f"`{item}`", *cells]))
    return "".join(rows)


def _cell(item: Mapping[str, str] | None) -> str:
    if item is None:
        return "-"
    stored, read = item["stored"], item["read"]
    if not read:
        return stored.removeprefix("refused ")
    short = SHORT.get(stored, "content")
    return short if read == "report" else f"{short}, {'GET' if read == 'get' else read}"


def _reasons(server: Server) -> str:
    lines = [
        f"- {each['reason']}: {', '.join(f'`{item}`' for item in each['items'])}.\n"
        for each in server["deviations"]
    ]
    lines += [f"- {reason}.\n" for reason in dict.fromkeys(server["faults"].values())]
    return f"**{server['title']}**\n\n{''.join(lines) or '- Nothing is refused or changed.'}\n"


def _capabilities(names: Sequence[str], servers: Mapping[str, Server]) -> str:
    rows = [_row(["", *names]), _row(["---"] * (len(names) + 1))]
    for what in servers[names[0]]["capabilities"]:
        cells = (servers[name]["capabilities"].get(what, "-") for name in names)
        rows.append(_row([what, *map(_escaped, cells)]))
    return "".join(rows)


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def load() -> dict[str, Server]:
    """Return what was measured, by the server's name."""
    files = sorted(MEASURED.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


if __name__ == "__main__":
    PAGE.write_text(page(load()), encoding="utf-8")
