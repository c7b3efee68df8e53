"""The body of an answer, piece by piece."""

from __future__ import annotations

import gzip
import zlib

import pytest

from ticketr.jira import BadAnswer
from ticketr.jira.transport._body import Body

URL = "https://example.com"


def body_of(encoding: str, *pieces: bytes, largest: int = 1000) -> Body:
    body = Body(largest)
    body.begin(encoding)
    for piece in pieces:
        body.feed(piece)
    return body


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_pieces_are_joined(encoding: str) -> None:
    assert body_of(encoding, b"a", b"", b"bc").end(URL) == b"abc"


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_compressed_pieces_are_decompressed_wherever_they_are_cut(
    compress: object,
) -> None:
    assert callable(compress)
    whole = compress(b"hello " * 100)
    for cut in range(len(whole)):
        assert body_of("gzip", whole[:cut], whole[cut:]).end(URL) == b"hello " * 100


def test_an_empty_body_may_claim_to_be_compressed() -> None:
    assert body_of("gzip").end(URL) == b""


def test_a_bomb_is_never_blown_up() -> None:
    body = body_of("gzip", gzip.compress(b"0" * 10_000_000), b"more")
    assert body._size <= 2 * 1001
    assert body._pieces == []
    with pytest.raises(BadAnswer, match="more than 1000 bytes"):
        body.end(URL)
