"""Two more projects, whose issues have fields of every type.

``KIT`` is company-managed like ``DEMO``. ``TEAM`` is team-managed: it has its own issue types,
statuses and fields, and some of their names occur elsewhere, too, as on real sites.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from jira_sandbox.data import catalogue, model

KIT: Final = model.Project(
    10002, "KIT", "Fitting Out", "The new shop by the fish market.", catalogue.USERS[4]
)
TEAM: Final = model.Project(
    10003, "TEAM", "Reading Group", "Evenings with authors.", catalogue.USERS[2], team_managed=True
)

TEAM_EPIC: Final = model.IssueType(10010, "Epic", "A series of evenings.", 1, TEAM.id)
TEAM_STORY: Final = model.IssueType(10011, "Story", "Something guests want.", 0, TEAM.id)
TEAM_TASK: Final = model.IssueType(10012, "Task", "Something to do.", 0, TEAM.id)
TEAM_SUBTASK: Final = model.IssueType(10013, "Subtask", "A part of it.", -1, TEAM.id)
TEAM_TYPES: Final = (TEAM_EPIC, TEAM_STORY, TEAM_TASK, TEAM_SUBTASK)

TEAM_TO_DO: Final = model.Status(10010, "To Do", "", catalogue.NEW, TEAM.id)
TEAM_DOING: Final = model.Status(10011, "In Progress", "", catalogue.ACTIVE, TEAM.id)
TEAM_DONE: Final = model.Status(10012, "Done", "", catalogue.FINISHED, TEAM.id)
TEAM_STATUSES: Final = (TEAM_TO_DO, TEAM_DOING, TEAM_DONE)

TEAM_VERSIONS: Final = (
    model.Version(
        10010, "Spring", released=True, release_date=date(2025, 6, 20), project_id=TEAM.id
    ),
    model.Version(10011, "Autumn", released=False, release_date=None, project_id=TEAM.id),
)
TEAM_COMPONENTS: Final = (
    model.Component(10010, "Guests", TEAM.id),
    model.Component(10011, "Rooms", TEAM.id),
)

SECURITY_LEVELS: Final = (
    model.SecurityLevel(10000, "Staff", "Everybody who works in the shops."),
    model.SecurityLevel(10001, "Management", "The managers only."),
)
GROUPS: Final = (
    model.Group("276f955c-63d7-42c8-9520-92d01dca0625", "booksellers"),
    model.Group("6e87dc72-4f1f-421f-9382-2fee8b652487", "jira-software-users"),
    model.Group("2b3c5d8e-90f7-4a68-8f9d-5d5f0c7a1e44", "managers"),
)
TEAMS: Final = (
    model.Team("36885b3c-1bf0-4f85-a357-c5b858c31de4", "Front of house"),
    model.Team("8f0c2a5e-5d6b-4f0e-9a57-0d9d7f6a2c11", "Back office"),
)

#: The company-managed boards' IDs come first; DEMO's sprints belong to board 1.
BOARDS: Final = (
    model.Board(1, "DEMO board", "scrum", catalogue.DEMO.id),
    model.Board(2, "BLANK board", "kanban", catalogue.BLANK.id),
    model.Board(3, "KIT board", "scrum", KIT.id),
    model.Board(4, "TEAM board", "simple", TEAM.id),
)


def types_of(project: model.Project) -> tuple[model.IssueType, ...]:
    """Return the issue types of a project."""
    return TEAM_TYPES if project.team_managed else catalogue.ISSUE_TYPES
