"""What ``expand`` adds to an issue, besides the names and schemas of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.changelog_records import describe_history
from jira_sandbox.api.field_metadata import FieldDescriber
from jira_sandbox.api.html import to_html
from jira_sandbox.api.media import media_id
from jira_sandbox.api.screens import TRANSITION_SCREEN
from jira_sandbox.data.extra_fields import BY_ID as EXTRA
from jira_sandbox.data.workflow import transitions_from

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject, Records
    from jira_sandbox.api.views import View
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site
    from jira_sandbox.data.workflow import Transition

#: The most entries of the history inside an issue, the newest ones.
MOST_HISTORIES: Final = 40


class Expander:
    """Adds expansions to issues.

    Args:
        view: Serializes records.
        asked: The names of the expansions; unknown ones are ignored, as in Jira.
    """

    def __init__(self, view: View, asked: Iterable[str]) -> None:
        self._view = view
        self._asked = tuple(name for name in _EXPANSIONS if name in set(asked))

    def __bool__(self) -> bool:
        return bool(self._asked)

    def expand(self, issue: Issue) -> JsonObject:
        """Return what the expansions add to an issue."""
        return {name: _EXPANSIONS[name](self._view, issue) for name in self._asked}


def _changelog(view: View, issue: Issue) -> JsonObject:
    newest = issue.history[: -MOST_HISTORIES - 1 : -1]
    return {
        "startAt": 0,
        "maxResults": len(newest),
        "total": len(issue.history),
        "histories": [describe_history(view, history) for history in newest],
    }


def _edit_metadata(view: View, issue: Issue) -> JsonObject:
    describer = FieldDescriber(view.records, view.site, issue.project)
    return {"fields": describer.edit_screen(issue)}


def _transitions(view: View, issue: Issue) -> list[JsonObject]:
    records = view.records
    return [
        describe_transition(view.site, records, issue, transition)
        for transition in transitions_from(issue)
    ]


def _rendered(view: View, issue: Issue) -> JsonObject:
    """Return the HTML of the texts; other fields are null, as in Jira."""
    address = view.parts.content_address
    images = {media_id(each.id): address(each) for each in issue.attachments}
    rendered: JsonObject = {
        "description": issue.description and to_html(issue.description, images),
        "comment": {
            "comments": [
                {**view.parts.comment(issue, comment), "body": to_html(comment.body, images)}
                for comment in issue.comments
            ],
            "maxResults": len(issue.comments),
            "total": len(issue.comments),
            "startAt": 0,
        },
    }
    for name, value in issue.values.items():
        if EXTRA[name].kind == "textarea":
            rendered[name] = to_html(value, images)
    return rendered


def _operations(_view: View, _: Issue) -> JsonObject:
    return {"linkGroups": []}


_EXPANSIONS: Final[dict[str, Callable[[View, Issue], Any]]] = {
    "changelog": _changelog,
    "editmeta": _edit_metadata,
    "operations": _operations,
    "renderedFields": _rendered,
    "transitions": _transitions,
}


def describe_transition(
    site: Site,
    records: Records,
    issue: Issue,
    transition: Transition,
    *,
    with_fields: bool = False,
) -> JsonObject:
    """Describe a transition of an issue, with the fields of its screen if they are wanted."""
    described: JsonObject = {
        "id": str(transition.id),
        "name": transition.name,
        "to": records.status(transition.to),
        "hasScreen": transition.has_screen,
        "isGlobal": transition.source is None,
        "isInitial": False,
        "isAvailable": transition.leaves(issue.status),
        "isConditional": False,
        "looped": False,
    }
    if with_fields:
        describer = FieldDescriber(records, site, issue.project)
        described["fields"] = {
            name: {**describer.field(writable, issue.type), "required": name == "resolution"}
            for name, writable in (TRANSITION_SCREEN if transition.has_screen else {}).items()
        }
    return described
