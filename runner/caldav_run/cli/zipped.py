"""A folder as a zip archive, whose bytes depend on nothing but names and content."""

import shutil
import zipfile
from datetime import datetime
from pathlib import Path
from typing import IO, Final

_MODE: Final = 0o100644 << 16
_UNIX: Final = 3
_FIRST_YEAR: Final = 1980


def zipped(folder: Path, file: IO[bytes], time: datetime) -> int:
    """Write all files of a folder, by name.

    Args:
        folder: The folder; its own name is not in the archive.
        file: Where the archive goes.
        time: What every file is said to be of; zip knows no earlier year than 1980.

    Returns:
        How many .ics files there are.
    """
    count = 0
    stamp = (max(time.year, _FIRST_YEAR), *time.timetuple()[1:6])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = _UNIX, _MODE
            with path.open("rb") as content, archive.open(info, "w") as member:
                shutil.copyfileobj(content, member)
            count += path.suffix == ".ics"
    return count
