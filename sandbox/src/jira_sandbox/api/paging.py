"""Make the pages of long lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jira_sandbox.api.payload import read_page

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject


def make_page(
    request: Request,
    entries: Sequence[Any],
    describe: Callable[[Any], Any],
    *,
    default: int = 50,
    most: int = 1000,
) -> JsonObject:
    """Return the part of a list that a request asks for, as Jira's ``PageBean``.

    Args:
        request: The request, with ``startAt`` and ``maxResults`` in its query.
        entries: The whole list.
        describe: Makes JSON of an entry.
        default: The size of a page if the request does not state it.
        most: The biggest page.
    """
    page = read_page(request.query_params, default=default, most=most)
    end = page.start + page.size
    described: JsonObject = {
        "self": _page_address(request, page.start, page.size),
        "maxResults": page.size,
        "startAt": page.start,
        "total": len(entries),
        "isLast": end >= len(entries),
        "values": [describe(entry) for entry in page.of(entries)],
    }
    if not described["isLast"]:
        described["nextPage"] = _page_address(request, end, page.size)
    return described


def _page_address(request: Request, start: int, size: int) -> str:
    others = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {"startAt", "maxResults"}
    ]
    query = urlencode([*others, ("startAt", start), ("maxResults", size)])
    return f"{request.url.scheme}://{request.url.netloc}{request.url.path}?{query}"
