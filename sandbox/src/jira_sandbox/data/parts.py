"""What belongs to an issue: comments, worklogs, attachments, links and its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jira_sandbox.data.model import Adf, User


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment.

    Attributes:
        editor: The user who last changed the comment; None stands for the author.
        visibility: The role or group that sees the comment, in Jira's JSON; None for everybody.
        properties: The entity properties, by key.
    """

    id: int
    author: User
    body: Adf
    created: int
    updated: int
    editor: User | None = None
    visibility: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Worklog:
    """A record of the time that a user spent on an issue.

    Attributes:
        seconds: The time spent.
        started: When the work began.
        editor: The user who last changed the record; None stands for the author.
        visibility: The role or group that sees the record, in Jira's JSON; None for everybody.
        properties: The entity properties, by key.
    """

    id: int
    author: User
    seconds: int
    started: int
    created: int
    updated: int
    comment: Adf | None = None
    editor: User | None = None
    visibility: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file; `Site.content` returns its bytes."""

    id: int
    author: User
    name: str
    mime_type: str
    size: int
    created: int


@dataclass(frozen=True, slots=True)
class LinkType:
    """A kind of link, with the words for its two directions."""

    id: int
    name: str
    outward: str
    inward: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two issues; both of them hold it.

    Attributes:
        kind: The kind of link.
        source: The ID of the issue that, for example, blocks the other one.
        target: The ID of the issue that is blocked.
    """

    id: int
    kind: LinkType
    source: int
    target: int

    def other(self, issue_id: int) -> int:
        """Return the ID of the issue at the other end."""
        return self.target if issue_id == self.source else self.source


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """A link to something on another site; `details` is what Jira stores of it, as JSON."""

    id: int
    details: Mapping[str, Any]

    @property
    def global_id(self) -> str | None:
        """The ID by which programs find the link again."""
        return self.details.get("globalId")


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """The change of one field.

    Attributes:
        field: The field's name in the history.
        field_id: The field's ID.
        old: The old value, such as a status's ID; None for none.
        old_text: The old value in words.
        new: The new value.
        new_text: The new value in words.
    """

    field: str
    field_id: str
    old: str | None
    old_text: str | None
    new: str | None
    new_text: str | None


@dataclass(frozen=True, slots=True)
class History:
    """The changes that one write made to an issue."""

    id: int
    author: User
    created: int
    items: tuple[HistoryItem, ...]
