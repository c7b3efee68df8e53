"""Finds issues that Jira was asked to create when the answer, this program, or a key was lost.

Jira has no way to say "create this once". So each new issue carries a random marker in its own
properties, and what was asked for is on disk before it is asked. Whatever happens then, the
issue can be found: among the keys that follow the highest one from before, which are read as they
are now, not as the search index has them.

What cannot be promised: an issue that Jira creates later than `SessionJob.settle` seconds after
it was asked for would be created twice. Jira's own gateway gives up long before that.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.sync.edits.drafts import SAME, TITLED
from ticketr.sync.push.keys import matcher_for, read_draft, write_key, write_key_and_record
from ticketr.sync.push.transitions import status_of
from ticketr.sync.queries import OVERLAP, base_query
from ticketr.sync.session import PAGE
from ticketr.sync.threads import CHUNK, chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from ticketr.sync.session import Session
    from ticketr.sync.state.journal import Creation
    from ticketr.sync.workspace.store import Store
    from ticketr.tickets import Ticket

#: The entity property that holds the marker.
PROPERTY = "ticketr.created"
#: How many hundreds of keys that nobody has are looked at before the project is taken to end
#: there: keys of deleted issues are not given again.
GAP = 10
#: Seconds after which a request is over, however often Jira asked to wait before it was sent.
LONG_AGO = 3600.0


async def recover(session: Session, keys: list[str]) -> bool:
    """Settle what a killed or cut-off run has left: find its issues, write their keys.

    Args:
        session: The workspace and the site.
        keys: Takes the keys of issues whose drafts have them only now.

    Returns:
        Whether there was anything, so that files may have changed.

    Cancellation:
        Takes effect at once; what is not settled yet is left for the next time.
    """
    began = trio.current_time()
    left = await session.in_thread(session.state.creations.all)
    drafts = frozenset(map(read_draft, left))
    found = await _look_up_all(session, left, began=began)
    for asked in left:
        creation = asked if asked.key is not None else found.get(asked.marker)
        if creation is None:  # it certainly never came to be: the draft is simply a draft
            await session.in_thread(session.state.creations.forget, asked.marker)
        elif await _write_key_somewhere(session, creation, drafts) and creation.key is not None:
            keys.append(creation.key)
    return await _bring_back(session) or bool(left)


async def _look_up_all(
    session: Session, left: Iterable[Creation], *, began: float
) -> dict[str, Creation]:
    """Find those whose answers were lost, by their markers."""
    lost = [each for each in left if each.key is None]
    # It may have been sent long after it was written down, if Jira asked us to wait. But whoever
    # sent it has ended, or the workspace would not be ours.
    long_ago = all(time.time() - each.sent > LONG_AGO for each in lost)
    return await look_up(session, lost, sent=-math.inf if long_ago else began)


async def look_up(
    session: Session, asked: Sequence[Creation], *, sent: float
) -> dict[str, Creation]:
    """Find out which issues that were asked for are there, once that is certain.

    Args:
        session: The workspace and the site.
        asked: What was asked for.
        sent: Trio's clock at a moment when no request for them could be under way any more, but
            for one that something before Jira still carries.

    Returns:
        Those that exist, by their markers, with their IDs and keys, which are on disk then.

    Raises:
        JiraError: It could not be found out.

    Cancellation:
        Takes effect at once, also while waiting for a late request to be carried out.
    """
    left = sent + session.job.settle - trio.current_time()
    if left > 0 and asked:
        more = f" and {len(asked) - 1} more" if len(asked) > 1 else ""
        what = f'finding out whether "{asked[0].title}"{more} {"were" if more else "was"} created'
        session.progress.wait(left, what)
        await trio.sleep(left)
    found: dict[str, Creation] = {}
    for project in dict.fromkeys(each.project for each in asked):
        search = _Search(session, [each for each in asked if each.project == project])
        found |= await search.run()
    for creation in found.values():
        await session.in_thread(session.state.creations.put, creation)
    return found


class _Search:
    """Looks through one project for issues that were asked for, by their markers.

    Args:
        session: The workspace and the site.
        asked: What was asked for; one at least.
    """

    def __init__(self, session: Session, asked: Sequence[Creation]) -> None:
        self._session = session
        self._project = asked[0].project
        self._after = min(each.after for each in asked)
        self._sent = min(each.sent for each in asked)
        self._missing = {each.marker: each for each in asked}
        self._found: dict[str, Creation] = {}

    async def run(self) -> dict[str, Creation]:
        """Look until all are found, or it is certain that the others do not exist."""
        await self._read_next_keys()
        if self._missing:
            await self._read_newest()
        return self._found

    async def _read_next_keys(self) -> None:
        number, empty = self._after, 0
        while self._missing and empty < GAP:
            keys = [f"{self._project}-{number + step}" for step in range(1, PAGE + 1)]
            empty = 0 if await self._read(keys) else empty + 1
            number += PAGE

    async def _read_newest(self) -> None:
        """Read what a search finds, for they may stand behind an even wider gap in the keys."""
        minutes = max(0, math.ceil((time.time() - self._sent) / 60)) + OVERLAP
        query = f"{base_query(self._project, None)} AND created >= -{minutes}m ORDER BY key DESC"
        recent = await self._session.jira.search_ids(query)
        for some in chunks(recent.ids, PAGE):
            if not self._missing:
                return
            await self._read(some)

    async def _read(self, ids: Sequence[str]) -> bool:
        """Look at some issues; tell whether any of them exists."""
        jira = self._session.jira
        answer = await jira.bulk_fetch(ids, fields=["summary"], properties=[PROPERTY])
        issues = (*answer.issues, *answer.renamed)  # one that was moved since has another key
        for issue in issues:
            marker = issue.properties.get(PROPERTY)
            if isinstance(marker, str) and marker in self._missing:
                self._found[marker] = self._missing.pop(marker).answered(issue.id, issue.key)
        return bool(issues)


async def _write_key_somewhere(
    session: Session, creation: Creation, drafts: Collection[Ticket]
) -> bool:
    """Write a key into its draft, which may have been edited or moved to another file since.

    Returns:
        Whether the draft was found.
    """
    assert creation.id is not None
    answer = await session.jira.bulk_fetch([creation.id], fields=["status"])
    name: str | None = None
    if answer.issues:  # else it was deleted again, so the draft is simply a draft
        creation = creation.answered(creation.id, answer.issues[0].key)  # it may have been moved
        name, hidden = await _whereabouts(session, creation, drafts)
        if creation.path in hidden or (name is None and hidden):
            return False  # until all is readable, nobody knows where the draft is
    if name is None:  # the draft is gone: the issue comes with the next pull
        await session.in_thread(session.state.creations.forget, creation.marker)
        return False
    note = partial(write_key_and_record, status=status_of(answer.issues[0]), drafts=drafts)
    return await session.in_thread(note, session.editor, session.state, creation, name)


async def _whereabouts(
    session: Session, creation: Creation, drafts: Collection[Ticket]
) -> tuple[str | None, set[str]]:
    """Find the file that holds the key already, or else the draft; its own first.

    Returns:
        The file, if there is one, and those that could not be read.
    """
    sought, store = matcher_for(creation, drafts), session.store
    found: list[tuple[float, str]] = []
    hidden: set[str] = set()

    def look(paths: Iterable[Path]) -> None:
        for name in map(store.name_of, paths):
            try:
                tickets = store.tickets(name)
            except TicketrError:  # which is told where the files are surveyed
                hidden.add(name)
                continue
            is_own = name == creation.path
            fit = 2 * SAME if sought.is_in(tickets) else sought.likeness(tickets)
            if is_own and fit >= SAME:
                fit += 2 * SAME
            if fit >= TITLED or (is_own and fit):
                found.append((fit, name))

    await session.visit_files(look)
    return max(found, key=lambda each: each[0], default=(0.0, None))[1], hidden


async def _bring_back(session: Session) -> bool:
    """Write keys anew that were in their files and are in none any more.

    An editor that had a draft open may have saved it once more as it was, or git may have checked
    it out again: pushed like that, it would be another issue.
    """
    made: dict[str, list[Creation]] = {}
    for each in await session.in_thread(session.state.creations.settled):
        made.setdefault(each.path, []).append(each)
    found = False
    while True:  # a task is found once its ticket has its key again
        lost = [
            each
            for some in chunks([*made.items()], CHUNK)
            for each in await session.in_thread(_without_keys, session.store, some)
        ]
        if not lost or not await _write_keys_anew(session, lost):
            return found
        found = True


def _without_keys(store: Store, made: Iterable[tuple[str, Iterable[Creation]]]) -> list[Creation]:
    """Choose those issues whose drafts stand in their files as they were, without their keys."""
    lost: list[Creation] = []
    for path, creations in made:
        try:
            tickets = store.tickets(path)
        except TicketrError:  # it is not there, or cannot be read now
            continue
        if all(each.key for ticket in tickets for each in (ticket, *ticket.tasks)):
            continue
        for creation in creations:
            sought = matcher_for(creation)
            if not sought.is_in(tickets) and sought.likeness(tickets) >= SAME:
                lost.append(creation)
    return lost


async def _write_keys_anew(session: Session, lost: Iterable[Creation]) -> bool:
    places = (await session.layout()).places
    lost = [each for each in lost if each.key not in places]
    there: set[str] = set()
    for some in chunks(lost, PAGE):
        answer = await session.jira.bulk_fetch([each.id or "" for each in some], fields=["summary"])
        there.update(issue.id for issue in answer.issues)

    def write() -> bool:
        editor, written = session.editor, False
        for each in lost:
            if each.id in there:
                written |= write_key(editor, each.path, matcher_for(each), least=SAME)
            else:  # it was deleted, and is wanted anew
                session.state.creations.forget(each.marker)
        return written

    return await session.in_thread(write)
