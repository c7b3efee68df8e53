"""Values of earlier syncs: what git brings back of them into a file is no edit. Pure.

The values are known by their digests. A user who types one of them again cannot be told apart from a
checkout, so a command has to say that it is meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import TypeAlias

from ticketr.app.sync.compare import diff
from ticketr.app.sync.compare.diff import CommentPart, TextPart
from ticketr.app.tickets import Ticket

#: The older values of some issues, by key: the stored name of a part, and the digest of its text.
OlderValues: TypeAlias = "Mapping[str, Collection[tuple[str, str]]]"


def digest(text: str) -> str:
    """Return the digest of a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def stored_value(change: diff.Change) -> tuple[str, str]:
    """Return the new text of a part as it is stored among the older values."""
    return diff.stored_name(change.part), digest(change.new)


def replaced_values(old: Ticket, new: Ticket) -> Iterator[tuple[str, str, str]]:
    """Yield what a new base replaces: the key of the issue, and a value as it is stored."""
    after = diff.by_key(new)
    for key, issue in diff.by_key(old).items():
        texts = diff.part_texts(after[key]) if key in after else None
        for part, text in diff.part_texts(issue).items():
            is_new = isinstance(part, CommentPart) and part.is_new  # of a draft
            if texts is not None and texts.get(part) != text and not is_new:
                yield key, diff.stored_name(part), digest(text)


def bring_forward(
    ticket: Ticket, base: Ticket, older: OlderValues
) -> tuple[Ticket, dict[str, tuple[diff.Change, ...]]]:
    """Replace the older values in a ticket by those of the last sync.

    Args:
        ticket: The ticket in its file.
        base: The ticket at the last sync.
        older: The older values of its issues.

    Returns:
        The ticket, and what was replaced in each issue, by key: the text of the last sync, and the
        older one as the new text.
    """
    before, replaced = diff.by_key(base), dict[str, tuple[diff.Change, ...]]()

    def forward(issue: Ticket) -> Ticket:
        key = issue.key or ""
        if not older.get(key) or key not in before:
            return issue
        texts = diff.part_texts(before[key])
        values = [
            change
            for change in diff.changes(before[key], issue)
            if stored_value(change) in older[key]
        ]
        if not values:
            return issue
        replaced[key] = tuple(values)
        known = {change.part: texts[change.part] for change in values if change.part in texts}
        gone = {change.part for change in values if change.part not in texts}
        issue = diff.with_parts(issue, key, known)
        return replace(
            issue,
            fields={name: text for name, text in issue.fields.items() if name not in gone},
            texts={name: text for name, text in issue.texts.items() if TextPart(name) not in gone},
            comments=tuple(
                comment for comment in issue.comments if CommentPart(comment.id) not in gone
            ),
        )

    return diff.with_issues(ticket, forward), replaced


def replaced_in(
    older: Mapping[str, tuple[diff.Change, ...]], result: Ticket
) -> dict[str, tuple[diff.Change, ...]]:
    """Return those of some older values that a ticket no longer has, by the keys of its issues."""
    texts = {key: diff.part_texts(issue) for key, issue in diff.by_key(result).items()}
    replaced = {
        key: tuple(value for value in values if texts[key].get(value.part, "") != value.new)
        for key, values in older.items()
    }
    return {key: values for key, values in replaced.items() if values}
