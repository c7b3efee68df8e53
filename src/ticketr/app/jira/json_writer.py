"""Writes JSON with checkpoints between the parts of a long value; see `ticketr.app.jira.json_reader`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import trio

#: The number of values, or of `_PIECE` characters, between two checkpoints in a large text.
STEP = 1_000

#: The characters of a text that take as long to write as a value.
_PIECE = 32
#: The most values, or pieces of texts, that are written without a checkpoint.
_MOST_AT_ONCE = 5_000


async def write_json(value: object) -> bytes:
    """Write a value as `json.dumps` does.

    Args:
        value: What JSON can hold; objects with texts for names.

    Cancellation:
        Takes effect between two steps; a small value has no checkpoint.
    """
    if _is_small(value):
        return json.dumps(value).encode()
    written: list[str] = []
    work = 0
    for piece in _pieces(value):
        written.append(piece)
        work += 1 + len(piece) // _PIECE
        if work >= STEP:
            work = 0
            await trio.lowlevel.checkpoint()
    return "".join(written).encode()


def _is_small(value: object) -> bool:
    """Return whether a value is written at once."""
    work = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        work += 1 + (len(one) // _PIECE if isinstance(one, str) else 0)
        if work > _MOST_AT_ONCE:
            return False
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return True


def _pieces(value: object) -> Iterator[str]:
    """Yield the text of a value piece by piece; depth is not limited by recursion."""
    waiting: list[Iterator[str | _Value]] = [iter([_Value(value)])]
    while waiting:
        piece = next(waiting[-1], None)
        if piece is None:
            waiting.pop()
        elif isinstance(piece, str):
            yield piece
        elif piece.value and isinstance(piece.value, dict):
            waiting.append(_object(piece.value))
        elif piece.value and isinstance(piece.value, list):
            waiting.append(_array(piece.value))
        else:
            yield json.dumps(piece.value)


class _Value:
    """A value that is not written yet."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def _object(value: dict[str, object]) -> Iterator[str | _Value]:
    before = "{"
    for name, member in value.items():
        yield f"{before}{json.dumps(name)}: "
        yield _Value(member)
        before = ", "
    yield "}"


def _array(value: list[object]) -> Iterator[str | _Value]:
    before = "["
    for member in value:
        yield before
        yield _Value(member)
        before = ", "
    yield "]"
