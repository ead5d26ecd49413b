import pytest

from caldav_run.repository.check.kinds import Kind, classify
from caldav_run.testing.vault import START

SHA = "ab" * 32
FOLDER = f"a/{'0' * 20}/20260501T080000Z-{'1' * 8}-{'2' * 6}"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("README.txt", Kind.README),
        ("format.json", Kind.MARKER),
        (f"keys/{SHA}.age", Kind.BUNDLE),
        (f"{FOLDER}/pack-{SHA}.tar.zst.age", Kind.PACK),
        (f"{FOLDER}/seg-00000000-20260501T080000Z-{SHA}.tar.zst.age", Kind.SEGMENT),
        (f"{FOLDER}/zz-expire-20260501T080000Z-{SHA}", Kind.TOMBSTONE),
        (f"runs/2026-05/20260501T080000Z-{'1' * 8}-{SHA}.tar.zst.age", Kind.RUN),
        (f"a/{'0' * 20}/strange/zz-expire-20260501T080000Z-{SHA}", Kind.UNKNOWN),
        (f"{FOLDER}/.DS_Store", Kind.UNKNOWN),
        (f"keys/{SHA}", Kind.UNKNOWN),
    ],
)
def test_a_name_tells_the_kind(name: str, kind: Kind) -> None:
    named = classify(name)
    assert named.kind is kind
    assert (named.sha256 == SHA) is (kind not in {Kind.README, Kind.MARKER, Kind.UNKNOWN})
    if name.startswith(FOLDER) and kind is not Kind.UNKNOWN:
        assert named.generation is not None
        assert named.generation.begun == START
