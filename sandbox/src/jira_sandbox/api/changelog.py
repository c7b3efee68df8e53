"""Routes for the history of issues."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.changelog_records import describe_history
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import read_body
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.payload import JsonType
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.parts import History

_MOST_ISSUES: Final = 1000
_DEFAULT_PAGE: Final = 1000
_BIGGEST_PAGE: Final = 10_000
_MOST_FIELDS: Final = 10
_BODY_TYPES: Final[Mapping[str, JsonType]] = {
    "fieldIds": (str,),
    "issueIdsOrKeys": (str,),
    "maxResults": int,
    "nextPageToken": str,
}


class ChangelogRoutes(RouteGroup):
    """The routes for histories in one version of the interface."""

    async def list_all(self, request: Request) -> JsonObject:
        """List the history of an issue, the oldest entry first, page by page."""
        issue, view = require_issue(self._site, request), self._interface.view(request)
        return make_page(
            request,
            issue.history,
            lambda history: describe_history(view, history),
            default=100,
            most=100,
        )

    async def list_by_ids(self, request: Request) -> JsonObject:
        """Read the entries of a history with the given IDs."""
        body = await read_body(request, {"changelogIds": (int,)})
        issue, view = require_issue(self._site, request), self._interface.view(request)
        wanted = set(body.get("changelogIds", ()))
        found = [history for history in issue.history if history.id in wanted]
        return {
            "startAt": 0,
            "maxResults": len(found),
            "total": len(found),
            "histories": [describe_history(view, history) for history in found],
        }

    async def bulk_fetch(self, request: Request) -> JsonObject:
        """Read the histories of many issues, page by page with a token."""
        body = await read_body(request, _BODY_TYPES)
        asked, fields = body.get("issueIdsOrKeys", []), body.get("fieldIds", [])
        size = body.get("maxResults", _DEFAULT_PAGE)
        if not 1 <= len(asked) <= _MOST_ISSUES:
            raise RequestRefused(
                400, f"Between 1 and {_MOST_ISSUES} issues can be requested at once."
            )
        if not 1 <= size <= _BIGGEST_PAGE or len(fields) > _MOST_FIELDS:
            raise RequestRefused(400, "'maxResults' or 'fieldIds' is out of range.")
        found = self._entries(asked, frozenset(fields))
        start = _read_token(body.get("nextPageToken"))
        answer: dict[str, Any] = {
            "issueChangeLogs": self._by_issue(request, found[start : start + size])
        }
        if start + size < len(found):
            answer["nextPageToken"] = base64.b64encode(str(start + size).encode()).decode()
        return answer

    def _entries(self, asked: list[str], fields: frozenset[str]) -> list[tuple[int, History]]:
        """Return the entries of several issues, sorted by their time and the issue."""
        issues = {issue.id: issue for text in asked if (issue := self._site.find(text))}
        found = [
            (issue.id, history)
            for issue in issues.values()
            for history in issue.history
            if not fields or fields & {item.field_id for item in history.items}
        ]
        return sorted(found, key=lambda entry: (entry[1].created, entry[0]))

    def _by_issue(self, request: Request, found: list[tuple[int, History]]) -> list[JsonObject]:
        view = self._interface.view(request)
        grouped: dict[int, list[JsonObject]] = {}
        for issue_id, history in found:
            grouped.setdefault(issue_id, []).append(describe_history(view, history))
        return [
            {"issueId": str(issue_id), "changeHistories": histories}
            for issue_id, histories in grouped.items()
        ]


def _read_token(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return max(int(base64.b64decode(token.encode(), validate=True)), 0)
    except (ValueError, binascii.Error):
        raise RequestRefused(400, "The provided nextPageToken is invalid.") from None
