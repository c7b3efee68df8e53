"""The record of a workspace's site: its address, its fields, and those that files hold.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.mapping import texts_in
from ticketr.app.sync.errors import OtherSite

if TYPE_CHECKING:
    from ticketr.app.sync.state.database import Database

# Texts that were about to be written do not count: they may never have been written.
_HOLDS_SOMETHING = (
    "SELECT EXISTS (SELECT 1 FROM issue) OR EXISTS (SELECT 1 FROM ticket)"
    " OR EXISTS (SELECT 1 FROM conflict) OR EXISTS (SELECT 1 FROM creation)"
)


class SiteRecord:
    """The site that a workspace belongs to, with its fields; nothing about single issues."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def check_site(self, root: Path, url: str) -> None:
        """Check that this workspace belongs to a Jira site, or to none yet.

        Raises:
            OtherSite: It holds tickets, conflicts or requested issues of another site.
        """
        anies = self._db.read("SELECT value FROM about WHERE name = 'site'")
        if anies and anies[0][0] != url and self._db.read(_HOLDS_SOMETHING)[0][0]:
            raise OtherSite(root, anies[0][0], url)

    def claim_site(self, url: str) -> None:
        """Store the Jira site that this workspace belongs to from now on."""
        with self._db.batch():
            if self._db.read("SELECT 1 FROM about WHERE name = 'site' AND value = ?", (url,)):
                return
            self._db.write("DELETE FROM about")  # the fields in it are another site's
            # A killed pull may have left a file of that site. IDs begin at 1 again with each site,
            # so its text must not count as one that this site's ticket may replace.
            self._db.write("DELETE FROM intended")
            self._db.write("DELETE FROM sent")
            self._db.write("DELETE FROM sent_whole")
            self._db.write("DELETE FROM comment")
            self._db.write("INSERT INTO about VALUES ('site', ?)", (url,))

    def take_columns(self, names: Sequence[tuple[str, str]]) -> bool:
        """Store which fields files hold; if they have changed, every issue is marked as stale.

        Returns:
            Whether any issue was marked.
        """
        text = json.dumps([list(name) for name in names])
        with self._db.batch():
            rows = self._db.read("SELECT value FROM about WHERE name = 'columns'")
            if rows and rows[0][0] == text:
                return False
            self._db.write("INSERT OR REPLACE INTO about VALUES ('columns', ?)", (text,))
            # An older version did not store them; it most probably wrote the same fields.
            return bool(rows) and self._db.write("UPDATE issue SET stale = 1") > 0

    def columns(self) -> dict[str, str]:
        """Return the ID of each field that files hold, by its name in them; none before a pull."""
        rows = self._db.read("SELECT value FROM about WHERE name = 'columns'")
        with self._db.sound():
            return dict(json.loads(rows[0][0])) if rows else {}

    def texts(self) -> dict[str, str]:
        """Return the ID of each rich-text field that files hold, by its name in them."""
        rows = self._db.read("SELECT value FROM about WHERE name = 'columns'")
        with self._db.sound():
            return dict(texts_in(json.loads(rows[0][0]))) if rows else {}

    def note_pull(self, *, at: float) -> None:
        """Store when a pull has brought all that it found, in seconds since the epoch."""
        self._db.write("INSERT OR REPLACE INTO about VALUES ('pulled', ?)", (str(at),))

    def pulled(self) -> float | None:
        """Return when a pull has brought all that it found, in seconds since the epoch.

        Returns:
            The time by this computer's clock; None for never.
        """
        rows = self._db.read("SELECT value FROM about WHERE name = 'pulled'")
        with self._db.sound():
            return float(rows[0][0]) if rows else None

    def keep_fields(self, answer: str, *, at: float) -> None:
        """Store a site's list of fields, as JSON, with the time in seconds since the epoch."""
        with self._db.batch():
            self._db.write("INSERT OR REPLACE INTO about VALUES ('fields', ?)", (answer,))
            self._db.write("INSERT OR REPLACE INTO about VALUES ('fields at', ?)", (str(at),))

    def kept_fields(self, *, now: float, age: float) -> str | None:
        """Read the list of fields, as JSON; None if it is not stored or older than ``age`` seconds."""
        rows = dict(self._db.read("SELECT name, value FROM about WHERE name LIKE 'fields%'"))
        fresh = "fields" in rows and 0 <= now - float(rows.get("fields at", "-inf")) <= age
        return rows["fields"] if fresh else None

    def keep_workflow(self, project: str, type_id: str, edges: Mapping[str, Sequence[str]]) -> None:
        """Add what is known of a workflow, to show it in the next plans.

        Args:
            project: The project's key.
            type_id: The ID of the issue type.
            edges: The statuses that one transition leads to, by the status in small letters.
        """
        with self._db.batch():
            known = {**self.workflow(project, type_id), **edges}
            name = f"workflow {project} {type_id}"
            self._db.write("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, json.dumps(known)))

    def workflow(self, project: str, type_id: str) -> dict[str, list[str]]:
        """Read what is known of a workflow; see `keep_workflow`."""
        query = "SELECT value FROM about WHERE name = ?"
        rows = self._db.read(query, (f"workflow {project} {type_id}",))
        with self._db.sound():
            workflow = json.loads(rows[0][0]) if rows else {}
            return {str(name): [str(value) for value in to] for name, to in workflow.items()}
