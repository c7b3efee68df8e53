"""Notes for the user about single tickets, and the tags of jobs that are limited to some. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ticketr.app.tickets import Ticket, is_key, key_order

#: The tag of a job before the key of a ticket.
_TAG_PREFIX = "ticket:"


def ticket_tags(keys: Iterable[str] | None) -> frozenset[str]:
    """Return the tags of a job that is limited to some tickets; none if it is not."""
    return frozenset(f"{_TAG_PREFIX}{key}" for key in keys or ())


def tagged_keys_and_files(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of the tickets that tags name, by project and number, and the files."""
    names = {tag.removeprefix(_TAG_PREFIX) for tag in tags if tag.startswith(_TAG_PREFIX)}
    return tuple(
        sorted((name for name in names if is_key(name) or name.endswith(".md")), key=key_order)
    )


class Code(StrEnum):
    """Why a ticket was not written or pushed; scripts rely on these words."""

    FILE_IN_THE_WAY = "kept"  # its file is in the way, or not ours to write
    OTHER_PARENT = "misplaced"  # it is under another ticket in its file than in Jira
    CONFLICT = "conflict"  # both sides have changed the same part
    CHANGED_IN_JIRA = "moved_on"  # Jira has changed since the last pull
    BROKEN = "broken"  # its file cannot be parsed or written, or has a key that another file has
    BAD_VALUE = "invalid"  # Jira does not take a value, or a file cannot hold it
    REFUSED_BY_JIRA = "refused"  # or its settings rule it out
    LITERAL = "literal"  # Jira gets its markup as plain text
    LOSS = "loss"  # an edit would remove a piece of a description in Jira
    NO_TRANSITION = "no_transition"  # no transition reaches the status
    REQUEST_FAILED = "unreached"  # the request failed; nothing is known to have changed
    NOT_FOUND = "missing"  # Jira does not have it, or the account may not see it; or no file has it
    MOVED = "moved"  # it is in another project now
    NOT_FOUND_BY_QUERY = "unmatched"  # the query no longer finds it
    NOT_IN_PLAN = "unconfirmed"  # it was not in the plan that was confirmed, or has changed since
    MAYBE_CREATED = "uncertain"  # an earlier push asked for it, and its key is not in its file yet
    NEVER_PULLED = "unpulled"  # it has a key, and was never pulled into this folder
    OLDER = "older"  # it has values of before the last pull
    OLDER_REPLACED = "brought_forward"  # it had such values, and has Jira's now
    NOT_NAMED_BY_USER = "unnamed"  # only other tickets were named
    KEY_NOT_WRITTEN = "draft_changed"  # it was created, but its key is not in its file yet


#: The codes of older values, which no plan sends.
OLDER_VALUE_CODES = frozenset((Code.OLDER, Code.OLDER_REPLACED))


def moved_reason(key: str, renamed: Mapping[str, str]) -> str:
    """Say what to do about an issue that has another key now.

    Args:
        key: Its key in the file.
        renamed: The new key of each issue of its ticket that has another one, by the old key.
    """
    keys = ", ".join(f"{new} for {old}" for old, new in renamed.items())
    return (
        f"Jira calls it {renamed[key]} now; it was moved to another project, or its project was "
        f"renamed. To push it, write {keys} in the file, then sync"
    )


def conflict_reason(key: str, parts: str) -> str:
    """Say what to do about a ticket in conflict; ``parts`` are the parts that clash."""
    return f"it is in conflict with Jira ({parts}); run ticketr resolve {key}"


def older_replaced_note(key: str, path: str, names: Iterable[str], *, is_resolved: bool) -> Note:
    """Return a note on parts of an issue whose older values were replaced by Jira's in its file.

    Args:
        key: The issue.
        path: Its file, relative to the workspace.
        names: The names of the parts.
        is_resolved: Whether a conflict was resolved, so that an undo would open it again.
    """
    undo = (
        f"write it again, ticketr resolve {key} --take mine"
        if is_resolved
        else f"ticketr undo {key}"
    )
    reason = (
        f"{', '.join(names)}: older than the last pull, so the file has Jira's now. If you typed it "
        f"yourself: {undo}, then push"
    )
    return Note(key, path, reason, Code.OLDER_REPLACED)


def issue_not_returned_reason(jira_error: str) -> str:
    """Say that Jira could not give an issue that it has."""
    return f"Jira could not give it ({jira_error})"


@dataclass(frozen=True, slots=True)
class Note:
    """A note for the user about one ticket.

    Attributes:
        key: The ticket's key; empty for a draft, and for a file that cannot be read.
        path: Its file, relative to the workspace; empty if it has none.
        reason: The message for people.
        code: The message for scripts.
        title: A draft's title, in a plan that of any ticket; empty for others and for a file.
        line: The line of a draft's heading, in a plan that of any ticket or of an error; or None.
    """

    key: str
    path: str
    reason: str
    code: Code
    title: str = ""
    line: int | None = None

    @property
    def key_title_or_path(self) -> str:
        """What to call the ticket: its key, or a draft's title; else it is about a whole file."""
        return self.key or (f'draft "{self.title}"' if self.title else self.path)

    def __str__(self) -> str:
        """Return the note as one line for people: its ticket, file and reason."""
        if self.key_title_or_path == self.path and self.reason.startswith(f"{self.path}:"):
            return self.reason  # with the line
        path = f" ({self.path})" if self.path not in {"", self.key_title_or_path} else ""
        return f"{self.key_title_or_path}{path}: {self.reason}"

    @classmethod
    def on(cls, issue: Ticket, path: str, reason: str, code: Code) -> Self:
        """Make a note about an issue or a draft."""
        if issue.key is not None:
            return cls(issue.key, path, reason, code)
        return cls("", path, reason, code, issue.title, issue.line or None)
