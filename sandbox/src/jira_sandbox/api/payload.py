"""Read and validate the body and the query string of a request.

A body that does not match the documentation exactly is refused, as in Jira.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import QueryParams

from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

INVALID: Final = "Invalid request payload. Refer to the REST API documentation and try again."
NOT_JSON: Final = "There was an error parsing JSON. Check that your request body is valid."
_MAX_BODY: Final = 2_000_000
_MOST_DEPTH: Final = 100
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")

#: The type of a value; a tuple holds the type of an array's entries.
JsonType = type | tuple[type]


async def read_body(request: Request, allowed: Mapping[str, JsonType]) -> dict[str, Any]:
    """Read a JSON object with the allowed keys only, and leave out keys that are null.

    Args:
        request: The request.
        allowed: The allowed keys and the types of their values.

    Raises:
        RequestRefused: The body is invalid.
    """
    body = await read_object(request)
    if any(key not in allowed for key in body):
        raise RequestRefused(400, INVALID)
    given = {key: value for key, value in body.items() if value is not None}
    if not all(_has_type(value, allowed[key]) for key, value in given.items()):
        raise RequestRefused(400, INVALID)
    return given


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object with any keys."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise RequestRefused(400, INVALID)
    return body


async def read_bytes(request: Request, most: int) -> bytes:
    """Read a body of at most so many bytes."""
    content = bytearray()
    async for chunk in request.stream():
        if len(content) <= most:  # the rest is read too, so that the client gets an answer
            content += chunk
    if len(content) > most:
        raise RequestRefused(413, "The request body is too large.")
    return bytes(content)


async def read_json(request: Request) -> Any:
    """Read a JSON value."""
    content = await read_bytes(request, _MAX_BODY)
    try:
        value = json.loads(content, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise RequestRefused(400, NOT_JSON) from None
    if not _is_valid(value):
        raise RequestRefused(400, NOT_JSON)
    return value


def _reject_constant(text: str) -> float:
    raise ValueError(f"JSON has no {text}")


def _is_valid(value: Any) -> bool:
    """Return whether a value is not nested too deeply and holds no lone surrogates."""
    level = [value]
    for _ in range(_MOST_DEPTH):
        if not level:
            return True
        inner: list[Any] = []
        for part in level:
            if isinstance(part, dict):
                inner += part.keys()
                inner += part.values()
            elif isinstance(part, list):
                inner += part
            elif isinstance(part, str) and not part.isascii() and _LONE_SURROGATE.search(part):
                return False
        level = inner
    return False


def _has_type(value: Any, kind: JsonType) -> bool:
    if isinstance(kind, tuple):
        return isinstance(value, list) and all(_has_type(entry, kind[0]) for entry in value)
    if kind is int and isinstance(value, bool):
        return False
    return isinstance(value, kind)


def read_integer(parameters: QueryParams, name: str, default: int) -> int:
    """Read an integer parameter of the query string."""
    text = parameters.get(name)
    if text is None or not text.strip():
        return default
    try:
        return int(text)
    except ValueError:
        raise RequestRefused(
            400, f"The value '{text[:50]}' of '{name}' is not a whole number."
        ) from None


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that a request asks for, by ``startAt`` and ``maxResults``."""

    start: int
    size: int

    def of(self, entries: Sequence[Any]) -> Sequence[Any]:
        """Return the entries on the page."""
        return entries[self.start : self.start + self.size]


def read_page(parameters: QueryParams, *, default: int = 50, most: int = 5000) -> Page:
    """Read ``startAt`` and ``maxResults``; a bigger page than ``most`` is cut, as in Jira."""
    start = read_integer(parameters, "startAt", 0)
    size = read_integer(parameters, "maxResults", default)
    if start < 0 or size < 0:
        raise RequestRefused(400, "'startAt' and 'maxResults' must not be negative.")
    return Page(start, min(size, most))


def read_flag(parameters: QueryParams, name: str, *, default: bool = False) -> bool:
    """Read a boolean parameter of the query string."""
    text = parameters.get(name)
    return default if text is None else text.strip().lower() == "true"


def read_list(parameters: QueryParams, name: str) -> list[str]:
    """Read a list parameter of the query string: repeated, comma-separated, or both."""
    return [
        part.strip()
        for text in parameters.getlist(name)
        for part in text.split(",")
        if part.strip()
    ]
