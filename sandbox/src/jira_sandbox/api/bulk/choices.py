"""Routes that tell which fields and transitions many issues have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.field_metadata import FieldDescriber
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.payload import read_list
from jira_sandbox.data.workflow import transitions_from
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue

_PAGE: Final = 50
_MOST_ISSUES: Final = 1000
_LIST_CHANGES: Final = ["ADD", "REMOVE", "REPLACE", "REMOVE_ALL"]


class BulkChoiceRoutes(RouteGroup):
    """The routes for what bulk operations can choose from."""

    async def fields(self, request: Request) -> JsonObject:
        """List the fields that all of the issues have on their edit screens."""
        issues = self._issues(request)
        records = self._records(request)
        site = self._site
        screens = [
            FieldDescriber(records, site, issue.project).edit_screen(issue) for issue in issues
        ]
        shared = set.intersection(*(set(screen) for screen in screens)) if screens else set()
        text = request.query_params.get("searchText", "").lower()
        found = [
            _field(name, described)
            for name, described in (screens[0] if screens else {}).items()
            if name in shared and text in described["name"].lower() and described["operations"]
        ]
        return _page(request, "fields", found, "id")

    async def transitions(self, request: Request) -> JsonObject:
        """List the transitions that are possible, by sets of issues that have the same ones."""
        groups: dict[tuple[int, int], list[Issue]] = {}
        for issue in self._issues(request):
            groups.setdefault((issue.project.id, issue.status.id), []).append(issue)
        found = [
            {
                "issues": [issue.key for issue in issues],
                "isTransitionsFiltered": False,
                "transitions": [
                    {
                        "transitionId": transition.id,
                        "transitionName": transition.name,
                        "to": {
                            "statusId": transition.to.id,
                            "statusName": transition.to.name,
                        },
                    }
                    for transition in transitions_from(issues[0])
                ],
            }
            for issues in groups.values()
        ]
        return {"availableTransitions": found}

    def _issues(self, request: Request) -> list[Issue]:
        names = read_list(request.query_params, "issueIdsOrKeys")
        if not 1 <= len(names) <= _MOST_ISSUES:
            raise RequestRefused(400, f"Between 1 and {_MOST_ISSUES} issues must be given.")
        found = [self._site.find(name) for name in names]
        return [issue for issue in found if issue is not None]


def _field(name: str, described: JsonObject) -> JsonObject:
    field: JsonObject = {
        "id": name,
        "name": described["name"],
        "type": described["schema"]["type"],
        "isRequired": described["required"],
    }
    if "add" in described["operations"]:
        field["multiSelectFieldOptions"] = _LIST_CHANGES
    if "autoCompleteUrl" in described:
        field["searchUrl"] = described["autoCompleteUrl"]
    return field


def _page(request: Request, name: str, entries: list[JsonObject], key: str) -> dict[str, Any]:
    """Return the page after the entry that the request names."""
    after = request.query_params.get("startingAfter")
    keys = [entry[key] for entry in entries]
    start = keys.index(after) + 1 if after in keys else 0
    page: dict[str, Any] = {name: entries[start : start + _PAGE]}
    if start + _PAGE < len(entries):
        page["startingAfter"] = keys[start + _PAGE - 1]
    return page
