"""Stores what is known of files that are attached to issues: their media IDs, and uploads.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.sync.state.database import Database


class MediaIds:
    """The media IDs of attachments, by which documents refer to them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, attachments: Iterable[str]) -> dict[str, str]:
        """Read the known media IDs of some attachments, by the IDs of the attachments."""
        query = "SELECT media FROM media WHERE attachment = ?"
        pairs = ((attachment, self._db.read(query, (attachment,))) for attachment in attachments)
        return {attachment: rows[0][0] for attachment, rows in pairs if rows}

    def put(self, media: Mapping[str, str]) -> None:
        """Store media IDs, by the IDs of the attachments."""
        self._db.write_all("INSERT OR REPLACE INTO media VALUES (?, ?)", media.items())


@dataclass(frozen=True, slots=True)
class AskedUpload:
    """A picture of a file that Jira was asked to attach.

    Attributes:
        issue: The ID of the issue.
        digest: The SHA-256 of its content.
        name: The name of the attachment.
        size: How many bytes it has.
        account: The ID of the account that sent it.
        attachment: Its ID in Jira; empty until that is known.
    """

    issue: str
    digest: str
    name: str
    size: int
    account: str
    attachment: str = ""


class Uploads:
    """The pictures that were requested, one of each content and issue."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, issue: str, digest: str) -> AskedUpload | None:
        """Read the upload of a content to an issue, if there was one."""
        query = (
            "SELECT issue, digest, name, size, account, attachment FROM upload"
            " WHERE issue = ? AND digest = ?"
        )
        rows = self._db.read(query, (issue, digest))
        with self._db.sound():
            for home, content, name, size, account, attachment in rows:
                if not isinstance(size, int):
                    raise TypeError(size)
                return AskedUpload(home, content, name, size, account, attachment)
        return None

    def put(self, upload: AskedUpload) -> None:
        """Store an upload, or replace the stored one; it survives a loss of power."""
        with self._db.durable():
            self._db.write(
                "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?, ?)", astuple(upload)
            )

    def forget(self, upload: AskedUpload) -> None:
        """Delete an upload that Jira certainly does not have."""
        self._db.write(
            "DELETE FROM upload WHERE issue = ? AND digest = ?", (upload.issue, upload.digest)
        )
