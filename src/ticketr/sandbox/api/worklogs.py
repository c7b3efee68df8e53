"""Routes for the worklogs of an issue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.api.durations import read_duration
from ticketr.sandbox.api.input_errors import InvalidInput, InvalidValue
from ticketr.sandbox.api.interface import RouteGroup, no_content
from ticketr.sandbox.api.issues import require_issue
from ticketr.sandbox.api.part_input import read_extras, read_text
from ticketr.sandbox.api.payload import (
    read_body,
    read_integer,
    read_list,
    read_object,
    read_page,
)
from ticketr.sandbox.api.values import ValueContext, read_datetime
from ticketr.sandbox.data.parts import Worklog
from ticketr.sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from ticketr.sandbox.api.interface import Interface
    from ticketr.sandbox.api.records import JsonObject
    from ticketr.sandbox.data.issue import Issue
    from ticketr.sandbox.data.site import Site

_MOST_LISTED: Final = 1000
_SHORTEST: Final = 60
_NO_TIME: Final = "You must indicate the time spent working."
_MISSING: Final = "Cannot find worklog with id: '{}'."
_NOT_YOURS: Final = "You do not have permission to {} worklog with id '{}'."
_BAD_ESTIMATE: Final = "The 'adjustEstimate' parameter is not one of auto, leave, manual and new."


def read_worklog(
    interface: Interface, issue: Issue, body: JsonObject, *, is_new: bool = True
) -> dict[str, Any]:
    """Read the body of a request that adds or changes a worklog.

    Returns:
        The attributes of the `Worklog` that the request sets.

    Raises:
        InvalidInput: Jira would refuse the request.
    """
    values = read_extras(body)
    if is_new or "timeSpent" in body or "timeSpentSeconds" in body:
        values["seconds"] = _seconds(body)
    if "comment" in body:
        values["comment"] = read_text(interface, issue, body["comment"], "comment")
    if is_new or "started" in body:
        context = ValueContext(interface.site, interface.version, issue.project, issue.type, issue)
        try:
            started = read_datetime(context, body.get("started"))
        except InvalidValue as error:
            raise InvalidInput({"started": error.text}) from error
        values["started"] = interface.site.millis() if started is None else started
    return values


def _seconds(body: JsonObject) -> int:
    given, text = body.get("timeSpentSeconds"), body.get("timeSpent")
    seconds = read_duration(text) if isinstance(text, str) else given
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise InvalidInput({"timeLogged": "Invalid time duration entered." if text else _NO_TIME})
    if seconds < _SHORTEST:
        raise InvalidInput({"timeLogged": "Worklog must not be less than a minute."})
    return seconds // _SHORTEST * _SHORTEST


def add_worklog(
    site: Site, issue: Issue, values: dict[str, Any], parameters: Mapping[str, str]
) -> Worklog:
    """Add a worklog by the user who is signed in, and adjust the remaining estimate."""
    now = site.millis()
    worklog = Worklog(site.next_part(), site.user, created=now, updated=now, **values)
    _edit(site, issue, (*issue.worklogs, worklog), worklog.seconds, parameters)
    return worklog


def _edit(
    site: Site,
    issue: Issue,
    worklogs: tuple[Worklog, ...],
    change: int,
    parameters: Mapping[str, str],
) -> None:
    """Store worklogs that contain so many seconds more than before."""
    way = parameters.get("adjustEstimate", "auto").lower()
    left = issue.remaining_estimate
    if way == "new":
        left = _estimate(parameters, "newEstimate")
    elif way == "manual":
        name = "reduceBy" if change > 0 else "increaseBy"
        by = _estimate(parameters, name)
        left = max((left or 0) - (by if change > 0 else -by), 0)
    elif way == "auto":
        left = None if left is None else max(left - change, 0)
    elif way != "leave":
        raise RequestRefused(400, _BAD_ESTIMATE)
    ordered = tuple(sorted(worklogs, key=lambda worklog: (worklog.started, worklog.id)))
    site.edit(issue.key, worklogs=ordered, remaining_estimate=left)


def _estimate(parameters: Mapping[str, str], name: str) -> int:
    seconds = read_duration(parameters.get(name, ""))
    if seconds is None:
        raise InvalidInput({name: f"'{name}' must be a duration such as '2h 30m'."})
    return seconds


class WorklogRoutes(RouteGroup):
    """The routes for worklogs in one version of the interface."""

    async def list_all(self, request: Request) -> Response:
        """List the worklogs of an issue, the earliest first, page by page."""
        issue, query = require_issue(self._interface.site, request), request.query_params
        after = read_integer(query, "startedAfter", -1)
        before = read_integer(query, "startedBefore", 2**62)
        found = [worklog for worklog in issue.worklogs if after <= worklog.started < before]
        page = read_page(query, default=5000)
        return self._interface.answer(
            {
                "startAt": page.start,
                "maxResults": page.size,
                "total": len(found),
                "worklogs": [self._describe(request, issue, each) for each in page.of(found)],
            }
        )

    async def add(self, request: Request) -> Response:
        """Add a worklog."""
        body = await read_object(request)
        issue = require_issue(self._interface.site, request)
        values = read_worklog(self._interface, issue, body)
        worklog = add_worklog(self._interface.site, issue, values, request.query_params)
        return self._interface.answer(self._describe(request, issue, worklog), 201)

    async def get(self, request: Request) -> Response:
        """Read a worklog."""
        return self._interface.answer(self._describe(request, *self._named(request)))

    async def edit(self, request: Request) -> Response:
        """Change a worklog."""
        body = await read_object(request)
        site = self._interface.site
        issue, worklog = self._named(request, "edit")
        values = read_worklog(self._interface, issue, body, is_new=False)
        time = max(site.millis(), worklog.updated + 1)
        changed = replace(worklog, **values, editor=site.user, updated=time)
        all_of_them = tuple(changed if each.id == changed.id else each for each in issue.worklogs)
        difference = changed.seconds - worklog.seconds
        _edit(site, issue, all_of_them, difference, request.query_params)
        return self._interface.answer(self._describe(request, issue, changed))

    async def delete(self, request: Request) -> Response:
        """Delete a worklog."""
        issue, worklog = self._named(request, "delete")
        others = tuple(other for other in issue.worklogs if other.id != worklog.id)
        _edit(self._interface.site, issue, others, -worklog.seconds, request.query_params)
        return no_content()

    async def list_by_ids(self, request: Request) -> Response:
        """Read the worklogs with the given IDs, of any issues."""
        body = await read_body(request, {"ids": (int,)})
        wanted = set(body.get("ids", ()))
        if len(wanted) > _MOST_LISTED:
            raise RequestRefused(400, f"At most {_MOST_LISTED} worklogs can be read at once.")
        return self._interface.answer(
            [
                self._describe(request, issue, worklog)
                for issue in self._interface.site
                for worklog in issue.worklogs
                if worklog.id in wanted
            ]
        )

    def _describe(self, request: Request, issue: Issue, worklog: Worklog) -> dict[str, Any]:
        expand = read_list(request.query_params, "expand")
        return self._interface.view(request).parts.worklog(issue, worklog, expand)

    def _named(self, request: Request, action: str = "") -> tuple[Issue, Worklog]:
        """Return the worklog in the path; one of another user allows no action."""
        issue = require_issue(self._interface.site, request)
        wanted = request.path_params["worklog_id"]
        for worklog in issue.worklogs:
            if str(worklog.id) != wanted:
                continue
            if action and worklog.author.account_id != self._interface.site.user.account_id:
                raise RequestRefused(400, _NOT_YOURS.format(action, wanted))
            return issue, worklog
        raise RequestRefused(404, _MISSING.format(wanted[:50]))
