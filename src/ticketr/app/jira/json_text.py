"""Reads JSON: bounded, and a very long text in a thread.

orjson takes half the time of Python's reader, but reads UTF-8 alone, and refuses numbers that are not
finite and half characters. What it refuses, Python's reader reads, or says where the mistake is.

Both read a text in one step, however long the text is. In a thread, Python's reader lets other threads
run only where it calls Python code. So a function is called for each object of a very long text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import orjson
import trio

#: The longest text, in bytes, that is read without a checkpoint.
MAX_BYTES_WITHOUT_CHECKPOINT = 64 * 1024
#: The longest text, in bytes, that is read on the thread of the caller; it takes a few milliseconds.
MAX_BYTES_WITHOUT_THREAD = 1024 * 1024
#: The most values that a text may hold: each of them takes some hundred bytes of memory.
MAX_VALUES = 1_000_000
#: Runs blocking work, as `trio.to_thread.run_sync` does.
RunInThread: TypeAlias = Callable[..., Awaitable[Any]]

# An escape of half a character. Two of them make one whole character, which is common and fine.
_UNICODE_ESCAPE_START = rb"\u"
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SIGNS_COUNTED_AS_VALUES = (b",", b"[", b"{")


def _read_finite(digits: str) -> float | None:
    """Read a number with a fraction or an exponent; None for one that no float can hold."""
    number = float(digits)
    return number if math.isfinite(number) else None


class TooManyValues(ValueError):
    """Raised when a text holds more values than `MAX_VALUES`."""


async def read_json(body: bytes, in_thread: RunInThread = trio.to_thread.run_sync) -> Any:
    """Read JSON.

    Args:
        body: The JSON, in an encoding that JSON may have.
        in_thread: Runs blocking work on a worker thread.

    Returns:
        What it holds, every text in it fit to be written as UTF-8, and None for a number that is
        not finite. An integer of more than 64 bits may become a float.

    Raises:
        TooManyValues: It would take too much memory.
        json.JSONDecodeError: It is not JSON.
        RecursionError: It is nested too deeply.
        ValueError: It is not text, or has a number of thousands of digits.

    Cancellation:
        Takes effect at once while a long text is read; a short one has no checkpoint.
    """
    if len(body) > MAX_BYTES_WITHOUT_THREAD:
        return await in_thread(_read_unless_too_many_values, body, abandon_on_cancel=True)
    is_long = len(body) > MAX_BYTES_WITHOUT_CHECKPOINT
    if is_long:  # a step of its own: the work before and after takes time, too
        await trio.lowlevel.checkpoint()
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _read_mended_by_python(body)
    if is_long:
        await trio.lowlevel.checkpoint()
    return value


def _read_unless_too_many_values(body: bytes) -> Any:
    if sum(map(body.count, _SIGNS_COUNTED_AS_VALUES)) > MAX_VALUES:
        raise TooManyValues
    return _read_mended_by_python(body, object_hook=lambda value: value)


def _read_mended_by_python(body: bytes, *, object_hook: Callable[[Any], Any] | None = None) -> Any:
    # Python reads NaN, Infinity and 1e999, which other readers of JSON, such as SQLite's, refuse.
    value = json.loads(
        body, object_hook=object_hook, parse_float=_read_finite, parse_constant=lambda _: None
    )
    has_halves = _UNICODE_ESCAPE_START in body and _SURROGATE_ESCAPE.search(body)
    return _replace_surrogates(value) if has_halves else value


def _replace_surrogates(value: Any) -> Any:
    """Replace half characters, which JSON can escape and no file can hold."""
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        case list():
            return [_replace_surrogates(item) for item in value]
        case dict():
            return {_replace_surrogates(k): _replace_surrogates(v) for k, v in value.items()}
        case _:
            return value
