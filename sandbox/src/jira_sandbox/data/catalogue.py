"""The records that all sites share: users, projects, types, statuses, priorities.

The signed-in user's time zone is five and a half hours ahead of UTC, which exposes clients
that confuse their own clock with Jira's or ignore the half hour.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from jira_sandbox.data import model
from jira_sandbox.data.parts import LinkType

DEMO_USER: Final = model.User(
    "712020:5b10a284-4c20-4165-b00e-de2100000001",
    "Demo User",
    "demo@example.com",
    "Asia/Kolkata",
    timedelta(hours=5, minutes=30),
)
USERS: Final = (
    DEMO_USER,
    model.User("712020:0f6a1c52-9e0b-4b57-8a3e-000000000002", "Zoë Åkesson", "zoe@example.com"),
    model.User("712020:1d2b3c4d-5e6f-4a7b-8c9d-000000000003", "Priya Raman", "priya@example.com"),
    model.User(
        "557058:2a3b4c5d-6e7f-4081-92a3-000000000004", "Tomás O\u2019Brien", "tomas@example.com"
    ),
    model.User("712020:3b4c5d6e-7f80-4192-a3b4-000000000005", "陈美玲", "meiling@example.com"),
    model.User("5b10ac8d82e05b22cc7d4ef5", "Amara Okafor", "amara@example.com"),
    model.User("712020:4c5d6e7f-8091-42a3-b4c5-000000000007", "Jonas Weiß", "jonas@example.com"),
)

DEMO: Final = model.Project(
    10000, "DEMO", "Harbour Books", "The online shop of a small chain of bookshops.", USERS[1]
)
BLANK: Final = model.Project(
    10001, "BLANK", "Nothing Here Yet", "A project without issues.", USERS[3]
)

EPIC: Final = model.IssueType(10000, "Epic", "A big piece of work made of smaller ones.", 1)
STORY: Final = model.IssueType(10001, "Story", "Something that a user wants.", 0)
TASK: Final = model.IssueType(10002, "Task", "A small, distinct piece of work.", 0)
BUG: Final = model.IssueType(10003, "Bug", "A problem or an error.", 0)
SUBTASK: Final = model.IssueType(10004, "Sub-task", "A part of another issue.", -1)
ISSUE_TYPES: Final = (EPIC, STORY, TASK, BUG, SUBTASK)

NEW: Final = model.StatusCategory(2, "new", "To Do", "blue-gray")
ACTIVE: Final = model.StatusCategory(4, "indeterminate", "In Progress", "yellow")
FINISHED: Final = model.StatusCategory(3, "done", "Done", "green")
CATEGORIES: Final = (NEW, ACTIVE, FINISHED)

TO_DO: Final = model.Status(10000, "To Do", "Nobody has begun.", NEW)
IN_PROGRESS: Final = model.Status(10001, "In Progress", "Somebody is at it.", ACTIVE)
IN_REVIEW: Final = model.Status(10002, "In Review", "Somebody else looks at it.", ACTIVE)
DONE: Final = model.Status(10003, "Done", "Finished and shipped.", FINISHED)
STATUSES: Final = (TO_DO, IN_PROGRESS, IN_REVIEW, DONE)

PRIORITIES: Final = (
    model.Priority(1, "Highest"),
    model.Priority(2, "High"),
    model.Priority(3, "Medium"),
    model.Priority(4, "Low"),
    model.Priority(5, "Lowest"),
)
MEDIUM: Final = PRIORITIES[2]

RESOLUTIONS: Final = (
    model.Resolution(10000, "Done", "Work has been completed on this issue."),
    model.Resolution(10001, "Won't Do", "This issue will not be acted upon."),
    model.Resolution(10002, "Duplicate", "The problem is described by another issue."),
)

COMPONENTS: Final = tuple(
    model.Component(10000 + number, name)
    for number, name in enumerate(
        ("Shop front", "Checkout", "Accounts", "Warehouse", "Mobile app", "Platform")
    )
)
VERSIONS: Final = (
    model.Version(10000, "2025.4", released=True, release_date=date(2025, 10, 30)),
    model.Version(10001, "2026.1", released=False, release_date=date(2026, 2, 26)),
    model.Version(10002, "2026.2", released=False, release_date=date(2026, 5, 28)),
)
PLATFORMS: Final = tuple(
    model.Option(10020 + number, name)
    for number, name in enumerate(("Web", "iOS", "Android", "Till"))
)

_FIRST_SPRINT: Final = datetime(2025, 10, 6, 7, 0, tzinfo=UTC)
_GOALS: Final = (
    "Guests can pay without an account",
    "The warehouse sees returns the same day",
    "Search finds what people mean",
    "Gift cards before the holidays",
    "Faster pages on old phones",
    "Loyalty points at the till",
    "Cleaner exports for the accountants",
    "Read aloud: audiobooks in the app",
)


def _sprint(number: int) -> model.Sprint:
    start = _FIRST_SPRINT + timedelta(weeks=2 * (number - 1))
    state = {7: "active", 8: "future"}.get(number, "closed")
    return model.Sprint(
        number,
        f"Harbour Sprint {number}",
        state,
        _GOALS[number - 1],
        model.to_millis(start),
        model.to_millis(start + timedelta(days=12)),
    )


SPRINTS: Final = tuple(_sprint(number) for number in range(1, len(_GOALS) + 1))
LINK_TYPES: Final = (
    LinkType(10000, "Blocks", "blocks", "is blocked by"),
    LinkType(10001, "Cloners", "clones", "is cloned by"),
    LinkType(10002, "Duplicate", "duplicates", "is duplicated by"),
    LinkType(10003, "Relates", "relates to", "relates to"),
)
