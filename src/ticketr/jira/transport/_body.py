"""The body of an answer: collected, decompressed and bounded as it arrives."""

from __future__ import annotations

import zlib

from ticketr.jira.errors import BadAnswer

_GZIP_OR_ZLIB = 47  # what zlib.decompressobj takes for "see which of the two it is"


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
        self._size = 0
        self._pieces: list[bytes] = []
        self._compression: zlib._Decompress | None = None

    def begin(self, encoding: str) -> None:
        """Take the answer's ``Content-Encoding``."""
        match encoding.strip().lower():
            case "" | "identity":
                pass
            case "gzip" | "x-gzip" | "deflate":
                self._compression = zlib.decompressobj(_GZIP_OR_ZLIB)
            case _:
                self.problem = "a compression that was not asked for"

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came."""
        if self._compression is not None:
            try:
                piece = self._compression.decompress(piece, self._largest + 1)
            except zlib.error:
                self.problem = "its compression is broken"
        self._size += len(piece)
        if self._size > self._largest:
            self.problem = f"more than {self._largest} bytes"
        if self.problem:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def end(self, url: str) -> bytes:
        """Give the whole body.

        Args:
            url: The address that was asked.

        Raises:
            BadAnswer: It was too large, or could not be decompressed.
        """
        if self._compression is not None and not self._compression.eof and self._size:
            self.problem = self.problem or "its compression ends in the middle"
        if self.problem:
            raise BadAnswer(url, self.problem, passing=self._size <= self._largest)
        return b"".join(self._pieces)
