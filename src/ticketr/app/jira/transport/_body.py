"""Collects, bounds and decompresses the body of an answer."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import trio

from ticketr.app.jira.errors import BadAnswer

#: About how many bytes are unpacked between two checkpoints.
PORTION = 256 * 1024

_STEP = 8 * 1024
_GZIP_OR_ZLIB = 47  # what zlib.decompressobj takes for "see which of the two it is"
_COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate"})


class ResponseBody:
    """Collects the pieces of an answer, and unpacks them once all are there.

    No method raises before `end`, so that the connection is left in order. Nothing is unpacked
    before `end` either: unpacking has checkpoints, and a cancellation between two pieces would leave
    httpx's generators unfinished.

    Args:
        largest: The largest body, in bytes, as it comes and decompressed.

    Attributes:
        problem: Why the rest need not be read; empty if nothing is wrong.
    """

    def __init__(self, largest: int) -> None:
        self.problem = ""
        self._largest = largest
        self._size = 0
        self._pieces: list[bytes] = []
        self._is_packed = False

    def begin(self, encoding: str) -> None:
        """Take the answer's ``Content-Encoding``, a list.

        One compression was requested. Nested ones, as in a decompression bomb, are refused.
        """
        codings = (text.strip().lower() for text in encoding.split(","))
        compressions = [coding for coding in codings if coding not in {"", "identity"}]
        self._is_packed = bool(compressions)
        if len(compressions) > 1 or not _COMPRESSIONS.issuperset(compressions):
            self.problem = "a compression that was not asked for"

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came."""
        self._size += len(piece)
        self._pieces.append(piece)
        if self._size > self._largest:
            self.problem = f"more than {self._largest} bytes"
            self._pieces.clear()

    async def end(self, url: str) -> bytes:
        """Return the whole body.

        Raises:
            BadAnswer: It was too large, or could not be decompressed.

        Cancellation:
            Takes effect after each `PORTION` or so that is unpacked; a smaller body has no checkpoint.
        """
        if self._is_packed and not self.problem and self._size:
            self._pieces = await self._unpack(b"".join(self._pieces))
        if self.problem:
            too_large = self._size > self._largest
            raise BadAnswer(url, self.problem, passing=not too_large, too_large=too_large)
        return b"".join(self._pieces)

    async def _unpack(self, packed: bytes) -> list[bytes]:
        """Decompress a body; note a problem if that fails, or it is too large."""
        self._size = 0
        unpacked: list[bytes] = []
        work = 0
        compression = _Compression()
        try:
            for portion in compression.unpack(packed):
                self._size += len(portion)
                if self._size > self._largest:
                    self.problem = f"more than {self._largest} bytes"
                    break
                unpacked.append(portion)
                work += _STEP + len(portion)
                if work >= PORTION:
                    work = 0
                    await trio.lowlevel.checkpoint()
            else:
                if not compression.is_whole:
                    self.problem = "its compression ends in the middle"
        except zlib.error:
            self.problem = "its compression is broken"
        return unpacked


class _Compression:
    """Decompresses gzip, which may have several members, or zlib."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def is_whole(self) -> bool:
        """Whether nothing more is needed."""
        return self._member.eof

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """Yield what it unpacks to, step by step, at most `PORTION` bytes in one.

        Raises:
            zlib.error: It is no such compression, or something else follows it.
        """
        # What is left over is copied at each step, so it has to be short.
        for start in range(0, len(packed), _STEP):
            yield from self._unpack_some(packed[start : start + _STEP])

    def _unpack_some(self, rest: bytes) -> Iterator[bytes]:
        is_full = False
        while rest or is_full:
            if self._member.eof:
                rest = rest.lstrip(b"\0")  # what some writers fill a block with
                if not rest:
                    return
                self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
            unpacked = self._member.decompress(rest, PORTION)
            yield unpacked
            rest = self._member.unconsumed_tail or self._member.unused_data
            is_full = len(unpacked) == PORTION and not self._member.eof
