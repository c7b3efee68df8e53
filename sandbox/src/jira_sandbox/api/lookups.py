"""Routes that help people to choose: issues, labels, fields, the words of JQL, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.field_metadata import FieldDescriber
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import read_flag, read_list
from jira_sandbox.data.extra_fields import EXTRA_FIELDS
from jira_sandbox.data.kit import types_of
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.fields import FieldDefinition
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import Project

_MOST_SUGGESTED: Final = 20
_RESERVED: Final = ("after", "and", "before", "by", "changed", "during", "empty", "from", "in")
_FUNCTIONS: Final = (
    "currentUser()",
    "endOfDay()",
    "now()",
    "openSprints()",
    "startOfDay()",
    "startOfWeek()",
    "subTaskIssueTypes()",
)


class LookupRoutes(RouteGroup):
    """The routes for choices in one version of the interface."""

    async def pick_issues(self, request: Request) -> JsonObject:
        """Suggest issues by a part of the key or the summary."""
        query, site = request.query_params, self._site
        text = query.get("query", "").strip().lower()
        jql = query.get("currentJQL")
        issues = self._interface.searcher.find(jql) if jql else list(site)
        with_subtasks = read_flag(query, "showSubTasks", default=True)
        project = query.get("currentProjectId")
        found = [
            issue
            for issue in issues
            if text in f"{issue.key}\n{issue.summary}".lower()
            and issue.key != query.get("currentIssueKey")
            and project in {None, str(issue.project.id)}
            and (with_subtasks or not issue.type.subtask)
        ]
        base = self._records(request).base
        section = {
            "id": "cs",
            "label": "Current Search",
            "sub": f"Showing {min(len(found), _MOST_SUGGESTED)} of {len(found)} matching issues",
            "issues": [
                {
                    "id": issue.id,
                    "key": issue.key,
                    "keyHtml": issue.key,
                    "img": f"{base}/images/icons/issuetypes/{10300 + issue.type.level}.svg",
                    "summary": issue.summary,
                    "summaryText": issue.summary,
                }
                for issue in found[:_MOST_SUGGESTED]
            ],
        }
        return {"sections": [section]}

    async def labels(self, request: Request) -> JsonObject:
        """List all labels, page by page."""
        known = sorted({label for issue in self._site for label in issue.labels})
        return make_page(request, known, str, default=1000)

    async def search_fields(self, request: Request) -> JsonObject:
        """Find fields, page by page."""
        query = request.query_params
        ids, text = set(read_list(query, "id")), query.get("query", "").lower()
        kinds = set(read_list(query, "type"))
        found = [
            field
            for field in self._interface.fields.definitions
            if (not ids or field.id in ids)
            and text in field.name.lower()
            and (not kinds or ("custom" if field.custom else "system") in kinds)
        ]
        return make_page(request, found, _field)

    async def option(self, request: Request) -> JsonObject:
        """Describe a choice of a select field by its ID."""
        wanted = request.path_params["id"]
        every = (option for field in EXTRA_FIELDS for option in field.options)
        for option in (each for top in every for each in (top, *top.children)):
            if str(option.id) == wanted:
                described = self._records(request).option(option)
                del described["id"]
                return described
        raise RequestRefused(404, f"The option with id '{wanted[:50]}' does not exist.")

    async def words_of_jql(self, _request: Request) -> JsonObject:
        """List the fields and the functions of JQL."""
        names = [
            (field, name)
            for field in self._interface.fields.definitions
            for name in field.clauses[-1:]
        ]
        return {
            "visibleFieldNames": [
                {
                    "value": name if name.isalnum() else f'"{name}"',
                    "displayName": field.name,
                    "orderable": str(field.orderable).lower(),
                    "searchable": "true",
                    "operators": ["=", "!=", "in", "not in", "is", "is not"],
                    "types": ["java.lang.String"],
                }
                for field, name in names
            ],
            "visibleFunctionNames": [
                {"value": name, "displayName": name, "types": ["java.lang.String"]}
                for name in _FUNCTIONS
            ],
            "jqlReservedWords": list(_RESERVED),
        }

    async def configuration(self, _request: Request) -> JsonObject:
        """Tell what is switched on."""
        flags = (
            "votingEnabled",
            "watchingEnabled",
            "unassignedIssuesAllowed",
            "subTasksEnabled",
            "issueLinkingEnabled",
            "timeTrackingEnabled",
            "attachmentsEnabled",
        )
        return {
            **dict.fromkeys(flags, True),
            "timeTrackingConfiguration": {
                "workingHoursPerDay": 8.0,
                "workingDaysPerWeek": 5.0,
                "timeFormat": "pretty",
                "defaultUnit": "minute",
            },
        }

    async def old_create_metadata(self, request: Request) -> JsonObject:
        """Describe projects with their issue types, and the fields if they are asked for."""
        query = request.query_params
        wanted = set(read_list(query, "projectKeys") + read_list(query, "projectIds"))
        projects = [
            self._project(request, project)
            for project in self._site.projects
            if not wanted or wanted & {project.key, str(project.id)}
        ]
        return {"expand": "projects", "projects": projects}

    def _project(self, request: Request, project: Project) -> JsonObject:
        query, records = request.query_params, self._records(request)
        names = set(query.getlist("issuetypeNames")) | set(query.getlist("issuetypeIds"))
        with_fields = "projects.issuetypes.fields" in read_list(query, "expand")
        describer = FieldDescriber(records, self._site, project)
        types: list[dict[str, Any]] = []
        for kind in types_of(project):
            if names and not names & {kind.name, str(kind.id)}:
                continue
            described = records.issue_type(kind)
            if with_fields:
                described["fields"] = {
                    field["key"]: {key: part for key, part in field.items() if key != "fieldId"}
                    for field in describer.create_screen(kind)
                }
            types.append(described)
        short = records.project(project)
        kept = ("self", "id", "key", "name", "avatarUrls")
        return {**{key: short[key] for key in kept}, "issuetypes": types}


def _field(field: FieldDefinition) -> JsonObject:
    return {
        "id": field.id,
        "name": field.name,
        "key": field.id,
        "schema": field.schema or {"type": "any"},
        "isLocked": False,
    }
