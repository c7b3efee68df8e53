"""Compares two versions of an issue part by part. Pure.

A missing line under ``## Fields`` is not a change; a line without a value empties its field. The
same holds for a section ``## Field: Name``. An emptied description or list of criteria is a change.
Texts are compared as Jira would get them: ``* this`` equals ``- this``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from ticketr.app.jira.adf import BY_NAME, canonical, dropped_texts, is_too_long, to_adf
from ticketr.app.sync.compare.comments import (
    CommentPart,
    TextPart,
    comment_texts,
    field_texts,
    with_comment_texts,
)
from ticketr.app.sync.compare.descriptions import description_adf
from ticketr.app.tickets import Ticket

#: Replaces a line end inside a criterion where criteria are lines; no ticket holds a lone CR.
SOFT_END = "\r"


class CorePart(Enum):
    """The parts that every issue has; the values are their names for people."""

    TITLE = "Title"
    DESCRIPTION = "Description"
    CRITERIA = "Acceptance Criteria"


#: A part of an issue: a core part, a comment, a rich-text field, or the name of a field with a line.
#: A field may be named "Title" as well.
Part: TypeAlias = CorePart | CommentPart | TextPart | str

#: The parts that are one document in Jira.
DESCRIPTION_PARTS = frozenset({CorePart.DESCRIPTION, CorePart.CRITERIA})

_STATUS = "Status"


@dataclass(frozen=True, slots=True)
class Change:
    """One part of one issue that differs between two versions of it.

    Attributes:
        part: Which part.
        old: Its text before; empty for none.
        new: Its text after.
    """

    part: Part
    old: str
    new: str

    @property
    def old_shown(self) -> str:
        """The old text as people read it."""
        return self.old.replace(SOFT_END, "\n")

    @property
    def new_shown(self) -> str:
        """The new text as people read it."""
        return self.new.replace(SOFT_END, "\n")

    @property
    def name(self) -> str:
        """What people call the part."""
        return part_name(self.part)


def part_name(part: Part) -> str:
    """Return what people call a part."""
    if isinstance(part, str):
        return part
    return part.value if isinstance(part, CorePart) else part.name


def is_rich_text(part: Part) -> bool:
    """Return whether a part is a rich text of an issue's own; these are merged by line."""
    return part in DESCRIPTION_PARTS or isinstance(part, TextPart)


def is_text(part: Part) -> bool:
    """Return whether a part is a text of several lines, in Markdown."""
    return is_rich_text(part) or isinstance(part, CommentPart)


def part_texts(issue: Ticket) -> dict[Part, str]:
    """Return an issue's parts as text, its sub-tasks left out; criteria one a line."""
    criteria = (text.replace("\n", SOFT_END) for text in issue.acceptance_criteria)
    own: dict[Part, str] = {
        CorePart.TITLE: issue.title,
        CorePart.DESCRIPTION: issue.description,
        CorePart.CRITERIA: "\n".join(criteria),
    }
    return own | dict(issue.fields) | field_texts(issue) | comment_texts(issue)


def criteria_of(text: str) -> tuple[str, ...]:
    """Parse the criteria from their part."""
    return tuple(criterion.replace(SOFT_END, "\n") for criterion in text.split("\n") if criterion)


def alike(part: Part, one: str, other: str) -> bool:
    """Return whether two texts of a part mean the same to Jira."""
    if one == other:
        return True
    if is_text(part):
        # `_not_sent` is the slower of the two, and needed only where the documents are equal.
        return all(meaning(part, one) == meaning(part, other) for meaning in (_sent, _not_sent))
    # Transitions match a status in any case; there may be none to the status Jira has already.
    return part == _STATUS and one.casefold() == other.casefold()


def _sent(part: Part, text: str) -> object:
    """Return what Jira would get from a text; files are there by their names."""
    if isinstance(part, CommentPart | TextPart):
        return canonical(to_adf(text, files=BY_NAME))
    if part is CorePart.DESCRIPTION:
        issue = Ticket("", description=text)
    else:
        issue = Ticket("", acceptance_criteria=criteria_of(text))
    return canonical(description_adf(issue, files=BY_NAME))


def _not_sent(part: Part, text: str) -> object:
    """Return what Jira would not get from a text."""
    if part is not CorePart.CRITERIA:
        return dropped_texts(text)
    return () if is_too_long(text) else tuple(map(dropped_texts, criteria_of(text)))


def changes(before: Ticket, after: Ticket) -> tuple[Change, ...]:
    """List what a newer version of one issue changes; a field it does not mention is unchanged."""
    old = part_texts(before)
    return tuple(
        Change(part, old.get(part, ""), text)
        for part, text in part_texts(after).items()
        if not alike(part, text, old.get(part, ""))
    )


def text_size(*issues: Ticket) -> int:
    """Count the characters of some issues' texts that are converted; sub-tasks are left out."""
    return sum(
        len(issue.description)
        + sum(map(len, issue.texts.values()))
        + sum(map(len, issue.acceptance_criteria))
        + sum(len(comment.text) for comment in issue.comments)
        for issue in issues
    )


def differing_size(one: Ticket, other: Ticket) -> int:
    """Count the characters of texts that have to be converted to compare two versions of a ticket."""
    before = by_key(one)
    pairs = [(before[key], issue) for key, issue in by_key(other).items() if key in before]
    return sum(text_size(*pair) for pair in pairs if _texts(pair[0]) != _texts(pair[1]))


def _texts(issue: Ticket) -> tuple[object, ...]:
    """Return all that has to be converted to be compared."""
    return issue.description, issue.acceptance_criteria, issue.texts, issue.comments


def with_parts(ticket: Ticket, key: str, texts: Mapping[Part, str]) -> Ticket:
    """Return a ticket with other texts for some parts of one of its issues.

    Args:
        ticket: The ticket.
        key: The issue, its head or a sub-task.
        texts: The parts; a field without text has a line, or a section, without one then.
    """

    def changed(issue: Ticket) -> Ticket:
        if issue.key != key:
            return issue
        own = part_texts(issue) | dict(texts)
        fields = {part: text for part, text in texts.items() if isinstance(part, str)}
        comments = {part: text for part, text in texts.items() if isinstance(part, CommentPart)}
        rich = {part.name: text for part, text in texts.items() if isinstance(part, TextPart)}
        return replace(
            issue,
            title=own[CorePart.TITLE],
            description=own[CorePart.DESCRIPTION],
            acceptance_criteria=(
                criteria_of(own[CorePart.CRITERIA])
                if CorePart.CRITERIA in texts
                else issue.acceptance_criteria
            ),
            fields={**issue.fields, **fields},
            texts={**issue.texts, **rich},
            comments=with_comment_texts(issue, comments) if comments else issue.comments,
        )

    return replace(changed(ticket), tasks=tuple(map(changed, ticket.tasks)))


def rekeyed(ticket: Ticket, renamed: Mapping[str, str]) -> Ticket:
    """Return a ticket with the keys that its issues have now.

    Args:
        ticket: The ticket.
        renamed: The new key of each issue that has another one, by the old key.
    """

    def changed(issue: Ticket) -> Ticket:
        return replace(issue, key=renamed.get(issue.key or "", issue.key))

    return replace(changed(ticket), tasks=tuple(map(changed, ticket.tasks)))


def by_key(ticket: Ticket) -> dict[str, Ticket]:
    """Return the issues of a ticket that have keys, by key: its head and its sub-tasks."""
    return {issue.key: issue for issue in (ticket, *ticket.tasks) if issue.key is not None}
