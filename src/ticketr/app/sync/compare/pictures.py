"""The files that a text shows: attachments by their names, and files on disk by their paths. Pure.

A file on disk is attached before the text is sent. Until then, the document has a mark in the place
of its media ID.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ticketr.app.jira.adf import BY_NAME, is_too_long, local_pictures, shown_files, to_adf
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare.attachments import files_of, size_words
from ticketr.app.sync.compare.diff import by_key
from ticketr.app.tickets import Ticket

_SCHEME = "attachment:"


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file on disk that a description or a comment shows.

    Attributes:
        path: The file, relative to the workspace.
        size: How many bytes it has.
        problem: Why it cannot be attached; empty if it can.
        mark: What is in a document for its media ID until it is attached.
    """

    path: str
    size: int = 0
    problem: str = ""
    mark: str = ""

    @property
    def words(self) -> str:
        """The file with its size, for people."""
        return f"{self.path}, {size_words(self.size)}"


def new_pictures(text: str, before: str) -> tuple[str, ...]:
    """Return the addresses of files on disk that a text shows, and did not before the edit.

    What was there before may come from Jira, whose authors must not choose files of this computer.
    """
    known = {picture.address for picture in local_pictures(before)}
    texts = (picture.address for picture in local_pictures(text))
    return tuple(dict.fromkeys(address for address in texts if address not in known))


def uploads_in(
    text: str, before: str, pictures: Mapping[str, PictureFile]
) -> dict[str, PictureFile]:
    """Return the files that must be attached before a text is sent, by their addresses.

    Args:
        text: The text.
        before: The text before the edit.
        pictures: What is known of the files, by their addresses.
    """
    if not pictures:
        return {}
    return {
        picture: pictures[picture]
        for picture in new_pictures(text, before)
        if picture in pictures and not pictures[picture].problem
    }


def marks_of(uploads: Mapping[str, PictureFile]) -> dict[str, str]:
    """Return the marks of files, by their addresses."""
    return {address: file.mark for address, file in uploads.items()}


def files_shown_in(text: str) -> frozenset[str]:
    """Return the names of the attached files that the pictures in a text show."""
    if _SCHEME not in text or is_too_long(text):
        return frozenset()
    shown = shown_files(to_adf(text, files=BY_NAME))
    return frozenset(
        file.media.removeprefix(_SCHEME) for file in shown if file.media.startswith(_SCHEME)
    )


def _files_of_texts(issue: Ticket) -> frozenset[str]:
    texts = (
        issue.description,
        *issue.texts.values(),
        *(comment.text for comment in issue.comments),
    )
    return frozenset(name for text in texts for name in files_shown_in(text))


def unknown_files(ticket: Ticket, issues: Iterable[Issue]) -> dict[str, frozenset[str]]:
    """Return the names of files that rich texts show and whose media IDs are not known, by key.

    Args:
        ticket: The ticket in its file.
        issues: Its issues as Jira has them.
    """
    here = by_key(ticket)
    pairs = (
        (issue.key, _files_of_texts(here[issue.key]) - files_of(issue.fields).keys())
        for issue in issues
        if issue.key in here
    )
    return {key: names for key, names in pairs if names}
