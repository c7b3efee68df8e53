"""Routes for searches: pages with tokens, the approximate count, and the removed old search."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.entity_properties import MOST_ASKED
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import IssueWriter
from jira_sandbox.api.payload import JsonType, read_body, read_integer, read_list
from jira_sandbox.api.views import to_json
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.api.selection import Selection


#: The biggest page if only IDs or keys are selected.
MOST_IDS: Final = 5000
#: The biggest page otherwise.
MOST_ISSUES: Final = 100
_DEFAULT_PAGE: Final = 50
_MOST_RECONCILED: Final = 50
_BODY_TYPES: Final[Mapping[str, JsonType]] = {
    "expand": str,
    "fields": (str,),
    "fieldsByKeys": bool,
    "jql": str,
    "maxResults": int,
    "nextPageToken": str,
    "properties": (str,),
    "reconcileIssues": (int,),
}
REMOVED: Final = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at "
    "https://developer.atlassian.com/changelog/#CHANGE-2046"
)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The parameters of a search, from a query string or a body."""

    jql: str
    fields: tuple[str, ...]
    expand: frozenset[str]
    max_results: int
    token: str | None
    properties: tuple[str, ...]
    reconcile: tuple[int, ...]


class SearchRoutes(RouteGroup):
    """The routes for searches in one version of the interface."""

    async def removed(self, _request: Request) -> Response:
        """Answer as Jira does since it removed the old search."""
        raise RequestRefused(410, REMOVED)

    async def count(self, request: Request) -> JsonObject:
        """Count the issues that match a query."""
        body = await read_body(request, {"jql": str})
        found = self._interface.searcher.find(body.get("jql", ""))
        return {"count": len(found)}

    async def get(self, request: Request) -> Response:
        """Search by a query string."""
        query = request.query_params
        return self._search(
            request,
            SearchRequest(
                jql=query.get("jql", ""),
                fields=tuple(query.getlist("fields")),
                expand=frozenset(read_list(query, "expand")),
                max_results=read_integer(query, "maxResults", _DEFAULT_PAGE),
                token=query.get("nextPageToken") or None,
                properties=tuple(read_list(query, "properties")),
                reconcile=_read_ids(read_list(query, "reconcileIssues")),
            ),
        )

    async def post(self, request: Request) -> Response:
        """Search by a body."""
        body = await read_body(request, _BODY_TYPES)
        return self._search(
            request,
            SearchRequest(
                jql=body.get("jql", ""),
                fields=tuple(body.get("fields", ())),
                expand=frozenset(body.get("expand", "").replace(" ", "").split(",")),
                max_results=body.get("maxResults", _DEFAULT_PAGE),
                token=body.get("nextPageToken"),
                properties=tuple(body.get("properties", ())),
                reconcile=tuple(body.get("reconcileIssues", ())),
            ),
        )

    def _search(self, request: Request, asked: SearchRequest) -> Response:
        _check_limits(asked)
        selection = self._interface.fields.select(asked.fields, default="id")
        start = 0 if asked.token is None else _read_token(asked.token, asked.jql)
        found = self._interface.searcher.find(asked.jql, asked.reconcile)
        end = start + min(asked.max_results, MOST_ISSUES if selection.fields else MOST_IDS)
        write = IssueWriter(
            self._interface.view(request),
            selection,
            asked.expand - {"names", "schema"},
            asked.properties,
        )
        issues = ",".join(map(write, found[start:end]))
        tail = _rest_of_answer(asked, selection, end if end < len(found) else None)
        return self._interface.answer_text(f'{{"issues":[{issues}],{tail}}}')


def _check_limits(asked: SearchRequest) -> None:
    """Refuse numbers of results, issues or properties that are too large."""
    if not 1 <= asked.max_results <= 2**31 - 1:
        raise RequestRefused(
            400, f"The value '{asked.max_results}' of 'maxResults' is out of range."
        )
    if len(asked.reconcile) > _MOST_RECONCILED:
        raise RequestRefused(400, f"'reconcileIssues' takes at most {_MOST_RECONCILED} IDs.")
    if len(asked.properties) > MOST_ASKED:
        raise RequestRefused(400, f"'properties' takes at most {MOST_ASKED} keys.")


def _read_ids(texts: list[str]) -> tuple[int, ...]:
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
        raise RequestRefused(400, "'reconcileIssues' takes the IDs of issues.")
    return tuple(map(int, texts))


def _rest_of_answer(asked: SearchRequest, selection: Selection, next_start: int | None) -> str:
    """Return what stands behind the issues in the answer, as JSON text."""
    parts: dict[str, Any] = {}
    if "names" in asked.expand:
        parts["names"] = selection.names()
    if "schema" in asked.expand:
        parts["schema"] = selection.schemas()
    if next_start is not None:
        parts["nextPageToken"] = _make_token(next_start, asked.jql)
    parts["isLast"] = next_start is None
    return to_json(parts)[1:-1]


def _make_token(start: int, jql: str) -> str:
    return base64.urlsafe_b64encode(f"{start}.{_query_digest(jql)}".encode()).decode()


def _read_token(token: str, jql: str) -> int:
    """Return the index at which the page begins; a token is valid for its own query only."""
    try:
        start, digest = base64.urlsafe_b64decode(token.encode()).decode().split(".")
        if digest == _query_digest(jql):
            return max(int(start), 0)
    except (ValueError, binascii.Error):
        pass
    raise RequestRefused(400, "The provided nextPageToken is invalid or has expired.")


def _query_digest(jql: str) -> str:
    return hashlib.sha256(jql.encode("utf-8", "surrogatepass")).hexdigest()[:16]
