"""Routes that read issues: one by its ID or key, or up to a hundred at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from jira_sandbox.api.entity_properties import MOST_ASKED, select_properties
from jira_sandbox.api.expansions import Expander
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.link_input import NO_ISSUE
from jira_sandbox.api.payload import JsonType, read_body, read_list
from jira_sandbox.api.views import to_json
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.selection import Selection
    from jira_sandbox.api.views import View
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site

MOST_FETCHED: Final = 100
_BODY_TYPES: Final[Mapping[str, JsonType]] = {
    "expand": (str,),
    "fields": (str,),
    "fieldsByKeys": bool,
    "issueIdsOrKeys": (str,),
    "properties": (str,),
}


class IssueRoutes(RouteGroup):
    """The routes that read issues in one version of the interface."""

    async def get(self, request: Request) -> Response:
        """Read an issue."""
        issue = require_issue(self._site, request)
        query = request.query_params
        selection = self._interface.fields.select(
            query.getlist("fields"), default="*all", whole=True
        )
        write = IssueWriter(
            self._interface.view(request),
            selection,
            read_list(query, "expand"),
            read_list(query, "properties"),
        )
        return self._interface.answer_text(write(issue))

    async def bulk_fetch(self, request: Request) -> Response:
        """Read up to a hundred issues."""
        body = await read_body(request, _BODY_TYPES)
        asked = body.get("issueIdsOrKeys", [])
        if not 1 <= len(asked) <= MOST_FETCHED:
            raise RequestRefused(
                400, f"Between 1 and {MOST_FETCHED} issues can be requested at once."
            )
        properties = body.get("properties", ())
        if len(properties) > MOST_ASKED:
            raise RequestRefused(400, f"'properties' takes at most {MOST_ASKED} keys.")
        selection = self._interface.fields.select(body.get("fields", ()), default="*navigable")
        write = IssueWriter(
            self._interface.view(request),
            selection,
            body.get("expand", ()),
            properties,
        )
        issues = ",".join(map(write, self._known(asked)))
        return self._interface.answer_text(f'{{"issueErrors":[],"issues":[{issues}]}}')

    def _known(self, asked: Iterable[str]) -> list[Issue]:
        """Return the issues in ascending order, without those that do not exist."""
        found = {issue.id: issue for text in asked if (issue := self._site.find(text))}
        return [found[issue_id] for issue_id in sorted(found)]


def require_issue(site: Site, request: Request) -> Issue:
    """Return the issue that the path names.

    Raises:
        RequestRefused: The issue does not exist.
    """
    issue = site.find(request.path_params["id_or_key"])
    if issue is None:
        raise RequestRefused(404, NO_ISSUE)
    return issue


class IssueWriter:
    """Serializes issues with the fields, properties and expansions that a request selects."""

    def __init__(
        self,
        view: View,
        selection: Selection,
        expand: Iterable[str] = (),
        properties: Iterable[str] = (),
    ) -> None:
        self._view = view
        self._expander = Expander(view, expand)
        self._selection = selection
        self._properties = tuple(properties)
        expand = tuple(expand)
        parts: dict[str, object] = {}
        if "names" in expand:
            parts["names"] = selection.names()
        if "schema" in expand:
            parts["schema"] = selection.schemas()
        self._extra = f",{to_json(parts)[1:-1]}" if parts else ""

    def __call__(self, issue: Issue) -> str:
        """Return an issue as JSON text."""
        extra = self._extra
        if self._properties:
            extra += f',"properties":{to_json(select_properties(issue, self._properties))}'
        if self._expander:
            extra += f",{to_json(self._expander.expand(issue))[1:-1]}"
        return self._view.issue(issue, self._selection, extra)
