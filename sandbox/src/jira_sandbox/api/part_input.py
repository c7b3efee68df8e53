"""Read the bodies of requests that write comments and worklogs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.durations import read_duration
from jira_sandbox.api.entity_properties import read_properties
from jira_sandbox.api.input_errors import InvalidDocument, InvalidInput, InvalidValue
from jira_sandbox.api.payload import INVALID
from jira_sandbox.api.values import read_datetime, read_document
from jira_sandbox.data.parts import Comment, Worklog
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.api.values import ValueContext
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Adf
    from jira_sandbox.data.site import Site

EMPTY_COMMENT: Final = "Comment body can not be empty!"
_NOT_VALID: Final = "Comment body is not valid!"
_LEAST_SECONDS: Final = 60
_NO_TIME: Final = "You must indicate the time spent working."
_BAD_ESTIMATE: Final = "The 'adjustEstimate' parameter is not one of auto, leave, manual and new."


def read_text(context: ValueContext, value: Any, field: str) -> Adf | None:
    """Read a document, or None for an empty one.

    Raises:
        InvalidInput: The value is not a document of the interface's version.
    """
    try:
        return read_document(context, value)
    except InvalidValue as error:
        raise InvalidInput({field: error.text}) from error
    except InvalidDocument as error:
        raise InvalidInput({field: _NOT_VALID}) from error


def read_comment(context: ValueContext, body: JsonObject) -> dict[str, Any]:
    """Read the body of a request that adds or changes a comment.

    Returns:
        The attributes of the `Comment` that the request sets.

    Raises:
        InvalidInput: Jira would refuse the request.
    """
    text = read_text(context, body.get("body"), "comment")
    if text is None:
        raise InvalidInput({"comment": EMPTY_COMMENT})
    return {"body": text, **read_extras(body)}


def read_extras(body: JsonObject) -> dict[str, Any]:
    """Read the visibility and the properties, as far as the body mentions them."""
    extras: dict[str, Any] = {}
    if "visibility" in body:
        extras["visibility"] = _visibility(body["visibility"])
    if "properties" in body:
        extras["properties"] = read_properties(body)
    return extras


def _visibility(value: Any) -> JsonObject | None:
    if not value:
        return None
    if not isinstance(value, dict) or value.keys() - {"type", "value", "identifier"}:
        raise RequestRefused(400, INVALID)
    if value.get("type") not in {"group", "role"}:
        raise InvalidInput({"commentLevel": "The visibility is either of a group or of a role."})
    name = value.get("value") or value.get("identifier")
    if not isinstance(name, str):
        raise InvalidInput({"commentLevel": f"Specify the {value['type']} of the visibility."})
    return {"type": value["type"], "value": name, "identifier": name}


def add_comment(site: Site, issue: Issue, values: dict[str, Any]) -> Comment:
    """Add a comment by the user who is signed in; `values` come from `read_comment`."""
    now = site.millis()
    comment = Comment(site.next_part(), site.user, created=now, updated=now, **values)
    site.edit(issue.key, comments=(*issue.comments, comment))
    return comment


def read_worklog(context: ValueContext, body: JsonObject, *, is_new: bool = True) -> dict[str, Any]:
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
        values["comment"] = read_text(context, body["comment"], "comment")
    if is_new or "started" in body:
        try:
            started = read_datetime(context, body.get("started"))
        except InvalidValue as error:
            raise InvalidInput({"started": error.text}) from error
        values["started"] = context.site.millis() if started is None else started
    return values


def _seconds(body: JsonObject) -> int:
    given, text = body.get("timeSpentSeconds"), body.get("timeSpent")
    seconds = read_duration(text) if isinstance(text, str) else given
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise InvalidInput({"timeLogged": "Invalid time duration entered." if text else _NO_TIME})
    if seconds < _LEAST_SECONDS:
        raise InvalidInput({"timeLogged": "Worklog must not be less than a minute."})
    return seconds // _LEAST_SECONDS * _LEAST_SECONDS


def add_worklog(
    site: Site, issue: Issue, values: dict[str, Any], parameters: Mapping[str, str]
) -> Worklog:
    """Add a worklog by the user who is signed in, and adjust the remaining estimate."""
    now = site.millis()
    worklog = Worklog(site.next_part(), site.user, created=now, updated=now, **values)
    edit_worklogs(site, issue, (*issue.worklogs, worklog), worklog.seconds, parameters)
    return worklog


def edit_worklogs(
    site: Site,
    issue: Issue,
    worklogs: tuple[Worklog, ...],
    change: int,
    parameters: Mapping[str, str],
) -> None:
    """Store worklogs that contain so many seconds more, and adjust the remaining estimate."""
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
