import io
import tarfile
import tracemalloc
from itertools import chain, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.repository import tar
from caldav_run.repository.broken import FormatError

NAMES = st.from_regex(r"[a-z]{1,60}(/[a-z0-9.-]{1,80})?", fullmatch=True)
FILES = st.dictionaries(NAMES, st.binary(max_size=1500), max_size=5)


def archive(files: dict[str, bytes]) -> bytes:
    parts = []
    for name, content in files.items():
        parts += [tar.header(name, len(content), 1_777_000_000), content]
        parts.append(tar.padding(len(content)))
    return b"".join((*parts, tar.END))


def read(data: bytes, chunk: int = 700) -> dict[str, bytes]:
    pieces = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return dict(tar.members(pieces, lambda *_: True))


@given(files=FILES, chunk=st.integers(1, 3000))
def test_what_is_written_is_read_back(files: dict[str, bytes], chunk: int) -> None:
    assert read(archive(files), chunk) == files


@given(files=FILES)
def test_other_programs_read_what_is_written(files: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(files))) as opened:
        found = {each.name: opened.extractfile(each) for each in opened}
        assert {name: file.read() for name, file in found.items() if file} == files


@given(files=FILES.filter(bool), data=st.data())
def test_a_cut_archive_is_noticed(files: dict[str, bytes], data: st.DataObject) -> None:
    whole = archive(files)
    # Half of the end mark is enough.
    cut = data.draw(st.integers(0, len(whole) - tar.BLOCK - 1))
    with pytest.raises(FormatError, match="cut off"):
        read(whole[:cut])


@given(files=FILES, taken=st.integers(0, 3))
def test_what_is_not_taken_of_a_member_is_passed_over(files: dict[str, bytes], taken: int) -> None:
    data = archive(files)
    chunks = (data[at : at + 100] for at in range(0, len(data), 100))
    found = {
        name: b"".join(islice(content, taken))
        for name, content in tar.pieces(chunks, lambda *_: True)
    }
    assert found.keys() == files.keys()
    assert all(files[name].startswith(begin) for name, begin in found.items())


@given(noise=st.binary(min_size=512, max_size=2000))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(FormatError):
        read(noise.replace(b"\0" * 512, b"\1" * 512))


@pytest.mark.parametrize(
    "name",
    ["a" * 90 + "/" + "b" * 90, "a/" * 60 + "b", "z" * 155 + "/" + "z" * 100, "X" * 99 + "/X"],
)
def test_a_long_name_is_split_at_a_folder(name: str) -> None:
    assert read(archive({name: b"x"})) == {name: b"x"}


def test_a_name_of_a_hundred_bytes_needs_no_prefix() -> None:
    name = "a/" + "b" * 98
    block = tar.header(name, 0, 0)
    assert block.startswith(name.encode())
    assert block[345:] == bytes(512 - 345)


def test_the_largest_size_is_told_before_anything_is_read() -> None:
    told: list[int] = []

    def note(_: str, size: int) -> bool:
        told.append(size)
        return False

    with pytest.raises(FormatError, match="cut off"):
        list(tar.members([tar.header("a", 8**11 - 1, 0)], note))
    assert told == [8**11 - 1]


@pytest.mark.parametrize("size", [b"0000000001X\0", b"X0000000001\0", b"-0000000001\0", bytes(12)])
def test_a_size_that_is_no_octal_number_is_refused(size: bytes) -> None:
    block = bytearray(tar.header("a", 1, 0))
    block[124:136] = size
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 0x20)
    with pytest.raises(FormatError, match="broken tar header"):
        read(bytes(block) + b"x" + tar.padding(1) + tar.END)


def test_nothing_is_held_of_what_is_not_taken() -> None:
    size = 64 << 20
    chunks = (bytes(64 << 10) for _ in range(size >> 16))
    archived = chain([tar.header("a", size, 0)], chunks, [tar.END])
    tracemalloc.start()
    try:
        assert [name for name, _ in tar.pieces(archived, lambda *_: True)] == ["a"]
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_wrong_checksum_is_refused() -> None:
    data = bytearray(archive({"a": b"x"}))
    data[0] += 1
    with pytest.raises(FormatError, match="broken tar header"):
        read(bytes(data))


def test_what_is_not_wanted_is_passed_over() -> None:
    data = archive({"a": b"1" * 600, "b": b"2"})
    assert list(tar.members([data], lambda name, _: name == "b")) == [("b", b"2")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, b"x", b"L"])
def test_anything_but_a_plain_file_is_refused(kind: bytes) -> None:
    info = tarfile.TarInfo("../../etc/passwd")
    info.type = kind
    info.linkname = "/etc/shadow"
    with pytest.raises(FormatError, match="no plain file"):
        read(info.tobuf(tarfile.USTAR_FORMAT) + tar.END)


def test_a_foreign_name_is_refused() -> None:
    info = tarfile.TarInfo("täst")
    with pytest.raises(FormatError, match="foreign name"):
        read(info.tobuf(tarfile.USTAR_FORMAT) + tar.END)


@pytest.mark.parametrize("name", ["a" * 101, "a" * 160 + "/b", "a/" + "b" * 101])
def test_a_name_that_does_not_fit_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        tar.header(name, 1, 0)


def test_a_size_that_does_not_fit_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        tar.header("a", 8**11, 0)
