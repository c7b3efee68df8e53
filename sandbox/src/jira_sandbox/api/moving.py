"""Move issues to another project, another type or another parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_sandbox.api.input_errors import InvalidInput, InvalidValue
from jira_sandbox.api.values import ValueContext, read_parent
from jira_sandbox.data.kit import types_of
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import IssueType, Project
    from jira_sandbox.data.site import Site


def read_target(site: Site, text: str) -> tuple[Project, IssueType, str | None]:
    """Read a target such as ``DEMO,10001`` or, with a parent, ``DEMO,10004,DEMO-7``.

    Raises:
        RequestRefused: The project or the type does not exist.
    """
    name, _, rest = text.partition(",")
    type_id, _, parent = rest.partition(",")
    project = site.project(name.strip())
    if project is None:
        raise RequestRefused(400, f"The project '{name[:50]}' does not exist.")
    for kind in types_of(project):
        if str(kind.id) == type_id.strip():
            return project, kind, parent.strip() or None
    raise RequestRefused(400, f"The issue type '{type_id[:50]}' does not exist in the project.")


def move_issue(site: Site, issue: Issue, target: Any) -> None:
    """Move an issue, and its sub-tasks with it.

    Raises:
        InvalidInput: The parent does not fit.
        RequestRefused: The target does not exist.
    """
    project, kind, parent = read_target(site, target)
    context = ValueContext(site, "3", project, kind, issue)
    keeps = parent is None and project == issue.project and kind.level == issue.type.level
    try:
        value = None if parent is None else {"key": parent}
        above = issue.parent if keeps else read_parent(context, value)
    except InvalidValue as error:
        raise InvalidInput({error.field or "parent": error.text}) from error
    if project == issue.project:
        site.edit(issue.key, type=kind, parent=above)
        return
    subtasks = [child for child in site.children(issue) if child.type.subtask]
    site.move(issue.key, project, kind, parent=above)
    below = next(kind for kind in types_of(project) if kind.subtask)
    for child in subtasks:
        site.move(child.key, project, below)
