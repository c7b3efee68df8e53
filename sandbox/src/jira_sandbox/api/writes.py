"""Routes that create, edit and delete issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issue_input import read_create, read_edit
from jira_sandbox.api.issues import IssueWriter, require_issue
from jira_sandbox.api.payload import INVALID, read_flag, read_list, read_object
from jira_sandbox.api.transitions import perform_transition
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request


MOST_MADE: Final = 50
_NO_OVERRIDE: Final = "You must be an administrator of the app to override the screen security."


class WriteRoutes(RouteGroup):
    """The routes that write issues in one version of the interface."""

    async def create(self, request: Request) -> Response:
        """Create an issue."""
        return self._interface.answer(self._make(request, await read_object(request)), 201)

    def _make(self, request: Request, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict) or not isinstance(body.get("transition") or {}, dict):
            raise RequestRefused(400, INVALID)
        site, version = self._site, self._interface.version
        values, actions = read_create(site, version, body)
        issue = site.create(**values)
        actions.perform(site, issue.key)
        made: dict[str, Any] = self._interface.view(request).link(issue)
        if body.get("transition"):
            made["transition"] = _nested(None)
            try:
                perform_transition(
                    site, version, site.existing(issue.key), {"transition": body["transition"]}
                )
            except InvalidInput as error:
                made["transition"] = _nested(error)
        return made

    async def create_all(self, request: Request) -> Response:
        """Create up to fifty issues."""
        body = await read_object(request)
        updates = body.get("issueUpdates")
        if not isinstance(updates, list) or not updates:
            raise RequestRefused(400, INVALID)
        if len(updates) > MOST_MADE:
            raise RequestRefused(400, f"At most {MOST_MADE} issues can be created at once.")
        made, failed = [], []
        for number, update in enumerate(updates):
            try:
                made.append(self._make(request, update))
            except (InvalidInput, RequestRefused) as error:
                failed.append(
                    {
                        "status": error.status,
                        "elementErrors": error_body(error),
                        "failedElementNumber": number,
                    }
                )
        answer = {"issues": made, "errors": failed}
        return self._interface.answer(answer, 201 if made else 400)

    async def edit(self, request: Request) -> Response | None:
        """Edit an issue."""
        site, query = self._site, request.query_params
        body = await read_object(request)
        issue = require_issue(site, request)
        if read_flag(query, "overrideScreenSecurity") or read_flag(query, "overrideEditableFlag"):
            raise RequestRefused(403, _NO_OVERRIDE)
        values, actions = read_edit(site, self._interface.version, issue, body)
        if values or not actions:
            issue = site.edit(issue.key, **values)
        actions.perform(site, issue.key)
        if not read_flag(query, "returnIssue"):
            return None
        issue = site.existing(issue.key)
        write = IssueWriter(
            self._interface.view(request),
            self._interface.fields.select((), default="*all"),
            read_list(query, "expand"),
        )
        return self._interface.answer_text(write(issue))

    async def delete(self, request: Request) -> None:
        """Delete an issue."""
        issue = require_issue(self._site, request)
        with_subtasks = read_flag(request.query_params, "deleteSubtasks")
        if not with_subtasks and any(child.type.subtask for child in self._site.children(issue)):
            raise RequestRefused(
                400,
                f"The issue '{issue.key}' has subtasks. You must specify the 'deleteSubtasks' "
                "parameter to delete this issue and all its subtasks.",
            )
        self._site.delete(issue.key)


def error_body(error: InvalidInput | RequestRefused) -> dict[str, Any]:
    """Return the body of the response to a refused request."""
    if isinstance(error, InvalidInput):
        return error.as_json()
    return {"errorMessages": [error.message], "errors": {}}


def _nested(error: InvalidInput | None) -> dict[str, Any]:
    """Return the result of a transition as a part of a response."""
    if error is None:
        return {"status": 200, "errorCollection": {"errorMessages": [], "errors": {}}}
    return {"status": error.status, "errorCollection": error.as_json()}
