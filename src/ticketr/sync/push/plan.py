"""From what was edited here to what is sent: against what Jira has now and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.sync.compare.diff import TEXTS, by_key, differing_size, text_size
from ticketr.sync.compare.sent import arrived
from ticketr.sync.compare.wording import settled
from ticketr.sync.edits.local_changes import (
    draft_changes,
    find_edits,
    remote_changes,
    still_to_send,
)
from ticketr.sync.edits.losses import losses, lossy, unaccepted
from ticketr.sync.notes import Code, Note, moved_away
from ticketr.sync.push.creating import Draft
from ticketr.sync.push.delivery import IssueEdit, TicketWrites
from ticketr.sync.push.metadata import MetadataQuery, fetch_metadata
from ticketr.sync.push.preflight import check
from ticketr.sync.push.refresh import Unavailable, fetch_families
from ticketr.sync.push.requests import create_payload, update_payload
from ticketr.sync.threads import CHUNK, chunks, compute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ticketr.jira import Issue
    from ticketr.sync.compare.diff import Change
    from ticketr.sync.compare.sent import SentValue
    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.edits.losses import Accepted, Loss
    from ticketr.sync.push.metadata import Metadata
    from ticketr.sync.push.requests import IssuePayload, ProjectMetadata
    from ticketr.sync.push.tally import PushTally
    from ticketr.sync.session import Session
    from ticketr.sync.writing.rendering import RenderedFamily
    from ticketr.tickets import Ticket


#: How often a text is converted where it is compared, or said in Jira's terms.
_CONVERTED = 4


@dataclass(frozen=True)
class _Wish:
    """A ticket whose edits may be sent, as far as Jira's own changes go."""

    local_change: LocalChange
    edits: Mapping[str, tuple[Change, ...]]
    types: Mapping[str, str]  # the ID of each issue's type, by key
    documents: Mapping[str, object] = field(default_factory=dict)  # their descriptions, as ADF

    @property
    def text_size(self) -> int:
        """How many characters are converted to send it."""
        drafts = [
            *self.local_change.drafts,
            *([] if self.local_change.head else [self.local_change.local.ticket]),
        ]
        edits = (each for found in self.edits.values() for each in found if each.part in TEXTS)
        # What stood there before is converted as well, to see whether Jira says more than it.
        return text_size(*drafts) + sum(len(each.old) + len(each.new) for each in edits)


class OrderMaker:
    """Finds out what can be sent; what cannot is noted, ticket by ticket.

    Args:
        session: The workspace and the site.
        tally: Takes the notes.
        merging: Whether tickets that have moved on in Jira will be merged, and not noted.
        advice: What to do about them otherwise.
        accept_loss: Which losses of a description may be caused; see `losses`.

    Attributes:
        adopted: Tickets of which Jira has everything already: the ID of each one's head, and its
            file.
        behind: Tickets that are to be merged first: the ID of each one's head, and its file.
        added_keys: Keys that came into a ticket's file since the last sync, by its head's ID.
    """

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        *,
        merging: bool = False,
        advice: str = "pull first, or sync",
        accept_loss: Accepted = False,
    ) -> None:
        self._session = session
        self._tally = tally
        self._merging = merging
        self._advice = advice
        # What is found out on a thread is told once the thread has ended, and not at all if it was
        # left behind.
        self._failed: list[Note] = []
        self._warnings: list[Note] = []
        self._left: list[tuple[Note, int]] = []
        self._moved_on: list[str] = []  # IDs of issues in tickets that are left alone
        self._accept_loss = accept_loss
        self.behind: dict[str, str] = {}
        self.adopted: dict[str, str] = {}
        self.added_keys: dict[str, tuple[str, ...]] = {}

    async def make(self, local_changes: Sequence[LocalChange]) -> list[TicketWrites]:
        """Make the orders for some tickets.

        Args:
            local_changes: What was edited here.

        Raises:
            JiraError: The site could not be asked, or there is no such project.
        """
        wishes = await self._wishes(local_changes)
        questions: list[MetadataQuery] = []
        for few in chunks(wishes, CHUNK):
            await trio.lowlevel.checkpoint()
            questions += (question for wish in few for question in self._questions(wish))
        knowledge = await fetch_metadata(self._session, questions)
        orders: list[TicketWrites] = []
        for wish in wishes:
            weight = 2 * _CONVERTED * wish.text_size
            say = partial(self._order, wish, knowledge)
            order = await compute(self._session.in_thread, weight, say)
            self._tell()
            if order.head or order.edits or order.tasks:
                orders.append(order)
        return await check(self._session, self._tally, orders)

    async def _wishes(self, local_changes: Sequence[LocalChange]) -> list[_Wish]:
        """Leave out what Jira's own changes stand in the way of."""
        wishes = [
            _Wish(local_change, {}, {})
            for local_change in local_changes
            if local_change.head is None
        ]
        by_head = {
            local_change.head: local_change
            for local_change in local_changes
            if local_change.head is not None
        }
        heads = {head: local_change.local.path for head, local_change in by_head.items()}
        self.added_keys = {
            head: local_change.added_keys
            for head, local_change in by_head.items()
            if local_change.added_keys
        }
        now = await fetch_families(self._session, heads, self.added_keys)
        clashes = await self._session.in_thread(self._session.state.clashes)
        for some in chunks(list(now), CHUNK):
            known, sent = await self._session.in_thread(self._known, some)
            for head in some:
                local_change, family = by_head[head], now.pop(head)
                if isinstance(family, Unavailable):
                    await trio.lowlevel.checkpoint()
                    self._fail(local_change.name, local_change, family.reason, family.code)
                else:
                    assert local_change.base is not None
                    size = sum(
                        differing_size(local_change.base, each)
                        for each in (local_change.local.ticket, family.text.ticket)
                    )
                    told = (sent[head], known[head], clashes.get(head, ()))
                    compare = partial(self._compare, local_change, family, *told)
                    wish = await compute(self._session.in_thread, _CONVERTED * size, compare)
                    wishes += [wish] if wish else []
                self._tell()
        # Not all that changes moves the time of an issue's last change: a sprint is closed, a
        # person renamed. A pull would not ask for it, though that is what is advised.
        await self._session.in_thread(self._session.state.mark_stale, self._moved_on)
        place = {
            id(local_change.local): number for number, local_change in enumerate(local_changes)
        }
        # In the order of the files.
        return sorted(wishes, key=lambda wish: place[id(wish.local_change.local)])

    def _known(
        self, heads: Sequence[str]
    ) -> tuple[dict[str, list[Issue]], dict[str, dict[str, list[SentValue]]]]:
        """Read the issues of some tickets at the last sync, and edits that may be in Jira since."""
        state = self._session.state
        known = {head: state.issues_of(head) for head in heads}
        return known, {head: state.sent.of(head) for head in heads}

    def _compare(
        self,
        local_change: LocalChange,
        family: RenderedFamily,
        sent: Mapping[str, Sequence[SentValue]],
        known: Sequence[Issue],
        clashes: Sequence[str],
    ) -> _Wish | None:
        """See whether Jira has moved on since the last sync.

        Args:
            local_change: What is to be pushed of a ticket.
            family: The ticket in Jira.
            sent: What Jira may have of it already.
            known: Its issues at the last sync.
            clashes: What a pull has found that both sides have changed.
        """
        local_change, here = _caught_up(local_change, family, sent, known)
        assert local_change.head is not None
        assert local_change.base is not None
        names = {each.id: each.key for each in family.issues}
        renamed = {
            each.key: now for each in known if (now := names.get(each.id, each.key)) != each.key
        }
        if local_change.name in renamed:
            self._fail(
                local_change.name, local_change, moved_away(local_change.name, renamed), Code.MOVED
            )
            return None
        remote = settled(family.text.ticket, family.issues, base=local_change.base, known=known)
        if news := remote_changes(local_change.base, here, remote):
            if self._merging and not clashes:
                self.behind[local_change.head] = local_change.local.path
            else:
                self._moved_on += (each.id for each in family.issues)
                note = _moved_on(local_change, news, clashes, self._advice)
                self._left.append((note, local_change.writes))
            return None
        there = by_key(remote)
        absent = [
            key for key in (*local_change.added_keys, *local_change.edits) if key not in there
        ]
        for key in absent:
            if key in renamed:
                self._fail(key, local_change, moved_away(key, renamed), Code.MOVED)
            else:
                reason = f"Jira does not have it as a sub-task of {local_change.name}"
                self._fail(key, local_change, reason, Code.MISPLACED)
        edits = {
            key: left
            for key, found in local_change.edits.items()
            if key in there and (left := still_to_send(found, there[key]))
        }
        if not edits and not local_change.drafts and not absent:
            self.adopted[local_change.head] = local_change.local.path
        return _Wish(
            local_change,
            edits,
            {each.key: _type_id(each.fields) for each in family.issues},
            {each.key: each.fields.get("description") for each in family.issues},
        )

    def _questions(self, wish: _Wish) -> Iterable[MetadataQuery]:
        for key, found in wish.edits.items():
            yield MetadataQuery(_project_of(key), wish.types[key], found)
        project = self._project(wish.local_change)
        if project is not None:
            if wish.local_change.head is None:
                yield MetadataQuery(project, None, draft_changes(wish.local_change.local.ticket))
            for draft in wish.local_change.drafts:
                yield MetadataQuery(project, None, draft_changes(draft), subtask=True)

    def _project(self, local_change: LocalChange) -> str | None:
        key = local_change.local.ticket.key
        return _project_of(key) if key else self._session.job.project

    def _order(self, wish: _Wish, knowledge: Metadata) -> TicketWrites:
        local_change = wish.local_change
        edits = self._edits(wish, knowledge)
        project = self._project(local_change)
        if project is None:
            reason = "no project is set that it could be created in; set JIRA_PROJECT_KEY"
            self._fail(local_change.local.ticket, local_change, reason, Code.INVALID)
            return TicketWrites(local_change, None, (), ())
        head: Draft | None = None
        if local_change.head is None:
            for key in local_change.added_keys:
                reason = f"it stands under {local_change.name}, where Jira does not have it"
                self._fail(key, local_change, reason, Code.MISPLACED)
            head = self._draft(
                local_change, local_change.local.ticket, project, knowledge, subtask=False
            )
            if head is None:
                return TicketWrites(local_change, None, (), ())
        tasks = (
            self._draft(local_change, each, project, knowledge, subtask=True)
            for each in local_change.drafts
        )
        return TicketWrites(
            local_change, head, edits, tuple(each for each in tasks if each is not None)
        )

    def _edits(self, wish: _Wish, knowledge: Metadata) -> tuple[IssueEdit, ...]:
        here = by_key(wish.local_change.local.ticket)
        lost = losses(replace(wish.local_change, edits=wish.edits), wish.documents)
        refused = self._refuse_losses(wish, lost)
        edits: list[IssueEdit] = []
        for key, found in wish.edits.items():
            if key in refused:
                continue
            question = MetadataQuery(_project_of(key), wish.types[key], found)
            sent = update_payload(
                here[key],
                found,
                knowledge.kinds(question),
                knowledge.directory,
                document=wish.documents.get(key),
                path=wish.local_change.local.path,
                lossy=lossy(wish.local_change, key)
                if any(each.key == key for each in lost)
                else (),
            )
            problems = (*sent.problems, *_wrong_status(sent, knowledge.forms.get(question.project)))
            if problems:
                self._fail(key, wish.local_change, "; ".join(problems), Code.INVALID)
            else:
                self._warn(here[key], wish.local_change, sent)
                edits.append(IssueEdit(key, here[key], found, sent))
        return tuple(edits)

    def _refuse_losses(self, wish: _Wish, lost: Sequence[Loss]) -> set[str]:
        """Note what the edits of a ticket would take away in Jira; give the keys that must wait."""
        refused = {each.key for each in unaccepted(lost, self._accept_loss)}
        for key in dict.fromkeys(each.key for each in lost):
            names = ", ".join(each.what for each in lost if each.key == key)
            if key in refused:
                reason = (
                    f"Description: sending it would lose {names}, for its file cannot say that; "
                    "change it in Jira, or say --accept-loss"
                )
                self._fail(key, wish.local_change, reason, Code.LOSS)
            else:
                reason = f"Description: what its file cannot say is lost in Jira: {names}"
                self._warnings.append(Note(key, wish.local_change.local.path, reason, Code.LOSS))
        return refused

    def _draft(
        self,
        local_change: LocalChange,
        issue: Ticket,
        project: str,
        knowledge: Metadata,
        *,
        subtask: bool,
    ) -> Draft | None:
        sent = create_payload(
            issue,
            knowledge.forms[project],
            knowledge.directory,
            project=project,
            subtask=subtask,
            path=local_change.local.path,
        )
        if sent.problems:
            self._fail(issue, local_change, "; ".join(sent.problems), Code.INVALID)
            return None
        self._warn(issue, local_change, sent)
        return Draft(issue, project, sent)

    def _warn(self, issue: Ticket, local_change: LocalChange, sent: IssuePayload) -> None:
        self._warnings += (
            Note.on(issue, local_change.local.path, each, Code.LITERAL) for each in sent.warnings
        )

    def _fail(
        self, which: str | Ticket, local_change: LocalChange, reason: str, code: Code
    ) -> None:
        path = local_change.local.path
        if isinstance(which, str):
            note = Note(which, path, reason, code)
        else:
            note = Note.on(which, path, reason, code)
        self._failed.append(note)

    def _tell(self) -> None:
        """Tell what was found out."""
        self._tally.failed += self._failed
        self._tally.warnings += self._warnings
        for note, issues in self._left:
            self._tally.leave(note, issues)
        self._failed, self._warnings, self._left = [], [], []


def _caught_up(
    local_change: LocalChange,
    family: RenderedFamily,
    sent: Mapping[str, Sequence[SentValue]],
    known: Sequence[Issue],
) -> tuple[LocalChange, Ticket]:
    """Count what Jira has of a push whose end was lost to the last sync."""
    assert local_change.base is not None
    local, remote = local_change.local.ticket, family.text.ticket
    base, here = arrived(local_change.base, local, remote, family.issues, sent, known=known)
    if base is local_change.base:
        return local_change, here
    return replace(local_change, base=base, edits=find_edits(base, here)), here


def _moved_on(
    local_change: LocalChange,
    news: Mapping[str, Sequence[Change]],
    clashes: Sequence[str],
    advice: str,
) -> Note:
    """Tell what to do about a ticket that has changed in Jira, which a pull may have seen before."""
    if known := ", ".join(clashes):
        reason = f"it is in conflict with Jira ({known}); run ticketr resolve {local_change.name}"
        return Note(local_change.name, local_change.local.path, reason, Code.CONFLICT)
    what = ", ".join(f"{key}: {each.name}" for key in news for each in news[key])
    reason = f"changed in Jira since the last pull ({what}); {advice}"
    return Note(local_change.name, local_change.local.path, reason, Code.MOVED_ON)


def _wrong_status(sent: IssuePayload, form: ProjectMetadata | None) -> tuple[str, ...]:
    """See that a new type has the status; of an old one, the transitions are asked."""
    kind = sent.fields.get("issuetype")
    new = kind.get("id") if isinstance(kind, dict) else None
    return form.wrong_status(new, sent.status) if form and isinstance(new, str) else ()


def _project_of(key: str) -> str:
    return key.rpartition("-")[0]


def _type_id(fields: Mapping[str, object]) -> str:
    kind = fields.get("issuetype")
    found = kind.get("id") if isinstance(kind, dict) else None
    return found if isinstance(found, str) else ""
