"""How findings of a check are printed, and what they make of the exit status."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caldav_run.cli import console
from caldav_run.cli.options import Output
from caldav_run.errors import DamageError

if TYPE_CHECKING:
    from caldav_run.repository.check.findings import Finding

TITLES: Final = {
    "0": "what the segments name",
    "1": "structure and ages",
    "2": "bytes",
    "3": "signatures, rows and bodies",
    "S": "the source",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of one level: what was looked at, or why it was not."""

    level: str
    checked: bool
    about: str

    @property
    def line(self) -> str:
        """The verdict as a person reads it."""
        said = "checked" if self.checked else "not checked"
        return f"{self.level}  {TITLES[self.level]}: {said}: {self.about}"


def show(
    location: str,
    findings: Sequence["Finding"],
    verdicts: Sequence[Verdict],
    output: Output,
    *,
    strict: bool,
) -> int:
    """Print what was found and what was looked at, and return the exit status.

    Args:
        location: The repository.
        findings: What was found.
        verdicts: What was looked at, for every level.
        output: How to print.
        strict: Whether a warning counts as damage does.
    """
    from caldav_run.repository.check.findings import Severity

    failing = {Severity.DAMAGE, Severity.WARNING} if strict else {Severity.DAMAGE}
    failed = any(each.severity in failing for each in findings)
    status = DamageError.exit_status if failed else 0
    if output is Output.JSON:
        console.document(_document(location, findings, verdicts, status))
        return status
    for severity in Severity:
        mine = [each for each in findings if each.severity is severity]
        if mine:
            console.out(f"{severity}:")
        for each in mine:
            console.out(f"  {each.name}: {each.what}")
            if each.mend:
                console.out(f"    = {each.mend}")
    for verdict in verdicts:
        console.out(verdict.line)
    counted = [(s, sum(each.severity is s for each in findings)) for s in Severity]
    console.out(", ".join(console.counted(count, severity) for severity, count in counted))
    return status


def _document(
    location: str, findings: Sequence["Finding"], verdicts: Sequence[Verdict], status: int
) -> dict[str, object]:
    return {
        "repository": location,
        "status": status,
        "levels": [
            {
                "level": each.level,
                "title": TITLES[each.level],
                "checked": each.checked,
                "about": each.about,
            }
            for each in verdicts
        ],
        "findings": [
            {
                "level": each.level,
                "severity": each.severity,
                "name": each.name,
                "what": each.what,
                "mend": each.mend,
            }
            for each in findings
        ],
    }
