import random

import pytest
from backports.zstd import ZstdCompressor
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.repository import zstd
from caldav_run.repository.broken import FormatError


def compressed(*parts: bytes) -> bytes:
    compressor = zstd.Compressor()
    for part in parts:
        compressor.feed(part)
    return compressor.finish()


@given(parts=st.lists(st.binary(max_size=300), max_size=5))
def test_padding_changes_the_size_and_not_the_content(parts: list[bytes]) -> None:
    frame = zstd.padded(compressed(*parts))
    assert len(frame) == zstd.padme(len(frame))
    assert b"".join(zstd.inflate(frame, 1 << 20)) == b"".join(parts)


@given(size=st.integers(0, 1 << 40))
def test_a_padded_size_is_at_most_an_eighth_larger(size: int) -> None:
    padded = zstd.padme(size)
    assert size <= padded <= size * 1.125
    assert zstd.padme(padded) == padded


@pytest.mark.parametrize(
    ("size", "padded"),
    [(0, 0), (1, 1), (2, 2), (8, 8), (9, 10), (1000, 1024), (1025, 1088), (1_000_000, 1_015_808)],
)
def test_a_padded_size_has_few_significant_bits(size: int, padded: int) -> None:
    assert zstd.padme(size) == padded


@given(frame=st.binary(min_size=1, max_size=600))
def test_padding_fits_every_size(frame: bytes) -> None:
    padded = zstd.padded(frame)
    assert padded.startswith(frame)
    assert len(padded) == zstd.padme(len(padded))


def test_a_long_input_is_compressed_as_it_comes() -> None:
    noise = random.Random(1).randbytes(700_000)  # noqa: S311  # the same at every run
    frame = compressed(noise, noise, noise, noise)
    assert len(frame) < 2 * len(noise)
    assert b"".join(zstd.inflate(frame, 4 * len(noise))) == noise * 4


@pytest.mark.parametrize("times", [1, 10, 40])
def test_short_and_long_inputs_are_compressed_more_than_zstd_does_by_itself(times: int) -> None:
    words = random.Random(1)  # noqa: S311  # the same at every run
    text = b" ".join(b"%d" % words.randrange(3000) for _ in range(10_000)) * times
    by_itself = ZstdCompressor()
    assert len(compressed(text)) < len(by_itself.compress(text) + by_itself.flush())


def test_all_frames_are_read_and_what_is_skippable_between_them_is_passed_over() -> None:
    numbers = random.Random(1).choices(range(3000), k=400_000)  # noqa: S311  # the same each time
    texts = [b"one", b" ".join(b"%d" % each for each in numbers), b"three"]
    frames = b"".join(zstd.padded(compressed(text)) for text in texts)
    assert b"".join(zstd.inflate(frames, 1 << 22)) == b"".join(texts)


def test_what_is_inflated_comes_in_small_chunks() -> None:
    frame = compressed(bytes(1 << 20))
    chunks = [len(chunk) for chunk in zstd.inflate(frame, 1 << 20)]
    assert max(chunks) <= 256 << 10
    assert sum(chunks) == 1 << 20


def test_a_bomb_is_stopped_at_its_limit() -> None:
    bomb = compressed(*[bytes(1 << 20)] * 16)
    assert len(bomb) < 10_000
    taken: list[int] = []
    with pytest.raises(FormatError, match="more than 1048576 bytes"):
        taken.extend(map(len, zstd.inflate(bomb, 1 << 20)))
    assert sum(taken) <= 1 << 20


def test_a_cut_frame_is_noticed() -> None:
    frame = compressed(b"text" * 100)
    with pytest.raises(FormatError, match="cut off"):
        list(zstd.inflate(frame[:-3], 1000))


def test_noise_is_refused() -> None:
    with pytest.raises(FormatError, match="broken"):
        list(zstd.inflate(b"noise, and no frame", 1000))
