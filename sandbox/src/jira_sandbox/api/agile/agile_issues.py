"""Select and describe the issues of a board, a sprint or an epic, and name them in a body."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.issues import IssueWriter
from jira_sandbox.api.link_input import NO_ISSUE
from jira_sandbox.api.payload import read_list, read_page
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.interface import Interface
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site

#: The most issues that one request moves.
MOST_MOVED: Final = 50
_AGILE_FIELDS: Final = ("sprint", "closedSprints", "epic", "flagged")


class AgileIssues:
    """Describes issues with the fields of the agile interface."""

    def __init__(self, interface: Interface, request: Request) -> None:
        self._interface = interface
        self._request = request
        query = request.query_params
        self._asked = [word for text in query.getlist("fields") for word in text.split(",")]
        selection = interface.fields.select(self._asked, default="*navigable", whole=True)
        view = interface.view(request)
        self._write = IssueWriter(view, selection, read_list(query, "expand"))
        self._records = view.records

    def page(self, issues: Iterable[Issue]) -> JsonObject:
        """Return a page of issues, those that match the query's JQL, by their ranks."""
        query = self._request.query_params
        page = read_page(query, default=50, most=1000)
        found = sorted(issues, key=lambda issue: (issue.place, issue.id))
        if jql := query.get("jql"):
            matching = self._interface.searcher.find(jql)
            known = {issue.id for issue in found}
            found = [issue for issue in matching if issue.id in known]
        return {
            "expand": "schema,names",
            "startAt": page.start,
            "maxResults": page.size,
            "total": len(found),
            "issues": [self.describe(issue) for issue in page.of(found)],
        }

    def describe(self, issue: Issue) -> JsonObject:
        """Describe an issue."""
        described: JsonObject = json.loads(self._write(issue))
        extra = self._agile_fields(issue)
        wanted = {name for name in _AGILE_FIELDS if not self._asked or name in self._asked}
        described["fields"] = {
            **described.get("fields", {}),
            **{name: value for name, value in extra.items() if name in wanted},
        }
        return described

    def _agile_fields(self, issue: Issue) -> dict[str, Any]:
        site, records = self._interface.site, self._records
        parent = None if issue.parent is None else site.get(issue.parent)
        fields: dict[str, Any] = {
            "flagged": bool(issue.values.get("customfield_10021")),
            "sprint": None,
            "epic": records.epic(parent) if parent is not None and parent.type.level == 1 else None,
        }
        for sprint in issue.sprints:
            if sprint.state != "closed":
                fields["sprint"] = records.agile_sprint(sprint)
        closed = [sprint for sprint in issue.sprints if sprint.state == "closed"]
        if closed:
            fields["closedSprints"] = [records.agile_sprint(sprint) for sprint in closed]
        return fields


def read_issues(site: Site, body: JsonObject) -> list[Issue]:
    """Return the issues that a body names.

    Raises:
        RequestRefused: There are none or too many, or one does not exist.
    """
    names = body.get("issues")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_MOVED:
        raise RequestRefused(400, f"'issues' is a list of 1 to {MOST_MOVED} issues.")
    found = [site.find(str(name)) for name in names]
    issues = [issue for issue in found if issue is not None]
    if len(issues) < len(names):
        raise RequestRefused(404, NO_ISSUE)
    return issues


def rank_issues(site: Site, issues: list[Issue], body: JsonObject) -> None:
    """Give issues the ranks before or after another issue, if the body names one."""
    after, before = body.get("rankAfterIssue"), body.get("rankBeforeIssue")
    name = after if before is None else before
    if name is None:
        return
    other = site.find(str(name))
    if other is None:
        raise RequestRefused(404, NO_ISSUE)
    moved = {issue.id for issue in issues}
    places = sorted(issue.place for issue in site if issue.id not in moved)
    low, high = _gap(places, other.place, is_after=before is None)
    step = (high - low) / (len(issues) + 1)
    for number, issue in enumerate(issues, 1):
        current = site.get(issue.id)
        assert current is not None
        site.touch(current, rank=low + step * number)


def _gap(places: list[float], place: float, *, is_after: bool) -> tuple[float, float]:
    """Return the bounds of the free places after or before a place."""
    if is_after:
        return place, min((other for other in places if other > place), default=place + 1)
    return max((other for other in places if other < place), default=place - 1), place
