"""Reading requests: a body that is not exactly as documented is refused, as Jira does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

INVALID: Final = "Invalid request payload. Refer to the REST API documentation and try again."
NOT_JSON: Final = "There was an error parsing JSON. Check that your request body is valid."
_MAX_BODY: Final = 2_000_000

Kind = type | tuple[type]
"""The type of a value; a tuple holds the type of an array's entries."""


async def read_body(request: Request, allowed: Mapping[str, Kind]) -> dict[str, Any]:
    """Read a JSON object with the allowed keys only; those that are null are left out.

    Args:
        request: The request.
        allowed: The keys and what they may hold.
    """
    content = bytearray()
    async for chunk in request.stream():
        if len(content) <= _MAX_BODY:  # the rest is read too, so that the client gets an answer
            content += chunk
    if len(content) > _MAX_BODY:
        raise Refused(413, "The request body is too large.")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused(400, NOT_JSON) from None
    if not isinstance(body, dict) or any(key not in allowed for key in body):
        raise Refused(400, INVALID)
    given = {key: value for key, value in body.items() if value is not None}
    if not all(_fits(value, allowed[key]) for key, value in given.items()):
        raise Refused(400, INVALID)
    return given


def _fits(value: Any, kind: Kind) -> bool:
    if isinstance(kind, tuple):
        return isinstance(value, list) and all(_fits(entry, kind[0]) for entry in value)
    if kind is int and isinstance(value, bool):
        return False
    return isinstance(value, kind)


def read_integer(parameters: QueryParams, name: str, default: int) -> int:
    """Read a whole number out of the query string."""
    text = parameters.get(name)
    if text is None or not text.strip():
        return default
    try:
        return int(text)
    except ValueError:
        raise Refused(400, f"The value '{text[:50]}' of '{name}' is not a whole number.") from None


def read_list(parameters: QueryParams, name: str) -> list[str]:
    """Read a list out of the query string: repeated, with commas, or both."""
    return [
        part.strip()
        for text in parameters.getlist(name)
        for part in text.split(",")
        if part.strip()
    ]
