"""What can go wrong between Jira and the files; the known names that are similar to an unknown one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ticketr._errors import TicketrError
from ticketr.app.config.checks import close_names
from ticketr.app.tickets import is_key
from ticketr.cleaning import clean

#: How many of the known names an error lists.
_MAX_SHOWN_NAMES = 8


def suggest_or_list(name: str, names: Iterable[str]) -> str:
    """Return a hint with the known names that are similar to a name, or else a list of them."""
    known = sorted({clean(text) for text in names}, key=str.casefold)
    if close := close_names(name, known, most=3):
        return f"did you mean {' or '.join(close)}?"
    some = ", ".join(known[:_MAX_SHOWN_NAMES]) + (", ..." if len(known) > _MAX_SHOWN_NAMES else "")
    return f"there is {some}" if some else "there is none"


def add_field_names(text: str, names_and_ids: Iterable[tuple[str, str]]) -> str:
    """Return a message of Jira's with the names of the custom fields that it names by their IDs.

    Args:
        text: The message.
        names_and_ids: Names, each with the ID of its field.
    """
    by_id = {field_id: name for name, field_id in names_and_ids}

    def named(match: re.Match[str]) -> str:
        name = by_id.get(match[0])
        return f"{clean(name)} ({match[0]})" if name else match[0]

    return re.sub(r"\bcustomfield_[0-9]+\b", named, text)


class SyncError(TicketrError):
    """The base of the errors of pull and push that are not Jira's own."""


class WorkspaceBusy(SyncError):
    """Raised when another process is changing the workspace."""


class OtherSite(SyncError):
    """Raised when the workspace already holds the tickets of another Jira site."""


class NoConflict(SyncError):
    """Raised when a ticket has no conflict to resolve."""


@dataclass(eq=False, repr=False)
class UnknownTicket(SyncError):
    """Raised when a named ticket is not in the workspace, or its key is malformed.

    Attributes:
        key_or_file: The key, a file without a ticket, or a text that is neither.
        known_keys: The keys of the workspace.
    """

    key_or_file: str
    known_keys: tuple[str, ...]

    def __str__(self) -> str:
        if self.key_or_file.endswith(".md"):
            return f"{clean(self.key_or_file)} holds no ticket; one begins with a line like # TICKET: Title"
        problem = (
            "was never pulled into this folder, nor is it in a file"
            if is_key(self.key_or_file)
            else "is not an issue key, such as PROJ-123"
        )
        hint = f"; {suggest_or_list(self.key_or_file, self.known_keys)}" if self.known_keys else ""
        return f"{clean(self.key_or_file)} {problem}{hint}"


class BadPartChoice(SyncError):
    """Raised when a choice for a part of a conflict is impossible."""


@dataclass(eq=False, repr=False)
class UnsendableWorkOrComment(SyncError):
    """Raised when a comment, or what was to be recorded as work, cannot be sent.

    Attributes:
        text: The user's text.
        reason: Why it cannot be sent.
    """

    text: str
    reason: str

    def __str__(self) -> str:
        return f'"{clean(self.text[:60])}": {self.reason}'


@dataclass(eq=False, repr=False)
class ConflictChanged(SyncError):
    """Raised when a conflict is no longer what the user has seen; nothing was changed.

    Attributes:
        key: The ticket.
        what_changed: What has changed.
    """

    key: str
    what_changed: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what_changed} since you looked at the conflict; look at it again"


class PartsNotChosen(SyncError):
    """Raised when parts of a conflict remain to be chosen."""


@dataclass(eq=False, repr=False)
class NothingToUndo(SyncError):
    """Raised when nothing has replaced the text of a ticket lately.

    Attributes:
        key: The ticket; None for any.
        other_keys: The tickets that have something to undo.
    """

    key: str | None
    other_keys: tuple[str, ...]

    def __str__(self) -> str:
        if self.key is None:
            return "there is nothing to undo here"
        what = f"there is nothing to undo of {clean(self.key)}"
        return f"{what}; there is of {', '.join(self.other_keys)}" if self.other_keys else what


@dataclass(eq=False, repr=False)
class CannotUndo(SyncError):
    """Raised when the text of a ticket cannot be taken back; nothing was changed.

    Attributes:
        key: The ticket.
        reason: Why not.
        copy_path: The file with its old text, relative to the workspace; empty for none.
    """

    key: str
    reason: str
    copy_path: str

    def __str__(self) -> str:
        where = f"; the old text is in {self.copy_path}" if self.copy_path else ""
        return f"cannot undo: {self.reason}{where}"


@dataclass(eq=False, repr=False)
class CannotEdit(SyncError):
    """Raised when fields of a ticket cannot be changed in its file; nothing was changed.

    Attributes:
        ticket_or_file: The ticket or its file.
        reason: Why not, and what to do.
    """

    ticket_or_file: str
    reason: str

    def __str__(self) -> str:
        return f"{clean(self.ticket_or_file)} was not changed: {self.reason}"


@dataclass(eq=False, repr=False)
class BadQuery(SyncError):
    """Raised when Jira does not understand a query.

    Attributes:
        reason: Jira's own words, or what it has answered.
    """

    reason: str

    def __str__(self) -> str:
        return f"Jira does not understand the query: {clean(self.reason)}"


class AbsentIssues(SyncError):
    """Raised when Jira does not have issues that were named, or the account may not see them."""


@dataclass(eq=False, repr=False)
class UnknownFieldInSettings(SyncError):
    """Raised when the settings name a field that the site does not have.

    Args:
        name: The name of its line.
        known_names: The names of the site's fields.
        setting_place: Where the settings map the name to a field's ID; empty for a field without an ID.
        same_named_field_id: The ID of the site's field with that name; None if there is none.
    """

    name: str
    known_names: tuple[str, ...]
    setting_place: str = ""
    same_named_field_id: str | None = None

    def __str__(self) -> str:
        if self.setting_place:
            hint = suggest_or_list(self.name, self.known_names)
            if self.same_named_field_id:
                hint = f"the site's own is {self.same_named_field_id}"
            return (
                f'{self.setting_place}: the ID of "{self.name}" is that of no field of the site, or of one '
                f"with another place in a file; {hint}"
            )
        return (
            f'ticketr.toml asks for the field "{self.name}", which the site does not have; '
            f"{suggest_or_list(self.name, self.known_names)}"
        )


@dataclass(eq=False, repr=False)
class UnsupportedFieldInSettings(SyncError):
    """Raised when the settings name a field that a line of a file cannot hold.

    Args:
        name: The name of the field.
        reason: Why it cannot.
        setting_place: Where the settings name it; empty for a field by its name.
    """

    name: str
    reason: str
    setting_place: str = ""

    def __str__(self) -> str:
        where = f"{self.setting_place}: " if self.setting_place else "ticketr.toml: "
        return (
            f'{where}the field "{self.name}" cannot be kept in a file: {self.reason}, which ticketr '
            "cannot write yet; take it out of the fields"
        )


class UnknownProject(SyncError):
    """Raised when the site has no project with the key in the settings."""


@dataclass(eq=False, repr=False)
class OutcomeUnknown(SyncError):
    """Raised when the outcome of a change of many issues is not known.

    Attributes:
        cause: Why not.
    """

    cause: str

    def __str__(self) -> str:
        return (
            f"Jira may have made the change, or may make it yet, since {self.cause}: look at the "
            "tickets in Jira before you try again"
        )


class RenamedProject(SyncError):
    """Raised when the project of the settings has another key now."""


@dataclass(eq=False, repr=False)
class DuplicateKey(SyncError):
    """Raised when two tickets in the workspace have the same key.

    Attributes:
        key: The key.
        first_path: The file of the first ticket.
        second_path: The file of the second.
        more_keys: Further keys that both files hold.
    """

    key: str
    first_path: str
    second_path: str
    more_keys: tuple[str, ...] = ()

    def has_files_but_not_key_of(self, other: DuplicateKey) -> bool:
        """Return whether another error has the same files, and a key that is not listed here yet."""
        files = (self.first_path, self.second_path) == (other.first_path, other.second_path)
        return files and other.key not in (self.key, *self.more_keys)

    def __str__(self) -> str:
        more = len(self.more_keys)
        keys = self.key if not more else f"{self.key} and {more} more key{'s' if more > 1 else ''}"
        verb = "are" if more else "is"
        return f"{keys} {verb} in {self.first_path} and in {self.second_path}; keep one of them"


@dataclass(eq=False, repr=False)
class FileFailed(SyncError):
    """Raised when a file or folder of the workspace cannot be read or written.

    Attributes:
        path: The file or folder.
        action: What was to be done with it.
        reason: Why that is not possible.
        concerns_one_file: Whether only this file is affected; a full disk, for example, affects all files.
    """

    path: Path
    action: str
    reason: str
    concerns_one_file: bool = False

    def __str__(self) -> str:
        return f"cannot {self.action} {self.path}: {self.reason}"


@dataclass(eq=False, repr=False)
class StateFailed(SyncError):
    """Raised when the state file of a workspace cannot be used.

    Attributes:
        path: The file.
        reason: Why not.
        is_damaged: Whether the file itself is damaged, so that only moving it away helps.
    """

    path: Path
    reason: str
    is_damaged: bool = False

    def __str__(self) -> str:
        problem = f"the state file {self.path} cannot be used: {self.reason}"
        if not self.is_damaged:
            return problem
        return (
            f"{problem}; move it away and pull again (tickets edited here will be reported "
            "and kept; a draft of an interrupted push may be in Jira already, and the next push "
            "would create it again)"
        )


#: The names of the errors that come from wrong usage.
USAGE_ERROR_NAMES = frozenset(("AsksMissing", "UntrustedState", "UnknownTicket", "WrongFileKind"))
#: The names of the errors that every further run would meet as well. No run is repeated after a
#: refused login, since a site blocks a login that it has refused several times.
LASTING_ERROR_NAMES = USAGE_ERROR_NAMES | {"AuthenticationFailed", "LoginBlocked", "OtherSite"}


def error_to_report(error: BaseException) -> BaseException:
    """Return the error to report: of a group the first `TicketrError`, else its first error."""
    leaves, waiting = list[BaseException](), [error]
    while waiting:
        member = waiting.pop()
        if isinstance(member, BaseExceptionGroup):
            waiting.extend(reversed(member.exceptions))
        else:
            leaves.append(member)
    return next(
        (ticketr_error for ticketr_error in leaves if isinstance(ticketr_error, TicketrError)),
        leaves[0],
    )
