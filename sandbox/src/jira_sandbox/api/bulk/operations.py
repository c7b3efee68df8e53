"""Routes that submit bulk operations, and tell how far they have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.bulk.edited_fields import translate_fields
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.moving import read_target
from jira_sandbox.api.payload import read_body
from jira_sandbox.api.records import timestamp
from jira_sandbox.data.task import Task
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.payload import JsonType
    from jira_sandbox.api.records import JsonObject

MOST_ISSUES: Final = 1000
_MOST_FIELDS: Final = 200
#: The keys of the bodies, with the types of their values.
_SELECTED_TYPES: Final[Mapping[str, JsonType]] = {
    "selectedIssueIdsOrKeys": (str,),
    "sendBulkNotification": bool,
}
_EDIT_TYPES: Final[Mapping[str, JsonType]] = {
    **_SELECTED_TYPES,
    "editedFieldsInput": dict,
    "selectedActions": (str,),
}
_TRANSITION_TYPES: Final[Mapping[str, JsonType]] = {
    "bulkTransitionInputs": (dict,),
    "sendBulkNotification": bool,
}
_MOVE_TYPES: Final[Mapping[str, JsonType]] = {
    "targetToSourcesMapping": dict,
    "sendBulkNotification": bool,
}


class BulkRoutes(RouteGroup):
    """The routes for bulk operations in one version of the interface."""

    async def edit(self, request: Request) -> Response:
        """Change fields of many issues."""
        body = await read_body(request, _EDIT_TYPES)
        selected = set(body.get("selectedActions", ()))
        if not 1 <= len(selected) <= _MOST_FIELDS:
            raise RequestRefused(400, f"Between 1 and {_MOST_FIELDS} fields can be edited.")
        given = dict(body.get("editedFieldsInput", {}))
        status = given.pop("status", None)
        try:
            fields, update = translate_fields(given, selected)
            named = {"status": status["statusId"]} if status and "status" in selected else {}
        except (AttributeError, KeyError, TypeError):
            raise RequestRefused(400, "'editedFieldsInput' is malformed.") from None
        if missing := selected - fields.keys() - update.keys() - named.keys():
            raise RequestRefused(400, f"There is no value for the fields {sorted(missing)}.")
        changes = {"fields": fields, "update": update, **named}
        return self._submit("edit", [(name, changes) for name in _names(body)])

    async def transition(self, request: Request) -> Response:
        """Perform transitions of many issues."""
        body = await read_body(request, _TRANSITION_TYPES)
        return self._submit(
            "transition",
            [
                (name, str(one.get("transitionId")))
                for one in body.get("bulkTransitionInputs", ())
                for name in _names(one)
            ],
        )

    async def delete(self, request: Request) -> Response:
        """Delete many issues with their sub-tasks."""
        body = await read_body(request, _SELECTED_TYPES)
        return self._submit("delete", [(name, None) for name in _names(body)])

    async def move(self, request: Request) -> Response:
        """Move many issues to other projects, types or parents."""
        body = await read_body(request, _MOVE_TYPES)
        steps: list[tuple[str, Any]] = []
        for target, source in body.get("targetToSourcesMapping", {}).items():
            read_target(self._site, target)
            if not isinstance(source, dict):
                raise RequestRefused(400, "'targetToSourcesMapping' is malformed.")
            steps += [(str(name), target) for name in source.get("issueIdsOrKeys") or ()]
        return self._submit("move", steps)

    async def watch(self, request: Request) -> Response:
        """Watch many issues."""
        body = await read_body(request, _SELECTED_TYPES)
        return self._submit("watch", [(name, None) for name in _names(body)])

    async def unwatch(self, request: Request) -> Response:
        """Watch many issues no longer."""
        body = await read_body(request, _SELECTED_TYPES)
        return self._submit("unwatch", [(name, None) for name in _names(body)])

    async def progress(self, request: Request) -> JsonObject:
        """Tell how far an operation has come."""
        return self._describe(request, self._find_in_path(request))

    async def cancel(self, request: Request) -> Response:
        """Leave out the rest of an operation."""
        task = self._find_in_path(request)
        if task.is_over:
            raise RequestRefused(400, "The task is over.")
        self._site.put_task(replace(task, cancelled=True))
        return self._interface.answer("Task cancelled", 202)

    def _submit(self, action: str, steps: Iterable[tuple[str, Any]]) -> Response:
        site = self._site
        wanted = dict(steps)
        if not 1 <= len(wanted) <= MOST_ISSUES:
            raise RequestRefused(400, f"Between 1 and {MOST_ISSUES} issues can be changed at once.")
        found = {issue.id: given for name, given in wanted.items() if (issue := site.find(name))}
        now = site.millis()
        task = Task(
            site.next_record(),
            action,
            [[number, given] for number, given in found.items()],
            len(wanted) - len(found),
            now,
            now,
        )
        site.put_task(task)
        return self._interface.answer({"taskId": str(task.id)}, 201)

    def _find_in_path(self, request: Request) -> Task:
        wanted = request.path_params["task_id"]
        for task in self._site.registry.tasks():
            if str(task.id) == wanted:
                return task
        raise RequestRefused(400, f"The task '{wanted[:50]}' does not exist.")

    def _describe(self, request: Request, task: Task) -> JsonObject:
        view = self._interface.view(request)
        total = len(task.steps)
        described: JsonObject = {
            "taskId": str(task.id),
            "status": _status(task),
            "progressPercent": task.done * 100 // total if total else 100,
            "submittedBy": view.records.user(view.viewer),
            "created": timestamp(task.created, view.viewer),
            "started": timestamp(task.created, view.viewer),
            "updated": timestamp(task.updated, view.viewer),
            "totalIssueCount": total + task.invalid,
            "invalidOrInaccessibleIssueCount": task.invalid,
            "processedAccessibleIssues": task.processed(),
        }
        if task.failed:
            described["failedAccessibleIssues"] = task.failed
        return described


def _names(body: Mapping[str, Any]) -> list[str]:
    names = body.get("selectedIssueIdsOrKeys")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RequestRefused(400, "'selectedIssueIdsOrKeys' is a list of IDs or keys.")
    return names


def _status(task: Task) -> str:
    if task.cancelled:
        return "CANCELLED"
    if task.is_over:
        return "COMPLETE"
    return "RUNNING" if task.done else "ENQUEUED"
