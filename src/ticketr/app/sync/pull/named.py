"""Pulls the tickets that a user names, and no others.

They are fetched even if they have not changed. What the state knows of other issues stays, so the
next pull searches for changes since the same moment as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.mapping import is_subtask, parent_id, subtask_ids
from ticketr.app.sync.concurrency import PAGE
from ticketr.app.sync.errors import UnknownTicket
from ticketr.app.sync.hints import nearest
from ticketr.app.sync.notes import Code, Note, not_given
from ticketr.app.sync.pull.fetch_plan import FetchPlan
from ticketr.app.sync.pull.pipeline import PullPipeline
from ticketr.app.sync.pull.pull import make_writer
from ticketr.app.sync.threads import chunks
from ticketr.app.tickets import is_key

if TYPE_CHECKING:
    from ticketr.app.sync.pull.tally import Tally
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.state.state import KnownIssue
    from ticketr.app.sync.workspace.store import TicketLocation

_RELATIVES = ("subtasks", "parent", "issuetype")


async def pull_named(
    session: Session,
    keys: Collection[str],
    locations: dict[str, TicketLocation],
    tally: Tally,
    *,
    into: str | None = None,
) -> None:
    """Bring named tickets into the workspace, whatever the query finds.

    A ticket comes with its sub-tasks, and a sub-task with the ticket in whose file it is.

    Args:
        session: The workspace and the site.
        keys: The keys of the tickets.
        locations: The location of each key in the workspace.
        tally: Counts issues as soon as they are written; gets a note for each key that Jira does
            not have.
        into: See `pull`.

    Raises:
        UnknownTicket: One of the keys is malformed.

    Cancellation:
        As for `pull`.
    """
    known = await session.in_thread(session.state.known)
    ids = {issue.key: issue.id for issue in known.values()}
    for key in keys:
        if not is_key(key):
            raise UnknownTicket(key, (*locations, *ids))
    if not known:  # of a new workspace; else the next pull has to see which fields are new
        columns = session.columns.stored
        await session.in_thread(session.state.site_record.take_columns, columns)
    now = await session.now()
    session.progress.say(f"Asking for {len(keys)} ticket{'' if len(keys) == 1 else 's'}...")
    relatives = _Relatives(session, known, locations, tally)
    await relatives.find({ids.get(key, key): key for key in keys})
    wanted = tuple(relatives.wanted)
    tally.found(wanted, (), known=known)
    writer = await make_writer(session, seen=now, into=into)
    plan = FetchPlan(wanted, wanted, ())
    await PullPipeline(
        session, writer, locations=locations, plan=plan, known=known, tally=tally
    ).run()


class _Relatives:
    """Finds all issues that are in the same tickets as some issues.

    Attributes:
        wanted: The IDs of all these issues, in the order in which they were found.
    """

    def __init__(
        self,
        session: Session,
        known: Mapping[str, KnownIssue],
        locations: Mapping[str, TicketLocation],
        tally: Tally,
    ) -> None:
        self.wanted: dict[str, None] = {}
        self._session = session
        self._known = known
        self._locations = locations
        self._tally = tally

    async def find(self, names: Mapping[str, str]) -> None:
        """Find the complete tickets of some issues.

        Args:
            names: The key of each issue for messages, by the ID or key to ask Jira for.
        """
        issues = await self._fetch(names)
        parents = {self._parent(issue) for issue in issues} - {"", *(issue.id for issue in issues)}
        issues += await self._fetch({parent: self._known[parent].key for parent in sorted(parents)})
        members: dict[str, list[str]] = {}
        for known_issue in self._known.values():
            members.setdefault(known_issue.head, []).append(known_issue.id)
        for issue in issues:
            family = (issue.id, *subtask_ids(issue), *members.get(issue.id, ()))
            self.wanted.update(dict.fromkeys(family))

    def _parent(self, issue: Issue) -> str:
        """Return the ID of the ticket in which a sub-task is; empty for any other issue."""
        location = self._locations.get(issue.key)
        stands_alone = location is not None and location.head == issue.key
        parent = parent_id(issue) if is_subtask(issue) and not stands_alone else None
        return parent if parent is not None and parent in self._known else ""

    async def _fetch(self, names: Mapping[str, str]) -> list[Issue]:
        """Fetch issues with the fields that name their relatives; note those that Jira omits.

        Args:
            names: See `find`.
        """
        issues: list[Issue] = []
        for chunk in chunks(list(names), PAGE):
            answer = await self._session.jira.bulk_fetch(chunk, fields=_RELATIVES, partly=True)
            issues += answer.issues
            for name, words in answer.failed.items():
                self._note(names[name], not_given(words), Code.UNREACHED)
            for name in answer.missing:
                # An answer to one key alone shows which issue had that key.
                alone = answer.renamed and await self._session.jira.bulk_fetch(
                    [name], fields=_RELATIVES
                )
                if alone and alone.renamed:
                    issues += alone.renamed
                else:
                    known = self._keys_except(names.values())
                    hint = f"; {nearest(names[name], known)}" if known else ""
                    reason = f"Jira does not have it, or you may not see it{hint}"
                    self._note(names[name], reason, Code.MISSING)
        return issues

    def _keys_except(self, keys: Iterable[str]) -> set[str]:
        return {issue.key for issue in self._known.values()}.difference(keys)

    def _note(self, key: str, reason: str, code: Code) -> None:
        location = self._locations.get(key)
        self._tally.fail(Note(key, location.path if location else "", reason, code))
