"""Routes for boards: their configuration, sprints, epics, issues and backlogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jira_sandbox.api.agile.agile_issues import AgileIssues
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import read_list
from jira_sandbox.data.kit import BOARDS
from jira_sandbox.data.workflow import statuses
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Board, Project
    from jira_sandbox.data.site import Site

NO_SPRINTS: Final = "The board does not support sprints"
_ESTIMATES: Final = {True: "customfield_10028", False: "customfield_10016"}


def find_board(site: Site, wanted: str) -> Board:
    """Return the board with an ID.

    Raises:
        RequestRefused: It does not exist.
    """
    known = {project.id for project in site.projects}
    for board in BOARDS:
        if str(board.id) == wanted and board.project in known:
            return board
    raise RequestRefused(404, "The requested board cannot be viewed because it does not exist.")


class BoardRoutes(RouteGroup):
    """The routes for boards."""

    async def list_all(self, request: Request) -> JsonObject:
        """Find boards, page by page."""
        site, query = self._site, request.query_params
        wanted = query.get("projectKeyOrId")
        project = None if wanted is None else site.project(wanted)
        if wanted is not None and project is None:
            raise RequestRefused(400, f"No project could be found with key or id '{wanted[:100]}'.")
        known = {each.id for each in site.projects} if project is None else {project.id}
        kinds, text = read_list(query, "type"), query.get("name", "").lower()
        found = [
            board
            for board in BOARDS
            if board.project in known
            and (not kinds or board.type in kinds)
            and text in board.name.lower()
        ]
        return make_page(request, found, lambda board: self._describe(request, board))

    async def get(self, request: Request) -> JsonObject:
        """Describe a board."""
        return self._describe(request, self._find_in_path(request))

    async def configuration(self, request: Request) -> JsonObject:
        """Describe the columns and the estimation of a board."""
        board = self._find_in_path(request)
        project = self._project(board)
        records = self._records(request)
        field = _ESTIMATES[project.team_managed]
        return {
            "id": board.id,
            "name": board.name,
            "type": board.type,
            "self": f"{records.agile}/board/{board.id}/configuration",
            "filter": {"id": str(10000 + board.id), "self": f"{records.api}/filter/{board.id}"},
            "columnConfig": {
                "columns": [
                    {
                        "name": status.name,
                        "statuses": [
                            {
                                "id": str(status.id),
                                "self": f"{records.api}/status/{status.id}",
                            }
                        ],
                    }
                    for status in statuses(project)
                ],
                "constraintType": "none",
            },
            "estimation": {"type": "field", "field": {"fieldId": field}},
            "ranking": {"rankCustomFieldId": 10019},
        }

    async def projects(self, request: Request) -> JsonObject:
        """List the projects of a board."""
        describe = self._records(request).project
        projects = [self._project(self._find_in_path(request))]
        return make_page(request, projects, describe)

    async def sprints(self, request: Request) -> JsonObject:
        """List the sprints of a board, page by page."""
        board = self._find_in_path(request)
        if board.type == "kanban":
            raise RequestRefused(400, NO_SPRINTS)
        states = read_list(request.query_params, "state")
        found = [
            sprint
            for sprint in self._site.registry.sprints(board.id)
            if not states or sprint.state in states
        ]
        describe = self._records(request).agile_sprint
        return make_page(request, found, describe)

    async def epics(self, request: Request) -> JsonObject:
        """List the epics of a board, page by page."""
        done = request.query_params.get("done")
        found = [
            issue
            for issue in self._issues(self._find_in_path(request))
            if issue.type.level == 1 and done in {None, str(issue.resolved is not None).lower()}
        ]
        describe = self._records(request).epic
        return make_page(request, found, describe)

    async def issues(self, request: Request) -> JsonObject:
        """List the issues of a board."""
        found = [
            issue for issue in self._issues(self._find_in_path(request)) if issue.type.level < 1
        ]
        return AgileIssues(self._interface, request).page(found)

    async def backlog(self, request: Request) -> JsonObject:
        """List the issues of a board that are in no open sprint and not done."""
        found = [
            issue
            for issue in self._issues(self._find_in_path(request))
            if issue.type.level == 0
            and issue.resolved is None
            and all(sprint.state == "closed" for sprint in issue.sprints)
        ]
        return AgileIssues(self._interface, request).page(found)

    async def sprint_issues(self, request: Request) -> JsonObject:
        """List the issues of a board that are in a sprint."""
        wanted = request.path_params["sprint_id"]
        found = [
            issue
            for issue in self._issues(self._find_in_path(request))
            if any(str(sprint.id) == wanted for sprint in issue.sprints)
        ]
        return AgileIssues(self._interface, request).page(found)

    async def epic_issues(self, request: Request) -> JsonObject:
        """List the issues of a board that belong to an epic, or to none."""
        wanted = request.path_params["epic_id"]
        epic = None if wanted == "none" else self._site.find(wanted)
        if epic is None and wanted != "none":
            raise RequestRefused(404, "The requested epic does not exist.")
        found = [
            issue
            for issue in self._issues(self._find_in_path(request))
            if issue.type.level == 0 and issue.parent == (None if epic is None else epic.id)
        ]
        return AgileIssues(self._interface, request).page(found)

    def _issues(self, board: Board) -> list[Issue]:
        return [issue for issue in self._site if issue.project.id == board.project]

    def _find_in_path(self, request: Request) -> Board:
        return find_board(self._site, request.path_params["board_id"])

    def _project(self, board: Board) -> Project:
        project = self._site.project(str(board.project))
        assert project is not None
        return project

    def _describe(self, request: Request, board: Board) -> JsonObject:
        project = self._project(board)
        return {
            "id": board.id,
            "self": f"{self._records(request).agile}/board/{board.id}",
            "name": board.name,
            "type": board.type,
            "location": {
                "projectId": project.id,
                "displayName": f"{project.name} ({project.key})",
                "projectName": project.name,
                "projectKey": project.key,
                "projectTypeKey": "software",
                "name": f"{project.name} ({project.key})",
            },
        }
