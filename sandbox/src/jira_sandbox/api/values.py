"""Convert JSON values of fields to the attributes of an issue.

A reader takes a context and a JSON value, null included. It returns the value of the issue's
attribute or raises `InvalidValue` with Jira's error message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.adf import check_document
from jira_sandbox.api.durations import read_duration
from jira_sandbox.api.input_errors import InvalidValue
from jira_sandbox.api.wiki_markup import to_wiki
from jira_sandbox.api.wiki_parser import from_wiki
from jira_sandbox.data.model import to_millis

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Adf, IssueType, Project, Sprint, User
    from jira_sandbox.data.site import Site

MOST_TEXT: Final = 32_767
MOST_LINE: Final = 255
_MOST_NUMBER: Final = 1e14
_NOT_TEXT: Final = "Operation value must be a string"
_NOT_ADF: Final = (
    "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
)
_WRONG_PARENT: Final = "Given parent work item does not belong to appropriate hierarchy."


@dataclass(frozen=True, slots=True)
class ValueContext:
    """The context in which a value is read; `issue` is None for a new issue."""

    site: Site
    version: str
    project: Project
    type: IssueType
    issue: Issue | None


ValueReader = Callable[[ValueContext, Any], Any]


def read_summary(_: ValueContext, value: Any) -> str:
    """Read a summary: one line that is not blank."""
    if value is not None and not isinstance(value, str):
        raise InvalidValue(_NOT_TEXT)
    if value is None or not value.strip():
        raise InvalidValue("You must specify a summary of the issue.")
    if len(value) > MOST_LINE:
        raise InvalidValue(f"Summary must be less than {MOST_LINE} characters.")
    if "\n" in value or "\r" in value:
        raise InvalidValue("The summary is invalid because it contains newline characters.")
    return value.strip()


def read_line(_: ValueContext, value: Any) -> str | None:
    """Read a text of one line and strip it."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidValue(_NOT_TEXT)
    _check_length(value, MOST_LINE)
    return value.strip() or None


def read_document(context: ValueContext, value: Any) -> Adf | None:
    """Read a document: ADF in version 3, wiki markup in version 2."""
    if value is None:
        return None
    if context.version == "3":
        if not isinstance(value, dict) or value.get("type") != "doc":
            raise InvalidValue(_NOT_ADF)
        check_document(value)
        document = value
    else:
        if not isinstance(value, str):
            raise InvalidValue(_NOT_TEXT)
        document = from_wiki(value)
    _check_length(to_wiki(document), MOST_TEXT)
    return document if document["content"] else None


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise InvalidValue(
            f"The entered text is too long. It exceeds the allowed limit of {most:,} characters."
        )


def read_number(_: ValueContext, value: Any) -> float | None:
    """Read a number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidValue("Operation value must be a number")
    if not abs(value) <= _MOST_NUMBER:
        raise InvalidValue("The number is too big.")
    return float(value)


def read_date(_: ValueContext, value: Any) -> date | None:
    """Read a date."""
    return parse_date(value)


def parse_date(value: Any) -> date | None:
    """Read a date such as ``2026-02-28``; return None for null and an empty text."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidValue(_NOT_TEXT)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidValue(f"Error parsing date string: {value[:50]}")


def read_datetime(_: ValueContext, value: Any) -> int | None:
    """Read a time in the only format that Jira accepts: ``2026-02-28T09:30:00.000+0100``."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidValue(_NOT_TEXT)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}", value, re.ASCII):
        try:
            return to_millis(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            pass
    raise InvalidValue(f"Error parsing time string: {value[:50]}")


def read_labels(_: ValueContext, value: Any) -> tuple[str, ...]:
    """Read labels and sort them."""
    for label in entries(value):
        if not isinstance(label, str):
            raise InvalidValue(_NOT_TEXT)
        if not label or re.search(r"\s", label):
            raise InvalidValue(f"The label '{label}' contains spaces which is invalid.")
        if len(label) > MOST_LINE:
            raise InvalidValue(f"The label '{label[:20]}...' exceeds {MOST_LINE} characters.")
    return tuple(sorted(set(entries(value))))


def entries(value: Any) -> list[Any]:
    """Return the entries of a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidValue("data was not an array")
    return value


def read_user(context: ValueContext, value: Any) -> User | None:
    """Read a user by the account ID."""
    if value is None:
        return None
    account = value.get("accountId", value.get("id")) if isinstance(value, dict) else 0
    if isinstance(value, dict) and account is None and not value.keys() & {"name", "key"}:
        return None
    for user in context.site.users:
        if user.account_id == account:
            return user
    if isinstance(account, str):
        raise InvalidValue(f"User '{account[:128]}' does not exist.")
    raise InvalidValue("Specify a user by 'accountId'.")


def read_reporter(context: ValueContext, value: Any) -> User:
    """Read a user, who must not be null."""
    user = read_user(context, value)
    if user is None:
        raise InvalidValue("Reporter is required.")
    return user


def read_sprint(context: ValueContext, value: Any) -> tuple[Sprint, ...]:
    """Read the ID of a sprint; the issue keeps its closed sprints."""
    past = () if context.issue is None else context.issue.sprints
    over = tuple(sprint for sprint in past if sprint.state == "closed")
    if value is None:
        return over
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue("Number value expected as the Sprint id.")
    sprint = context.site.registry.sprint(value)
    if sprint is not None:
        return (*(other for other in over if other != sprint), sprint)
    raise InvalidValue(f"Sprint with id '{value}' does not exist.")


def read_parent(context: ValueContext, value: Any) -> int | None:
    """Read the parent's ID or key, and check its level and project."""
    if value is None or value in ({}, {"none": True}):
        if context.type.subtask:
            raise InvalidValue("Issue type is a sub-task but parent issue key or id not specified.")
        return None
    name = (value.get("key") or value.get("id")) if isinstance(value, dict) else None
    parent = context.site.find(str(name)) if isinstance(name, (str, int)) else None
    if parent is None:
        raise InvalidValue("Could not find issue by id or key.")
    if parent.type.level != context.type.level + 1 or parent == context.issue:
        raise InvalidValue(_WRONG_PARENT, "parentId")
    if parent.project != context.project and context.type.subtask:
        raise InvalidValue(
            "Sub-tasks must be created in the same project as the parent.", "project"
        )
    return parent.id


def one_of(things: Iterable[Any], refusal: str, name: str = "name") -> ValueReader:
    """Return a reader that selects one of several records by ID or name.

    Args:
        things: The records.
        refusal: The error message if none matches; ``{0}`` becomes the given ID or name.
        name: The JSON key, and the attribute of a record, that holds the name.
    """
    known = tuple(things)

    def read(_: ValueContext, value: Any) -> Any:
        if not isinstance(value, dict) or not value.keys() & {"id", name}:
            raise InvalidValue(f"Specify a valid 'id' or '{name}'")
        key = "id" if value.get("id") is not None else name
        attribute = "id" if key == "id" else name
        for thing in known:
            if str(getattr(thing, attribute)) == str(value.get(key)):
                return thing
        raise InvalidValue(refusal.format(f"{key} '{str(value.get(key))[:100]}'"))

    return read


def one_from(choices: Callable[[ValueContext], Iterable[Any]], refusal: str) -> ValueReader:
    """Return a reader like that of `one_of`, whose records depend on the context."""
    return lambda context, value: one_of(choices(context), refusal)(context, value)


def read_time_tracking(_: ValueContext, value: Any) -> dict[str, int | None]:
    """Read estimates, and return the attributes of the issue that they set."""
    known = {"originalEstimate": "original_estimate", "remainingEstimate": "remaining_estimate"}
    if value is None:
        return dict.fromkeys(known.values())
    if not isinstance(value, dict):
        raise InvalidValue("data was not an object")
    estimates: dict[str, int | None] = {}
    for name, attribute in known.items():
        if name not in value:
            continue
        text = value[name]
        seconds = read_duration(text) if isinstance(text, str) else None
        if text and seconds is None:
            raise InvalidValue(f"Invalid time duration entered for '{name}'.", name)
        estimates[attribute] = seconds
    if estimates.keys() == {"original_estimate"}:
        estimates["remaining_estimate"] = estimates["original_estimate"]
    return estimates


def nullable(read: ValueReader) -> ValueReader:
    """Return a reader that also accepts null."""
    return lambda context, value: None if value is None else read(context, value)


def list_of(read: ValueReader) -> ValueReader:
    """Return a reader of a list, which drops duplicates and sorts by ID."""

    def read_all(context: ValueContext, value: Any) -> tuple[Any, ...]:
        found = {(thing := read(context, entry)).id: thing for entry in entries(value)}
        return tuple(found[key] for key in sorted(found))

    return read_all
