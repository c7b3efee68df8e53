"""Test reading the body of an answer in pieces."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from fakes.checkpoints import count_steps

from ticketr.app.jira import BadAnswer
from ticketr.app.jira.transport._exchange import PORTION, ResponseBody

URL = "https://example.com"


def body_of(encoding: str, *pieces: bytes, largest: int = 1000) -> ResponseBody:
    body = ResponseBody(largest)
    body.begin(encoding)
    for piece in pieces:
        body.feed(piece)
    return body


@pytest.mark.parametrize("padding", [b"", b"\0" * 9], ids=["bare", "padded"])
async def test_members_of_a_gzip_are_joined_wherever_they_are_cut(padding: bytes) -> None:
    whole = gzip.compress(b"hello ") + gzip.compress(b"") + gzip.compress(b"world") + padding
    for cut in range(len(whole)):
        body = body_of("gzip", whole[:cut], whole[cut:])
        assert await body.end(URL) == b"hello world"


@pytest.mark.parametrize("encoding", ["gzip, identity", "identity,X-GZIP", ", gzip"])
async def test_one_compression_in_a_list_is_undone(encoding: str) -> None:
    assert await body_of(encoding, gzip.compress(b"hello")).end(URL) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip, br", "br", "zstd", "compress"])
async def test_a_compression_that_was_not_asked_for_is_refused(encoding: str) -> None:
    body = body_of(encoding, gzip.compress(gzip.compress(b"hello")))
    with pytest.raises(BadAnswer, match="not asked for"):
        await body.end(URL)


async def test_a_bomb_is_never_blown_up() -> None:
    body = body_of("gzip", gzip.compress(b"0" * 10_000_000), b"more", largest=20_000)
    tracemalloc.start()
    with pytest.raises(BadAnswer, match="more than 20000 bytes") as caught:
        await body.end(URL)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * PORTION
    assert caught.value.too_large
    assert not caught.value.passing


@pytest.mark.parametrize("trailer", [gzip.compress(b""), b"\0" * 20], ids=["members", "padding"])
async def test_a_trailer_that_unpacks_to_nothing_is_bounded_too(trailer: bytes) -> None:
    body = body_of("gzip", gzip.compress(b"hello"), *[trailer] * 60)
    with pytest.raises(BadAnswer, match="more than 1000 bytes"):
        await body.end(URL)


async def test_no_more_than_a_portion_is_unpacked_between_two_checkpoints() -> None:
    size = 40 * PORTION
    body = ResponseBody(size)
    body.begin("gzip")
    body.feed(gzip.compress(b"0" * size))
    async with count_steps() as steps:
        unpacked = await body.end(URL)
    assert steps.count >= 38
    assert len(unpacked) == size


async def test_a_thousand_empty_members_give_way_too() -> None:
    body = body_of("gzip", gzip.compress(b"") * 1000, largest=10**6)
    async with count_steps() as steps:
        assert await body.end(URL) == b""
    assert steps.count >= 20
