"""Stores the comments that Jira was asked to add.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.comments import COMMENT_FIELD
from ticketr.app.sync.compare.sent import SentComment, found_comments
from ticketr.app.sync.state.journal import REMEMBERED

if TYPE_CHECKING:
    from ticketr.app.sync.state.database import Database

_COLUMNS = "marker, issue, key, text, body, account, after, sent, id, settled"


class SentComments:
    """The comments that were requested; they are kept for some days after the state has them.

    An editor or git may bring back a file in which such a comment has no number yet.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[SentComment]:
        """Read the requests, the oldest first."""
        query = f"SELECT {_COLUMNS} FROM comment ORDER BY sent, marker"  # noqa: S608 - our own words
        rows = self._db.read(query)
        with self._db.sound():
            return [_comment(row) for row in rows]

    def of(self, issues: Iterable[Issue]) -> list[SentComment]:
        """Read the requests for some issues, which hold their comments and present keys."""
        keys = {issue.id: issue.key for issue in issues if COMMENT_FIELD in issue.fields}
        if not keys:
            return []
        return [replace(one, key=keys[one.issue]) for one in self.all() if one.issue in keys]

    def put(self, comment: SentComment) -> None:
        """Store a request, or replace the stored one."""
        with self._db.durable():
            self._put(comment)

    def forget(self, markers: Collection[str]) -> None:
        """Delete requests whose comments do not exist."""
        self._db.write_all(
            "DELETE FROM comment WHERE marker = ?", [(marker,) for marker in markers]
        )

    def note_found(self, issues: Sequence[Issue]) -> None:
        """Store the numbers of comments whose answers were lost; ``issues`` are as Jira has them."""
        for comment in found_comments(self.of(issues), issues):
            self._put(comment)

    def settle(self, issues: Iterable[Issue]) -> None:
        """Record that the state has the comments of some issues, and delete old requests."""
        now = time.time()
        asked = [comment for comment in self.of(issues) if comment.id and not comment.is_settled]
        self._db.write_all(
            "UPDATE comment SET settled = ? WHERE marker = ?",
            [(now, comment.marker) for comment in asked],
        )
        if asked:
            self._db.write("DELETE FROM comment WHERE settled < ?", (now - REMEMBERED,))

    def _put(self, comment: SentComment) -> None:
        self._db.write(
            f"INSERT OR REPLACE INTO comment ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",  # noqa: S608 - our own words
            (
                *(comment.marker, comment.issue, comment.key, comment.text, comment.body),
                *(comment.account, comment.after, comment.sent, comment.id),
            ),
        )


def _comment(row: Sequence[Any]) -> SentComment:
    """Return a row as a request, once its numbers and its JSON are checked."""
    after, sent, number, settled = row[6:]
    if not isinstance(after, int) or not isinstance(sent, int | float):
        raise TypeError(row)
    json.loads(row[4])
    marker, issue, key, text, body, account = row[:6]
    return SentComment(
        *(marker, issue, key, text, body, account),
        after=after,
        sent=sent,
        id=number,
        is_settled=settled is not None,
    )
