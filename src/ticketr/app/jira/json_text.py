"""Reads JSON: bounded, and with checkpoints between the parts of a long text.

Python's own reader reads a text in one step, however long the text is. So this module reads the
outer levels of a large text, and passes their parts to that reader piece by piece.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, TypedDict

import trio

#: The longest text, in characters, that is read in one step.
AT_ONCE = 64 * 1024
#: The most values that a text may hold: each of them takes some hundred bytes of memory.
MOST_VALUES = 1_000_000

#: How many outer levels of a long text are read member by member. Below them is one part of an
#: issue, such as its fields.
_LEVELS = 3
# What a member costs beside its characters, in characters.
_MEMBER = 50
# An escape of half a character. Two of them make one whole character, which is common and fine.
_ESCAPE = rb"\u"
_HALF_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_BLANKS = re.compile(r"[ \t\r\n]*")
_SEPARATORS = (b",", b"[", b"{")


class _Numbers(TypedDict):
    parse_float: Callable[[str], float | None]
    parse_constant: Callable[[str], None]


def _finite(digits: str) -> float | None:
    """Read a number with a fraction or an exponent; None for one that no float can hold."""
    number = float(digits)
    return number if math.isfinite(number) else None


# Python reads NaN, Infinity and 1e999, which other readers of JSON, such as SQLite's, refuse.
_NUMBERS: _Numbers = {"parse_float": _finite, "parse_constant": lambda _: None}
_decode = json.JSONDecoder(**_NUMBERS).raw_decode


class TooManyValues(ValueError):
    """Raised when a text holds more values than `MOST_VALUES`."""


async def read_json(body: bytes) -> Any:
    """Read JSON.

    Args:
        body: The JSON, in an encoding that JSON may have.

    Returns:
        What it holds, every text in it fit to be written as UTF-8, and None for a number that is
        not finite.

    Raises:
        TooManyValues: It would take too much memory.
        json.JSONDecodeError: It is not JSON.
        RecursionError: It is nested too deeply.
        ValueError: It is not text, or has a number of thousands of digits.

    Cancellation:
        Takes effect between two steps; there is but one for a short text, and no checkpoint.
    """
    mend = None
    if _ESCAPE in body and _HALF_ESCAPE.search(body):
        mend = _whole_characters
    if len(body) <= AT_ONCE:
        value = json.loads(body, **_NUMBERS)
        return value if mend is None else mend(value)
    await trio.lowlevel.checkpoint()
    if sum(map(body.count, _SEPARATORS)) > MOST_VALUES:
        raise TooManyValues
    await trio.lowlevel.checkpoint()
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    await trio.lowlevel.checkpoint()
    return await _Walk(text, mend).document()


class _Walk:
    """Walks the outer levels of a text, with a checkpoint after `AT_ONCE` characters or so."""

    def __init__(self, text: str, mend: Callable[[Any], Any] | None) -> None:
        self._text = text
        self._mend = mend
        self._at = 0
        self._work = 0

    async def document(self) -> Any:
        """Read the whole text."""
        self._skip_blanks()
        value = await self._value(1)
        self._skip_blanks()
        if self._at != len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, self._at)
        return value

    async def _value(self, level: int) -> Any:
        """Read a value; a list or an object of an outer level member by member."""
        first = self._text[self._at : self._at + 1]
        if level <= _LEVELS and first in {"{", "["}:
            return await self._members(level, is_object=first == "{")
        begin = self._at
        value = self._leaf()
        self._work += _MEMBER + self._at - begin
        if self._work >= AT_ONCE:
            self._work = 0
            await trio.lowlevel.checkpoint()
        return value

    def _leaf(self) -> Any:
        """Read a value at once."""
        value, self._at = _decode(self._text, self._at)
        return value if self._mend is None else self._mend(value)

    async def _members(self, level: int, *, is_object: bool) -> Any:
        end = "}" if is_object else "]"
        members: list[tuple[str, Any]] = []
        self._at += 1
        self._skip_blanks()
        more = not self._ends(end)
        while more:
            name = ""
            if is_object:
                if self._text[self._at : self._at + 1] != '"':
                    problem = "Expecting property name enclosed in double quotes"
                    raise json.JSONDecodeError(problem, self._text, self._at)
                name = self._leaf()
                self._skip_blanks()
                self._expect(":")
            members.append((name, await self._value(level + 1)))
            self._skip_blanks()
            more = not self._ends(end)
            if more:
                self._expect(",")
        return dict(members) if is_object else [value for _, value in members]

    def _ends(self, end: str) -> bool:
        """Skip the end of a list or an object; return whether it is there."""
        is_there = self._text[self._at : self._at + 1] == end
        self._at += is_there
        return is_there

    def _expect(self, mark: str) -> None:
        if self._text[self._at : self._at + 1] != mark:
            raise json.JSONDecodeError(f"Expecting '{mark}' delimiter", self._text, self._at)
        self._at += 1
        self._skip_blanks()

    def _skip_blanks(self) -> None:
        match = _BLANKS.match(self._text, self._at)
        assert match is not None
        self._at = match.end()


def _whole_characters(value: Any) -> Any:
    """Replace half characters, which JSON can escape and no file can hold."""
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        case list():
            return [_whole_characters(item) for item in value]
        case dict():
            return {_whole_characters(k): _whole_characters(v) for k, v in value.items()}
        case _:
            return value
