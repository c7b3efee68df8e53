"""The parts of an update that change no field: comments, links and work logs to add."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.link_input import find_link_type, find_linked
from jira_sandbox.api.part_input import add_comment, add_worklog, read_comment, read_worklog
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.api.values import ValueContext
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.parts import LinkType
    from jira_sandbox.data.site import Site

#: The operations that each field of an update has.
_OPERATIONS_OF_FIELDS: Final = {
    "comment": ("add", "edit", "remove"),
    "issuelinks": ("add",),
    "worklog": ("add",),
}


@dataclass(frozen=True, slots=True)
class Actions:
    """What an update does besides setting fields.

    Attributes:
        comments: The attributes of new comments.
        changed: The attributes of changed comments, None for a deleted one, by ID.
        worklogs: The attributes of new work logs.
        links: Of each new link its kind, the other issue, and whether that is the target.
    """

    comments: tuple[dict[str, Any], ...] = ()
    changed: tuple[tuple[int, dict[str, Any] | None], ...] = ()
    worklogs: tuple[dict[str, Any], ...] = ()
    links: tuple[tuple[LinkType, Issue, bool], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.comments or self.changed or self.worklogs or self.links)

    def perform(self, site: Site, key: str) -> None:
        """Perform the actions on an issue."""
        for values in self.comments:
            add_comment(site, site.existing(key), values)
        for number, changes in self.changed:
            _change_comment(site, site.existing(key), number, changes)
        for values in self.worklogs:
            add_worklog(site, site.existing(key), values, {})
        for kind, other, is_target in self.links:
            ends = (site.existing(key), site.existing(other.key))
            site.link(kind, *(ends if is_target else ends[::-1]))


def read_actions(context: ValueContext, update: JsonObject) -> tuple[Actions, JsonObject]:
    """Read the actions in an update.

    Returns:
        The actions, and the rest of the update.

    Raises:
        InvalidInput: Jira would refuse one of them.
    """
    comments: list[dict[str, Any]] = []
    changed: list[tuple[int, dict[str, Any] | None]] = []
    for verb, operand in _read_operations(update, "comment"):
        if verb == "add":
            comments.append(read_comment(context, operand))
        else:
            number = _own_comment(context, operand)
            changed.append((number, read_comment(context, operand) if verb == "edit" else None))
    worklogs = [
        read_worklog(context, operand) for _, operand in _read_operations(update, "worklog")
    ]
    links = [_read_link(context, operand) for _, operand in _read_operations(update, "issuelinks")]
    rest = {name: value for name, value in update.items() if name not in _OPERATIONS_OF_FIELDS}
    return Actions(tuple(comments), tuple(changed), tuple(worklogs), tuple(links)), rest


def _read_operations(update: JsonObject, name: str) -> Iterator[tuple[str, JsonObject]]:
    operations = update.get(name) or []
    if not isinstance(operations, list):
        raise InvalidInput({name: "The operations of an update are a list of objects."})
    for operation in operations:
        for verb, operand in operation.items() if isinstance(operation, dict) else ():
            if verb not in _OPERATIONS_OF_FIELDS[name] or not isinstance(operand, dict):
                raise InvalidInput({name: f"Field '{name}' does not support update '{verb}'"})
            yield verb, operand


def _own_comment(context: ValueContext, operand: JsonObject) -> int:
    """Return the ID of the comment that an operand names; only the author may change it."""
    comments = () if context.issue is None else context.issue.comments
    for comment in comments:
        is_own = comment.author.account_id == context.site.user.account_id
        if str(comment.id) == str(operand.get("id")) and is_own:
            return comment.id
    raise InvalidInput({"comment": "The comment does not exist, or is not yours."})


def _change_comment(site: Site, issue: Issue, number: int, changes: dict[str, Any] | None) -> None:
    """Change a comment of an issue; None for the changes removes it."""
    comments = tuple(
        comment
        if comment.id != number
        else replace(comment, **(changes or {}), editor=site.user, updated=comment.updated + 1)
        for comment in issue.comments
        if changes is not None or comment.id != number
    )
    site.edit(issue.key, comments=comments)


def _read_link(context: ValueContext, operand: JsonObject) -> tuple[LinkType, Issue, bool]:
    is_target = "outwardIssue" in operand
    try:
        kind = find_link_type(operand.get("type"))
        other = find_linked(context.site, operand.get("outwardIssue", operand.get("inwardIssue")))
    except RequestRefused as error:
        raise InvalidInput({"issuelinks": error.message}) from error
    return kind, other, is_target
