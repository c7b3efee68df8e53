"""Stores the last sync: the base that both sides are compared with, and the records of the site.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ticketr.app.jira import Attachment, Issue
from ticketr.app.sync.compare import sent
from ticketr.app.sync.compare.attachments import jira_attachments
from ticketr.app.sync.compare.diff import Change, read_ticket
from ticketr.app.sync.compare.mapping import section_names_and_ids_in, updated_at
from ticketr.app.sync.errors import OtherSite
from ticketr.app.sync.state import journal
from ticketr.app.sync.state.database import Database, Table
from ticketr.app.sync.state.undo import UndoLog
from ticketr.app.tickets import parse

# Texts that were about to be written do not count: they may never have been written.
_HAS_SITE_DATA_QUERY = (
    "SELECT EXISTS (SELECT 1 FROM issue) OR EXISTS (SELECT 1 FROM ticket)"
    " OR EXISTS (SELECT 1 FROM conflict) OR EXISTS (SELECT 1 FROM outbox WHERE kind = 'issue')"
)


class SiteRecord(Table):
    """The site that a workspace belongs to, with its fields; nothing about single issues."""

    def check_site(self, root: Path, url: str) -> None:
        """Check that this workspace belongs to a Jira site, or to none yet.

        Raises:
            OtherSite: It holds tickets, conflicts or requested issues of another site.
        """
        known = self._get("site")
        if known not in {None, url} and self._db.read(_HAS_SITE_DATA_QUERY)[0][0]:
            raise OtherSite(
                f"{root} holds tickets of {known}, not of {url}: correct the address, or use another"
                " folder for that site; to use this one, first move its tickets and its .ticketr"
                " elsewhere"
            )

    def set_site_and_read_fields(
        self, url: str, user: str, *, now: float, max_age: float
    ) -> str | None:
        """Store the Jira site that this workspace belongs to from now on, and the name of the account.

        Returns:
            What `cached_fields` returns of this site.
        """
        with self._db.batch():
            if self._get("site") != url:
                self._db.write("DELETE FROM about")  # the fields in it are another site's
                # A killed pull may have left a file of that site. IDs begin at 1 again with each
                # site, so its text must not count as one that this site's ticket may replace.
                for table in ("intended", "sent", "outbox", "media"):
                    self._db.write(f"DELETE FROM {table}")  # noqa: S608 - our own words
                self._put("site", url)
            if self._get("user") != user:
                self._put("user", user)
        return self.cached_fields(now=now, max_age=max_age)

    def user_name(self) -> str:
        """Return the name of the account that this workspace is synced with; empty before that."""
        return self._get("user") or ""

    def save_columns_and_mark_stale(self, names: Sequence[tuple[str, str]]) -> bool:
        """Store which fields files hold; if they have changed, every issue is marked as stale.

        Returns:
            Whether any issue was marked.
        """
        text = json.dumps(names)
        with self._db.batch():
            known = self._get("columns")
            if known == text:
                return False
            self._put("columns", text)
            return known is not None and self._db.write("UPDATE issue SET stale = 1") > 0

    def ids_of_fields_in_files(self) -> dict[str, str]:
        """Return the ID of each field that files hold, by its name in them; none before a pull."""
        with self._db.convert_value_errors():
            return dict(json.loads(self._get("columns") or "[]"))

    def rich_text_ids(self) -> dict[str, str]:
        """Return the ID of each rich-text field that files hold, by its name in them."""
        return dict(section_names_and_ids_in(self.ids_of_fields_in_files().items()))

    def note_complete_pull(self, *, at: float) -> None:
        """Store when a pull has brought all that it found, in seconds since the epoch."""
        self._put("pulled", str(at))

    def last_complete_pull_end(self) -> float | None:
        """Return when a pull has brought all that it found, in seconds since the epoch.

        Returns:
            The time by this computer's clock; None for never.
        """
        at = self._get("pulled")
        with self._db.convert_value_errors():
            return float(at) if at is not None else None

    def cache_fields(self, answer: str, *, at: float) -> None:
        """Store a site's list of fields, as JSON, with the time in seconds since the epoch."""
        with self._db.batch():
            self._put("fields", answer)
            self._put("fields at", str(at))

    def cached_fields(self, *, now: float, max_age: float) -> str | None:
        """Read the list of fields, as JSON; None if it is not stored or too old.

        Args:
            now: This computer's clock, in seconds since the epoch.
            max_age: The most seconds since it was stored.
        """
        is_fresh = 0 <= now - float(self._get("fields at") or "-inf") <= max_age
        return self._get("fields") if is_fresh else None

    def save_workflow(self, project: str, type_id: str, edges: Mapping[str, Sequence[str]]) -> None:
        """Add what is known of a workflow, to show it in the next plans.

        Args:
            project: The project's key.
            type_id: The ID of the issue type.
            edges: The statuses that one transition leads to, by the status in small letters.
        """
        with self._db.batch():
            known = {**self.workflow(project, type_id), **edges}
            self._put(f"workflow {project} {type_id}", json.dumps(known))

    def workflow(self, project: str, type_id: str) -> dict[str, list[str]]:
        """Read what is known of a workflow; see `save_workflow`."""
        with self._db.convert_value_errors():
            workflow = json.loads(self._get(f"workflow {project} {type_id}") or "{}")
            return {str(name): [str(value) for value in to] for name, to in workflow.items()}

    def _get(self, name: str) -> str | None:
        rows = self._db.read("SELECT value FROM about WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def _put(self, name: str, value: str) -> None:
        self._db.write("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))


class MediaIds(Table):
    """The media IDs of attachments, by which documents refer to them."""

    def of(self, attachments: Iterable[str]) -> dict[str, str]:
        """Read the known media IDs of some attachments, by the IDs of the attachments."""
        query = (
            "SELECT attachment, media FROM media"
            " WHERE attachment IN (SELECT value FROM json_each(?))"
        )
        return dict(self._db.read(query, (json.dumps(list(attachments)),)))

    def put(self, media: Mapping[str, str]) -> None:
        """Store media IDs, by the IDs of the attachments."""
        self._db.write_all("INSERT OR REPLACE INTO media VALUES (?, ?)", media.items())


#: The most older values of a part that are kept.
MAX_OLDER_VALUES_OF_PART = 20


class EarlierValueDigests(Table):
    """The values of earlier syncs, by which a file is recognised that git has brought back."""

    def digests_of(self, head_id: str) -> sent.OlderTextDigestsByKey:
        """Read those of the issues in one ticket, by key."""
        query = (
            "SELECT issue.key, part, digest FROM older JOIN issue ON issue.id = older.issue"
            " WHERE issue.head = ?"
        )
        values: dict[str, set[tuple[str, str]]] = {}
        for key, part, text in self._db.read(query, (head_id,)):
            values.setdefault(key, set()).add((part, text))
        return values

    def add_values_replaced_by_base(self, head_id: str, old: str, new: str) -> None:
        """Store what a new base of a ticket replaces in the old one; the oldest are deleted."""
        before, after = read_ticket(old), read_ticket(new)
        if before is None or after is None:
            return
        for key, part, text in sent.keys_parts_and_replaced_digests(before, after):
            self._db.write(
                "INSERT OR REPLACE INTO older SELECT ?, id, ?, ?, (SELECT coalesce(max(number), 0)"
                " + 1 FROM older WHERE issue = id AND part = ?) FROM issue WHERE key = ?",
                (head_id, part, text, part, key),
            )
            self._db.write(
                "DELETE FROM older WHERE part = ? AND issue = (SELECT id FROM issue WHERE key = ?)"
                " AND number <= (SELECT max(number) FROM older AS newer"
                " WHERE newer.issue = older.issue AND newer.part = older.part) - ?",
                (part, key, MAX_OLDER_VALUES_OF_PART),
            )

    def mark_as_edits(self, values: Mapping[str, Iterable[Change]]) -> None:
        """Count values as edits, since a user has set them on purpose; they are given by key."""
        self._db.write_all(
            "DELETE FROM older WHERE issue = (SELECT id FROM issue WHERE key = ?) AND part = ?"
            " AND digest = ?",
            [
                (key, *sent.name_and_new_digest(change))
                for key, changes in values.items()
                for change in changes
            ],
        )


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """What the state knows of an issue without reading all of it.

    Attributes:
        id: Jira's ID.
        key: Its key when it was last seen.
        head_id: The ID of the issue whose ticket it is in.
        updated: Its last change, as Jira writes it.
        seen_at: Jira's clock, in seconds since the epoch, when the pull that last confirmed it began.
        is_stale: Whether Jira has a newer version that was not taken.
    """

    id: str
    key: str
    head_id: str
    updated: str
    seen_at: float
    is_stale: bool


@dataclass(frozen=True, slots=True)
class MergeBase:
    """A ticket as it was at the last sync.

    Attributes:
        path: Its file, relative to the workspace.
        jira_text: Its text as Jira has it, with LF line ends.
    """

    path: str
    jira_text: str


@dataclass(frozen=True, slots=True)
class IssueRow:
    """What the state is to know of an issue.

    Attributes:
        issue: The issue, without what files do not need.
        is_stale: Whether there is something newer, or unread, in Jira.
    """

    issue: Issue
    is_stale: bool = False


def conflict_rows_to_json(rows: Iterable[IssueRow], *, seen: float) -> str:
    """Serialize the rows of a ticket's issues as JSON, for a conflict."""
    entries = [
        {
            "id": row.issue.id,
            "key": row.issue.key,
            "fields": dict(row.issue.fields),
            "stale": row.is_stale,
        }
        for row in rows
    ]
    return json.dumps({"seen": seen, "issues": entries})


class State(Database):
    """The state file of one workspace, open for one job.

    Args:
        path: The SQLite file.
        mark: The user's mark, which the file must have and a new one gets; None to take any file.

    Attributes:
        site_record: What is known of the site as a whole.
        conflicts: The tickets that both sides have changed.
        creations: The issues that were requested and are not in their files yet.
        sent: The edits that Jira may have taken.
        comments: The comments that Jira was asked to add.
        undo: The texts that were replaced lately.
        media: The media IDs of attachments.
        uploads: The pictures that Jira was asked to attach.
        older: The values of earlier syncs.

    Raises:
        StateFailed: It is damaged, newer than this program, or cannot be opened.
        UntrustedState: It does not have the mark.
    """

    def __init__(self, path: Path, mark: str | None = None) -> None:
        super().__init__(path, mark)
        self.site_record = SiteRecord(self)
        self.conflicts = journal.Conflicts(self)
        self.creations = journal.Creations(self, "issue", journal.Creation)
        self.sent = journal.SentValues(self)
        self.comments = journal.SentComments(self, "comment", sent.SentComment)
        self.undo = UndoLog(self)
        self.media = MediaIds(self)
        self.uploads = journal.Outbox(self, "upload", journal.UploadEntry)
        self.older = EarlierValueDigests(self)

    def known_issues_by_id(self) -> dict[str, KnownIssue]:
        """Read what is known of every issue, by ID."""
        rows = self.read("SELECT id, key, head, updated, seen, stale FROM issue")
        with self.convert_value_errors():
            return {
                row[0]: KnownIssue(row[0], row[1], row[2], row[3], float(row[4]), bool(row[5]))
                for row in rows
            }

    def issues_of(self, head_id: str) -> list[Issue]:
        """Read the issues that are in one ticket, as they were at the last sync."""
        query = "SELECT id, key, fields FROM issue WHERE head = ?"
        with self.convert_value_errors():
            return [
                Issue(issue_id, key, dict(json.loads(fields)))
                for issue_id, key, fields in self.read(query, (head_id,))
            ]

    def rows_of(self, head_id: str) -> list[IssueRow]:
        """Read all that is known of the issues in one ticket."""
        query = "SELECT id, key, fields, stale FROM issue WHERE head = ?"
        with self.convert_value_errors():
            return [
                IssueRow(Issue(issue_id, key, dict(json.loads(fields))), bool(stale))
                for issue_id, key, fields, stale in self.read(query, (head_id,))
            ]

    def jira_rows_of_conflict(self, conflict: journal.Conflict) -> tuple[list[IssueRow], float]:
        """Read the issues of a ticket in conflict, as Jira had them.

        Returns:
            The rows of the ticket's issues, and when they were true.
        """
        with self.convert_value_errors():
            if len(parse(conflict.remote_text).tickets) != 1:
                raise ValueError(conflict.remote_text)
            stored = json.loads(conflict.issues_json)
            rows = [
                IssueRow(
                    Issue(str(value["id"]), str(value["key"]), dict(value["fields"])),
                    bool(value["stale"]),
                )
                for value in stored["issues"]
            ]
            return rows, float(stored["seen"])

    def issue_ids_by_head_id(self, head_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return the IDs of the issues that are in some tickets, by the ID of each one's head."""
        query = "SELECT id FROM issue WHERE head = ?"
        return {head: [row[0] for row in self.read(query, (head,))] for head in head_ids}

    def head_id_of(self, key: str) -> str | None:
        """Find the ID of the issue in whose ticket a key is; None for an unknown key."""
        rows = self.read("SELECT head FROM issue WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def base(self, head_id: str) -> MergeBase | None:
        """Read a ticket as it was at the last sync, or None for one that never was."""
        rows = self.read("SELECT path, text FROM ticket WHERE head = ?", (head_id,))
        return MergeBase(*rows[0]) if rows else None

    def base_by_head_key(self, key: str) -> tuple[str, MergeBase] | None:
        """Read the head's ID and the base of the ticket that has this key in its heading."""
        query = (
            "SELECT ticket.head, ticket.path, ticket.text FROM ticket"
            " JOIN issue ON issue.id = ticket.head WHERE issue.key = ?"
        )
        rows = self.read(query, (key,))
        return (rows[0][0], MergeBase(rows[0][1], rows[0][2])) if rows else None

    def head_id_and_base_of(self, key: str) -> tuple[str, MergeBase] | None:
        """Read the head's ID and the base of the ticket that holds an issue."""
        query = (
            "SELECT ticket.head, ticket.path, ticket.text FROM ticket"
            " JOIN issue ON issue.head = ticket.head WHERE issue.key = ?"
        )
        rows = self.read(query, (key,))
        return (rows[0][0], MergeBase(rows[0][1], rows[0][2])) if rows else None

    def attachments_by_key(self) -> dict[str, tuple[Attachment, ...]]:
        """Return the attachments of each issue that had some at the last sync, by its key."""
        query = (
            """SELECT key, fields FROM issue WHERE fields LIKE '%"attachment": [{%' ORDER BY key"""
        )
        rows = self.read(query)
        with self.convert_value_errors():
            return {key: jira_attachments(json.loads(fields)) for key, fields in rows}

    def paths_by_head_key(self) -> dict[str, str]:
        """Return the file of each ticket, relative to the workspace, by the key in its heading."""
        query = (
            "SELECT issue.key, ticket.path FROM ticket JOIN issue ON issue.id = ticket.head"
            " ORDER BY issue.key"
        )
        return dict(self.read(query))

    def base_texts_by_head_key(self) -> Iterable[tuple[str, str]]:
        """Return the text of each ticket at the last sync, with the key in its heading."""
        return self.read(
            "SELECT issue.key, ticket.text FROM ticket JOIN issue ON issue.id = ticket.head"
        )

    def paths_and_head_keys_by_key(self) -> dict[str, tuple[str, str]]:
        """Return the file of each issue at the last sync and the key of its ticket, by its key."""
        query = (
            "SELECT issue.key, ticket.path, head.key FROM issue"
            " JOIN ticket ON ticket.head = issue.head JOIN issue AS head ON head.id = issue.head"
        )
        return {key: (path, head) for key, path, head in self.read(query)}

    def record(
        self, head_id: str, base: MergeBase, rows: Sequence[IssueRow], *, seen: float
    ) -> None:
        """Store the new base of a ticket, and its issues; what it replaces is older then.

        Args:
            head_id: The ID of its head.
            base: Where it is and what Jira has.
            rows: Its issues.
            seen: Jira's clock when this job began.
        """
        for (known,) in self.read("SELECT text FROM ticket WHERE head = ?", (head_id,)):
            if known != base.jira_text:
                self.older.add_values_replaced_by_base(head_id, known, base.jira_text)
        self.write_all(
            "INSERT OR REPLACE INTO issue (id, key, head, updated, fields, seen, stale)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    row.issue.id,
                    row.issue.key,
                    head_id,
                    updated_at(row.issue),
                    json.dumps(dict(row.issue.fields)),
                    seen,
                    row.is_stale,
                )
                for row in rows
            ],
        )
        self.write(
            "INSERT OR REPLACE INTO ticket VALUES (?, ?, ?)", (head_id, base.path, base.jira_text)
        )
        for table in ("conflict", "intended"):
            self.write(f"DELETE FROM {table} WHERE head = ?", (head_id,))  # noqa: S608 - our own words

    def forget(self, head_id: str) -> None:
        """Delete all that is stored of a ticket and its issues."""
        with self.batch():
            for table in ("older", "issue", "ticket", "intended", "sent", "conflict"):
                self.write(f"DELETE FROM {table} WHERE head = ?", (head_id,))  # noqa: S608 - the same

    def store_texts_meant_for_files(self, texts: Iterable[tuple[str, str]]) -> None:
        """Store texts that are about to be written, each with its head; `record` deletes them."""
        self.write_all("INSERT OR IGNORE INTO intended VALUES (?, ?)", texts)

    def paths_and_possible_bases(
        self, head_ids: Collection[str]
    ) -> tuple[Mapping[str, str], Mapping[str, Sequence[str]]]:
        """Read the texts that a sync has written, or was about to write, of some tickets.

        Args:
            head_ids: The IDs of the heads.

        Returns:
            The file of each ticket that was synced, and the texts of each ticket, by the IDs of the
            heads.
        """
        paths: dict[str, str] = {}
        texts: dict[str, list[str]] = {head: [] for head in head_ids}
        ids = json.dumps(list(head_ids))
        query = "SELECT head, path, text FROM ticket WHERE head IN (SELECT value FROM json_each(?))"
        for head, path, text in self.read(query, (ids,)):
            paths[head] = path
            texts[head].append(text)
        query = "SELECT head, text FROM intended WHERE head IN (SELECT value FROM json_each(?))"
        for head, text in self.read(query, (ids,)):
            texts[head].append(text)
        return paths, texts

    def forget_texts_meant_for_file(self, head_id: str) -> None:
        """Delete the stored texts that were about to be written."""
        self.write("DELETE FROM intended WHERE head = ?", (head_id,))

    def mark_stale(self, ids: Iterable[str]) -> None:
        """Mark issues of which Jira has newer versions that were not written."""
        self.write_all("UPDATE issue SET stale = 1 WHERE id = ?", [(text,) for text in ids])

    def sprint_ids(self, field_id: str) -> dict[str, int]:
        """Return the ID of each sprint that some issue here is or was in, by its name."""
        query = (
            "SELECT DISTINCT json_extract(sprint.value, '$.name'), json_extract(sprint.value, '$.id')"
            " FROM issue, json_each(issue.fields, ?) AS sprint"
        )
        anies = self.read(query, (f'$."{field_id}"',))
        return {name: number for name, number in anies if name and isinstance(number, int)}

    def team_ids(self, field_id: str) -> dict[str, str]:
        """Return the ID of each team that some issue here has, by its name."""
        query = "SELECT DISTINCT json_extract(fields, ?), json_extract(fields, ?) FROM issue"
        anies = self.read(query, (f'$."{field_id}".name', f'$."{field_id}".id'))
        return {name: number for name, number in anies if name and isinstance(number, str)}

    def record_up_to_date(self, ids: Iterable[str], *, seen: float) -> None:
        """Record that a pull which began at ``seen`` found these issues up to date."""
        with self.batch():
            self.write_all(
                "UPDATE issue SET seen = ? WHERE id = ? AND stale = 0 AND seen < ?",
                [(seen, text, seen) for text in ids],
            )
