"""The recovery sheet on a screen, in a file and with a QR code."""

import shutil
import stat
import subprocess
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import segno

from caldav_run.cli import sheets

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

MODULES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
ZBAR = shutil.which("zbarimg")


def matrix(lines: list[str]) -> list[list[int]]:
    """Return what is printed as rows of modules, dark ones being 1."""
    width = max(map(len, lines)) - 4
    pairs = [[MODULES[each] for each in line[4:].ljust(width)] for line in lines]
    halves = ((list(half) for half in zip(*row, strict=True)) for row in pairs)
    return list(chain.from_iterable(halves))


def secret(here: Path) -> str:
    return (here / "keys" / "identity.txt").read_text().splitlines()[-1]


def test_the_code_that_is_printed_is_that_of_the_text() -> None:
    text = "AGE-SECRET-KEY-1" + "Q" * 58
    fresh = [list(map(int, row)) for row in segno.make(text, error="m").matrix]
    printed = matrix(list(sheets.code(text)))
    rows = [row for row in printed if any(row)]
    left = min(row.index(1) for row in rows)
    assert [row[left : left + len(fresh)] for row in rows] == fresh


@pytest.mark.skipif(ZBAR is None, reason="zbarimg is not installed")
def test_a_scanner_reads_the_identity_from_the_sheet(call: "Call", here: Path) -> None:
    assert call("create", "nightly.yaml", "--qr", "--sheet", "sheet.txt").status == 0
    lines = (here / "sheet.txt").read_text().splitlines()
    code = [each for each in lines if set(each) & set("▀▄█")]
    rows = [[0] * len(row) for row in matrix(code)[:4]] + matrix(code)
    image = "\n".join(" ".join(str(each) for each in [0] * 4 + row + [0] * 4) for row in rows)
    size = f"{len(rows[0]) + 8} {len(rows)}"
    picture = here / "code.pbm"
    picture.write_text(f"P1\n{size}\n{image}\n")
    # Each module as one pixel is too small for it.
    bigger = enlarged(picture, 6)
    done = subprocess.run(
        [str(ZBAR), "--raw", "--quiet", str(bigger)], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == secret(here)


def enlarged(picture: Path, scale: int) -> Path:
    """Return the picture with each pixel made a square."""
    _, size, *rows = picture.read_text().splitlines()
    width, height = (int(each) * scale for each in size.split())
    wide = [" ".join(pixel for pixel in row.split() for _ in range(scale)) for row in rows]
    big = [row for row in wide for _ in range(scale)]
    bigger = picture.with_name("bigger.pbm")
    bigger.write_text("\n".join(["P1", f"{width} {height}", *big, ""]))
    return bigger


def test_the_sheet_goes_into_a_private_file_that_is_not_overwritten(
    call: "Call", here: Path
) -> None:
    done = call("create", "nightly.yaml", "--sheet", "sheet.txt")
    assert (done.status, done.out) == (0, "")
    sheet = here / "sheet.txt"
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    assert sheet.read_text().startswith("caldav-run recovery sheet")
    again = call("key", "sheet", "nightly.yaml", "--sheet", "sheet.txt")
    assert again.status == 78
    assert "cannot write the recovery sheet" in again.err


def test_it_is_printed_again_later_as_things_are_then(call: "Call", here: Path) -> None:
    first = call("create", "nightly.yaml").out
    assert call("key", "sheet", "nightly.yaml").out == first
    coded = call("key", "sheet", "nightly.yaml", "--qr").out
    assert "█" in coded
    assert secret(here) not in coded
    call("key", "rotate", "signer")
    renewed = call("key", "sheet", "nightly.yaml").out
    assert renewed != first


def test_a_renewed_signer_stands_before_those_of_older_snapshots(call: "Call", here: Path) -> None:
    (old,) = signers(call("create", "nightly.yaml").out)
    call("key", "rotate", "signer")
    new, *others = signers(call("key", "sheet", "nightly.yaml").out)
    assert new != old
    assert others == [old]
    (here / "keys" / "identity.txt").rename(here / "away.txt")
    assert signers(call("key", "sheet", "nightly.yaml").out) == [new]
    assert signers(call("key", "sheet", "nightly.yaml", "-i", "away.txt").out) == [new, old]
    assert call("key", "sheet", "nightly.yaml", "-i", "nowhere.txt").status == 78


def signers(sheet: str) -> list[str]:
    """Return the signers that a sheet has one write into identity.txt, in its order."""
    lines = (line.strip() for line in sheet.splitlines())
    return [each.split()[-1] for each in lines if each.startswith("# trusted-signer: ")]


def test_a_code_needs_the_identity_before_anything_is_made(call: "Call", here: Path) -> None:
    assert call("key", "new").status == 0
    (here / "keys" / "identity.txt").rename(here / "away.txt")
    done = call("create", "nightly.yaml", "--qr")
    assert done.status == 78
    assert "there is no identity file" in done.err
    assert not (here / "repository").exists()
    assert call("create", "nightly.yaml").status == 0
    assert "█" in call("key", "sheet", "nightly.yaml", "--qr", "-i", "away.txt").out
