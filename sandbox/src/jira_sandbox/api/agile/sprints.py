"""Routes for sprints, and for moving issues into them and out of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.agile.agile_issues import AgileIssues, rank_issues, read_issues
from jira_sandbox.api.agile.boards import NO_SPRINTS, find_board
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.payload import read_object
from jira_sandbox.data.model import Sprint, to_millis
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue

_LONGEST_NAME: Final = 30
_DATE_ATTRIBUTES: Final = {"startDate": "start", "endDate": "end", "completeDate": "complete"}
_NEXT_STATE: Final = {"future": "active", "active": "closed", "closed": None}
_MISSING: Final = "Sprint does not exist."


class SprintRoutes(RouteGroup):
    """The routes for sprints."""

    async def add(self, request: Request) -> Response:
        """Create a sprint that is not yet started."""
        body = await read_object(request)
        board = find_board(self._site, str(body.get("originBoardId")))
        if board.type == "kanban":
            raise RequestRefused(400, NO_SPRINTS)
        values = {"goal": "", "start": None, "end": None, **self._read_values(body)}
        if "name" not in values:
            raise RequestRefused(400, "The sprint's name is missing.")
        sprint = Sprint(self._site.next_record(), state="future", board=board.id, **values)
        self._site.put_record(sprint)
        return self._interface.answer(self._describe(request, sprint), 201)

    async def get(self, request: Request) -> JsonObject:
        """Describe a sprint."""
        return self._describe(request, self._find_in_path(request))

    async def replace(self, request: Request) -> JsonObject:
        """Change a sprint; what the body leaves out is emptied."""
        body = await read_object(request)
        for name in ("goal", *_DATE_ATTRIBUTES):
            body.setdefault(name, None)
        return self._change(request, self._find_in_path(request), body)

    async def edit(self, request: Request) -> JsonObject:
        """Change a part of a sprint; a new state starts or closes it."""
        body = await read_object(request)
        return self._change(request, self._find_in_path(request), body)

    async def delete(self, request: Request) -> None:
        """Delete a sprint, whose issues go back to the backlog."""
        self._site.remove_record(self._find_in_path(request))

    async def issues(self, request: Request) -> JsonObject:
        """List the issues of a sprint."""
        sprint = self._find_in_path(request)
        found = [issue for issue in self._site if sprint in issue.sprints]
        return AgileIssues(self._interface, request).page(found)

    async def move_issues(self, request: Request) -> None:
        """Move issues into a sprint."""
        body = await read_object(request)
        sprint = self._find_in_path(request)
        if sprint.state == "closed":
            raise RequestRefused(400, "Issues can only be moved to open or active sprints.")
        issues = read_issues(self._site, body)
        self._put_into_sprints(issues, (sprint,))
        rank_issues(self._site, issues, body)

    async def move_to_backlog(self, request: Request) -> None:
        """Move issues out of their open sprints."""
        body = await read_object(request)
        issues = read_issues(self._site, body)
        self._put_into_sprints(issues, ())
        rank_issues(self._site, issues, body)

    def _put_into_sprints(self, issues: list[Issue], sprints: tuple[Sprint, ...]) -> None:
        """Move issues out of their open sprints and into others."""
        if any(issue.type.level != 0 for issue in issues):
            raise RequestRefused(400, "Epics and sub-tasks cannot be moved to a sprint.")
        for issue in issues:
            closed = tuple(sprint for sprint in issue.sprints if sprint.state == "closed")
            self._site.edit(issue.key, sprints=(*closed, *sprints))

    def _change(self, request: Request, before: Sprint, body: JsonObject) -> JsonObject:
        """Store a sprint with the values that a body has, and describe it."""
        values = self._read_values(body)
        state = body.get("state")
        after = replace(before, **{**values, "complete": values.get("complete", before.complete)})
        if state not in (None, before.state):
            after = self._advance(after, str(state))
        self._site.put_record(after)
        return self._describe(request, after)

    def _advance(self, sprint: Sprint, state: str) -> Sprint:
        """Start or close a sprint."""
        if _NEXT_STATE[sprint.state] != state:
            raise RequestRefused(400, f"A {sprint.state} sprint cannot become '{state[:20]}'.")
        if state == "active" and (sprint.start is None or sprint.end is None):
            raise RequestRefused(400, "A sprint needs a start date and an end date to be started.")
        complete = self._site.millis() if state == "closed" else None
        return replace(sprint, state=state, complete=complete)

    def _read_values(self, body: JsonObject) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if body.get("name") is not None:
            name = body["name"]
            if not isinstance(name, str) or not 0 < len(name.strip()) <= _LONGEST_NAME:
                raise RequestRefused(
                    400, f"The sprint's name must have 1 to {_LONGEST_NAME} characters."
                )
            values["name"] = name.strip()
        if "goal" in body:
            values["goal"] = str(body["goal"] or "")
        for name, attribute in _DATE_ATTRIBUTES.items():
            if name in body:
                values[attribute] = self._time(name, body[name])
        return values

    def _time(self, name: str, value: Any) -> int | None:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise RequestRefused(400, f"'{name}' is not a date such as 2026-01-05.") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._site.user.zone)
        return to_millis(moment)

    def _find_in_path(self, request: Request) -> Sprint:
        wanted = request.path_params["sprint_id"]
        sprint = self._site.registry.sprint(int(wanted)) if wanted.isdigit() else None
        if sprint is None:
            raise RequestRefused(404, _MISSING)
        return sprint

    def _describe(self, request: Request, sprint: Sprint) -> JsonObject:
        return self._records(request).agile_sprint(sprint)
