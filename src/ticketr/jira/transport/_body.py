"""The body of an answer: collected, decompressed and bounded as it arrives."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import trio

from ticketr.jira.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

PORTION = 256 * 1024
"""The most bytes that are unpacked between two checkpoints."""

_GZIP_OR_ZLIB = 47  # what zlib.decompressobj takes for "see which of the two it is"
_COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate"})


class Body:
    """Collects the pieces of an answer.

    Nothing here raises before the end, so that the connection can be left in good order.

    Args:
        largest: The largest body, in bytes, decompressed.

    Attributes:
        problem: Why the rest need not be read; empty while all is well.
    """

    def __init__(self, largest: int) -> None:
        self.problem = ""
        self._largest = largest
        self._received = 0
        self._size = 0
        self._pieces: list[bytes] = []
        self._compression: _Compression | None = None

    def begin(self, encoding: str) -> None:
        """Take the answer's ``Content-Encoding``, a list.

        One compression was asked for. Several, one in the other, are what a bomb is made of.
        """
        codings = [each.strip().lower() for each in encoding.split(",")]
        compressions = [each for each in codings if each not in {"", "identity"}]
        if len(compressions) > 1 or not _COMPRESSIONS.issuperset(compressions):
            self.problem = "a compression that was not asked for"
        elif compressions:
            self._compression = _Compression()

    async def feed(self, piece: bytes) -> None:
        """Take the next piece as it came.

        Cancellation:
            Takes effect after each `PORTION` that the piece unpacks to.
        """
        self._received += len(piece)
        if self._received > self._largest:  # a trailer without end unpacks to nothing
            self._refuse(f"more than {self._largest} bytes")
        portions = iter((piece,)) if self._compression is None else self._compression.unpack(piece)
        while not self.problem:
            try:
                portion = next(portions, None)
            except zlib.error:
                self._refuse("its compression is broken")
                break
            if portion is None:
                break
            self._add(portion)
            await trio.lowlevel.checkpoint()  # a small piece may unpack to a thousand times as much
        else:
            await trio.lowlevel.checkpoint()

    def _add(self, portion: bytes) -> None:
        self._size += len(portion)
        if self._size > self._largest:
            self._refuse(f"more than {self._largest} bytes")
        else:
            self._pieces.append(portion)

    def _refuse(self, problem: str) -> None:
        self.problem = problem
        self._pieces.clear()

    def end(self, url: str) -> bytes:
        """Give the whole body.

        Args:
            url: The address that was asked.

        Raises:
            BadAnswer: It was too large, or could not be decompressed.
        """
        if self._compression is not None and not self._compression.is_whole and self._received:
            self.problem = self.problem or "its compression ends in the middle"
        if self.problem:
            too_large = max(self._size, self._received) > self._largest
            raise BadAnswer(url, self.problem, passing=not too_large, too_large=too_large)
        return b"".join(self._pieces)


class _Compression:
    """Unpacks gzip, which may be several files one behind the other, or zlib."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def is_whole(self) -> bool:
        """Whether nothing more is needed."""
        return self._member.eof

    def unpack(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece unpacks to, at most `PORTION` bytes at once.

        Raises:
            zlib.error: It is no such compression, or something else follows it.
        """
        rest, is_full = piece, False
        while rest or is_full:
            if self._member.eof:
                rest = rest.lstrip(b"\0")  # what tapes and some servers fill a block with
                if not rest:
                    return
                self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
            unpacked = self._member.decompress(rest, PORTION)
            yield unpacked
            rest = self._member.unconsumed_tail or self._member.unused_data
            is_full = len(unpacked) == PORTION and not self._member.eof
