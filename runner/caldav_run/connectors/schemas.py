"""The JSON Schemas: in the installed package, else in the checkout."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]


def schema_folder() -> Path:
    """Return the folder of the schemas; the wheel carries them inside of the package."""
    packaged = Path(__file__).parents[1] / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "schemas"


@cache
def load_schemas() -> Mapping[str, Schema]:
    """Return every schema of pipelines by its path, such as `sinks/ics.schema.json`."""
    folder = schema_folder()
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.schema.json"))
        # What a repository holds is no option of a pipeline.
        if path.parent != folder / "repository"
    }
