"""Converts lines of links to the links that a push adds and removes, and checks them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.diff import Change, Part
from ticketr.app.sync.compare.mapping import (
    LINK_FIELD,
    jira_links,
    keys_in,
    line_name,
    link_loss,
    removed_links,
)
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.losses import Accepted, Loss, unaccepted
from ticketr.app.sync.push.values import BadValue, shown
from ticketr.app.tickets import Ticket, is_key

if TYPE_CHECKING:
    from ticketr.app.jira import LinkType


@dataclass(frozen=True, slots=True)
class LinkDirection:
    """What a line of links stands for.

    Attributes:
        type_id: The ID of the kind of link.
        is_outward: Whether the issue with the line is the first of the two, which blocks the other.
    """

    type_id: str
    is_outward: bool


@dataclass(frozen=True, slots=True)
class LinkWrite:
    """A link to add or to remove.

    Attributes:
        line: The name of its line.
        key: The issue at the other end.
        direction: What the line stands for.
        remove: The ID of the link to remove; empty to add one.
    """

    line: str
    key: str
    direction: LinkDirection
    remove: str = ""


@dataclass(frozen=True, slots=True)
class LinkPayload:
    """The links that a push adds and removes at one issue; see `CommentPayload`."""

    writes: tuple[LinkWrite, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    values: tuple[SentValue, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkContext:
    """What is known of links.

    Attributes:
        directions: What each line of links stands for, by its name.
        accepted: The losses that the push may cause.
    """

    directions: Mapping[str, LinkDirection] = field(default_factory=dict)
    accepted: Accepted = False

    @classmethod
    def of(
        cls, types: Iterable[LinkType], fields: Iterable[str], accepted: Accepted
    ) -> LinkContext:
        """Return the context of a site with some kinds of links.

        Args:
            types: The kinds.
            fields: The names of the lines that hold fields.
            accepted: The losses that the push may cause.
        """
        directions: dict[str, LinkDirection] = {}
        for link_type in types:
            directions.setdefault(
                line_name(link_type.outward), LinkDirection(link_type.id, is_outward=True)
            )
            directions.setdefault(
                line_name(link_type.inward), LinkDirection(link_type.id, is_outward=False)
            )
        names = set(fields)
        return cls({k: v for k, v in directions.items() if k not in names}, accepted)

    def direction_of(self, part: Part) -> LinkDirection | None:
        """Return what a line of links stands for; None for any other part."""
        return self.directions.get(part) if isinstance(part, str) else None


def link_payload(
    issue: Ticket,
    changes: Iterable[Change],
    context: LinkContext,
    *,
    fields: Mapping[str, object],
    path: str,
) -> LinkPayload:
    """Return what is sent of the changes that are lines of links.

    Args:
        issue: The issue in its file.
        changes: Its changes; those of other parts are left out.
        context: What is known of links.
        fields: The issue's fields in Jira; empty for a draft.
        path: Its file, relative to the workspace.
    """
    writes: list[LinkWrite] = []
    problems: list[str] = []
    lost: list[str] = []
    values: list[SentValue] = []
    for change in changes:
        direction = context.direction_of(change.part)
        if direction is None:
            continue
        try:
            _check_keys(issue, change)
            gone = removed_links(fields, change.name, change.old, change.new)
            lost += _accepted_losses(
                issue, change, [link_loss(link) for link in gone], context, path
            )
        except BadValue as error:
            problems.append(f"{change.name}: {error}")
            continue
        known = {link.key for link in jira_links(fields) if link.line == change.name}
        writes += (
            LinkWrite(change.name, key, direction)
            for key in keys_in(change.new)
            if key not in known
        )
        writes += (LinkWrite(change.name, link.key, direction, link.id) for link in gone)
        values.append(SentValue(change.part, change.new, LINK_FIELD, list(keys_in(change.new))))
    return LinkPayload(tuple(writes), tuple(problems), (), tuple(values), tuple(lost))


def _check_keys(issue: Ticket, change: Change) -> None:
    """Raise `BadValue` if a link cannot lead to one of the keys."""
    for key in keys_in(change.new):
        if not is_key(key):
            raise BadValue(f"{shown(key)} is not a key like PROJ-123")
        if key == issue.key:
            raise BadValue("a ticket cannot be linked to itself")


def _accepted_losses(
    issue: Ticket, change: Change, gone: Sequence[str], context: LinkContext, path: str
) -> Iterator[str]:
    """Yield a warning for each link that is removed; raise `BadValue` if that was not accepted."""
    lost = [Loss(issue.key or "", path, text) for text in gone]
    if refused := ", ".join(loss.what for loss in unaccepted(lost, context.accepted)):
        raise BadValue(
            f"sending it would remove {refused}; answer the question before a push in a terminal, "
            "or say --accept-loss"
        )
    for text in gone:
        yield f"{change.name}: {text} is removed in Jira"
