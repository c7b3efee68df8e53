"""The issues of the projects that have fields of every type; the same on every site."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from jira_sandbox.content.adf import bullets, doc, heading, p, text
from jira_sandbox.data import catalogue, kit, model
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.parts import Attachment, Comment, Link, Worklog

#: The issues' IDs are below those of ``DEMO``.
_FIRST_ID: Final = 5000
_FIRST_TEAM_ID: Final = 5100
_FIRST_CREATED: Final = model.to_millis(datetime(2025, 9, 1, 8, 0, tzinfo=UTC))
_HOUR_MS: Final = 3_600_000
_USERS: Final = catalogue.USERS

_PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_TEXT_FILE: Final = "Regale: 12 × 80 €\n".encode()
_FILES: Final = (
    Attachment(401, _USERS[1], "plan.png", "image/png", len(_PIXEL), _FIRST_CREATED),
    Attachment(
        402,
        _USERS[0],
        "Angebot für Regale.txt",
        "text/plain",
        len(_TEXT_FILE),
        _FIRST_CREATED + _HOUR_MS,
    ),
)
#: The bytes of the attachments, by their IDs.
CONTENTS: Final = {401: _PIXEL, 402: _TEXT_FILE}

#: A value of every field of ``KIT``.
KIT_VALUES: Final[dict[str, Any]] = {
    "environment": doc(p("The shop by the ", text("fish market", "strong"), ".")),
    "versions": [10000],
    "security": 10000,
    "customfield_10001": kit.TEAMS[0].id,
    "customfield_10015": "2025-09-08",
    "customfield_10021": [10019],
    "customfield_10101": doc(heading(3, "First"), bullets("Paint", "Shelves"), p("Then open.")),
    "customfield_10102": "C-2025/17",
    "customfield_10103": 12_500.5,
    "customfield_10104": 10122,
    "customfield_10105": [10130, 10132],
    "customfield_10106": 10141,
    "customfield_10107": [10150, 10152],
    "customfield_10108": [10160, 10161],
    "customfield_10109": _USERS[1].account_id,
    "customfield_10110": [_USERS[0].account_id, _USERS[3].account_id],
    "customfield_10111": kit.GROUPS[0].id,
    "customfield_10112": [kit.GROUPS[0].id, kit.GROUPS[2].id],
    "customfield_10113": "2025-11-28",
    "customfield_10114": model.to_millis(datetime(2025, 11, 28, 8, 30, tzinfo=UTC)),
    "customfield_10115": ["fish", "new-shop"],
    "customfield_10116": 10000,
    "customfield_10117": [10001, 10002],
    "customfield_10118": catalogue.DEMO.id,
    "customfield_10119": "https://example.com/fish-market?a=1&b=2",
    "customfield_10120": doc(p("Order the shelves earlier.")),
    "customfield_10121": "AUD-7",
    "customfield_10122": "dark_teal",
}
#: A value of every field of ``TEAM``.
TEAM_VALUES: Final[dict[str, Any]] = {
    "versions": [10010],
    "customfield_10001": kit.TEAMS[1].id,
    "customfield_10015": "2025-10-01",
    "customfield_10021": [10019],
    "customfield_10028": 3.0,
    "customfield_10201": "An evening with Zoë",
    "customfield_10202": doc(p("Reading, then questions.")),
    "customfield_10203": 150.0,
    "customfield_10204": 10221,
    "customfield_10205": [10230, 10231],
    "customfield_10206": "2025-12-04",
    "customfield_10207": model.to_millis(datetime(2025, 12, 4, 18, 0, tzinfo=UTC)),
    "customfield_10208": ["debut", "poetry"],
    "customfield_10209": [_USERS[1].account_id, _USERS[4].account_id],
    "customfield_10210": "https://example.com/evenings/4",
}
_KIT_TITLES: Final = (
    (catalogue.EPIC, "Open the shop by the fish market", None),
    (catalogue.STORY, "Everything about this ticket is filled in", 1),
    (catalogue.STORY, "Nothing about this ticket is filled in", None),
    (catalogue.TASK, "Order the shelves", 1),
    (catalogue.BUG, "The door opens by itself", 1),
    (catalogue.SUBTASK, "Measure the back wall", 4),
    (catalogue.TASK, "Paint the ceiling", 1),
    (catalogue.STORY, "Sell the first book", None),
)
_TEAM_TITLES: Final = (
    (kit.TEAM_EPIC, "Winter evenings", None),
    (kit.TEAM_STORY, "Everything about this evening is filled in", 1),
    (kit.TEAM_STORY, "Nothing about this evening is filled in", None),
    (kit.TEAM_TASK, "Print the posters", 1),
    (kit.TEAM_SUBTASK, "Choose the paper", 4),
)


def make_extra_issues() -> Iterator[Issue]:
    """Generate the issues of both projects, in ascending order of their IDs."""
    yield from _kit_issues()
    yield from _team_issues()


def _kit_issues() -> Iterator[Issue]:
    link = Link(301, catalogue.LINK_TYPES[0], _FIRST_ID + 4, _FIRST_ID + 2)
    for number, (kind, title, parent) in enumerate(_KIT_TITLES, 1):
        issue = _issue(_FIRST_ID, number, kit.KIT, kind, title, parent, catalogue.TO_DO)
        if number == 2:
            issue = replace(issue, **_full(link), values=KIT_VALUES)
        elif number == 4:
            issue = replace(issue, links=(link,), values={"customfield_10104": 10120})
        elif number == 5:
            issue = replace(
                issue, values={"customfield_10104": 10121, "customfield_10108": [10180]}
            )
        elif number == 7:
            issue = replace(issue, status=catalogue.IN_REVIEW, sprints=catalogue.SPRINTS[:1])
        yield issue


def _full(link: Link) -> dict[str, Any]:
    """Return a value of every attribute that the other issues leave out."""
    hello, thanks = doc(p("Does the paint smell?")), doc(p("Not after a day, ", text("no", "em")))
    return {
        "description": doc(p("All fields of this ticket have a value.")),
        "priority": catalogue.PRIORITIES[1],
        "assignee": _USERS[2],
        "due": date(2025, 11, 20),
        "labels": ("opening", "shop"),
        "components": catalogue.COMPONENTS[:2],
        "fix_versions": catalogue.VERSIONS[1:2],
        "story_points": 5.0,
        "sprints": (catalogue.SPRINTS[5], catalogue.SPRINTS[6]),
        "platform": catalogue.PLATFORMS[0],
        "release_note": "The shop is open.",
        "reviewer": _USERS[5],
        "ready": _FIRST_CREATED,
        "original_estimate": 57_600,
        "remaining_estimate": 28_800,
        "comments": (
            Comment(101, _USERS[1], hello, _FIRST_CREATED + _HOUR_MS, _FIRST_CREATED + _HOUR_MS),
            Comment(
                102, _USERS[0], thanks, _FIRST_CREATED + 2 * _HOUR_MS, _FIRST_CREATED + 3 * _HOUR_MS
            ),
        ),
        "worklogs": (
            Worklog(
                201,
                _USERS[2],
                14_400,
                _FIRST_CREATED,
                _FIRST_CREATED,
                _FIRST_CREATED,
                doc(p("Sanded the floor.")),
            ),
        ),
        "attachments": _FILES,
        "links": (link,),
    }


def _team_issues() -> Iterator[Issue]:
    for number, (kind, title, parent) in enumerate(_TEAM_TITLES, 1):
        issue = _issue(_FIRST_TEAM_ID, number, kit.TEAM, kind, title, parent, kit.TEAM_TO_DO)
        if number == 2:
            issue = replace(
                issue,
                description=doc(p("All fields of this evening have a value.")),
                status=kit.TEAM_DOING,
                assignee=_USERS[1],
                due=date(2025, 12, 4),
                labels=("winter",),
                components=kit.TEAM_COMPONENTS[:1],
                fix_versions=kit.TEAM_VERSIONS[1:],
                values=TEAM_VALUES,
            )
        yield issue


def _issue(
    first: int,
    number: int,
    project: model.Project,
    kind: model.IssueType,
    title: str,
    parent: int | None,
    status: model.Status,
) -> Issue:
    return Issue(
        id=first + number,
        number=number,
        project=project,
        type=kind,
        status=status,
        priority=catalogue.MEDIUM,
        summary=title,
        description=None,
        reporter=_USERS[number % len(_USERS)],
        created=_FIRST_CREATED + number * _HOUR_MS,
        updated=_FIRST_CREATED + number * 2 * _HOUR_MS,
        parent=None if parent is None else first + parent,
    )
