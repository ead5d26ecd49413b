"""Write docs/servers.md from what `make docs-servers` measured (docs/servers/*.json)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
RESTORED: Final = """
## What becomes of a restore

What each server gave of {count} items was restored, out of a snapshot, into each of the servers:
the items above, and 1,000 events and some tasks as people have them, which are
[made up](../benchmarks/corpus.py): recurring with exceptions, in eight time zones and six scripts,
with guests and alarms, as Google, Apple, Outlook and Nextcloud spell them. What then lay on the
server was read by plain requests and held against the snapshot and against what the program had
said. Nothing differed that it had not said. Items that are equal at level L2 (see
[Fidelity](fidelity.md)) were restored once for all of them; `make test-matrix` restores every one,
and found the same in every cell.

In a cell: items equal at L2 · at L3, each deviation told · with a loss that was told by name ·
refused, in the server's words.

"""
RULES: Final = """
How often each deviation was met, over all that was restored into a server, each different item
once:

"""
FEATURES: Final = """
## What servers can do

Measured anew in every run, with a calendar of three items; nothing of it is taken for granted
when a backup is made.

"""
STATES: Final = ("equal", "deviating", "changed", "refused")
SHOWN: Final = 12
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
            *_restored({name: servers[name] for name in names if "restored" in servers[name]}),
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


def _restored(servers: Mapping[str, Server]) -> Iterator[str]:
    """Yield the part on restores, of those servers into which something was restored."""
    if not servers:
        return
    found = {name: server["restored"] for name, server in servers.items()}
    count = max(
        sum(pairs["as made"].values()) for each in found.values() for pairs in [each["pairs"]]
    )
    yield RESTORED.format(count=f"{count:,}")
    given = {source for each in found.values() for source in each["pairs"]}
    sources = ["as made", *(name for name in ORDER if name in given)]
    yield _row(["into, from", *sources])
    yield _row(["---"] * (len(sources) + 1))
    for name, each in found.items():
        yield _row([name, *(_pair(each["pairs"].get(source, {})) for source in sources)])
    yield RULES
    yield _row(["deviation", *found])
    yield _row(["---"] * (len(found) + 1))
    for rule in sorted({rule for each in found.values() for rule in each["rules"]}):
        yield _row([rule, *(f"{each['rules'].get(rule, 0):,}" for each in found.values())])
    for name, server in servers.items():
        yield f"\n**Into {server['title']}**\n\n{''.join(_kept_back(found[name]))}"


def _pair(states: Mapping[str, int]) -> str:
    return " · ".join(f"{states.get(state, 0):,}" for state in STATES)


def _kept_back(restored: Server) -> Iterator[str]:
    """Yield what a server did not keep of a restore, and what it refused."""
    for reason, items in _grouped(_losing(restored)).items():
        yield f"- Lost: {reason}: {_some(items)}.\n"
    for words, items in _grouped(restored["refusals"]).items():
        yield f"- Refused: {_escaped(words)}: {_some(items)}.\n"
    if not restored["losses"] and not restored["refusals"]:
        yield "- Everything was kept.\n"


def _losing(restored: Server) -> Iterator[tuple[str, str]]:
    """Yield items that lost something, each with the reason; `losing` knows both by name."""
    known = restored["losing"]
    for item, losses in restored["losses"].items():
        # What a property's name ends at: parameters, its value, or what was left out of it.
        properties = (re.split("[:;…]", loss.partition(": ")[2])[0] for loss in losses)
        reasons = (known[key] for key in (item, *properties) if key in known)
        yield item, next(reasons, _escaped("; ".join(losses)))


def _grouped(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Return items by what is said of them."""
    found: dict[str, list[str]] = {}
    for item, words in dict(pairs).items():
        found.setdefault(words, []).append(item)
    return found


def _some(items: Sequence[str]) -> str:
    names = ", ".join(f"`{item[:32]}`" for item in items[:SHOWN])
    more = len(items) - SHOWN
    return f"{names} and {more:,} more" if more > 0 else names


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
