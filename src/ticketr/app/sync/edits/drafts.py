"""Drafts: what was created of them before, which are tickets without their keys, what they take over. Pure.

It is better to refuse a draft than to create an issue twice. The parser refuses malformed keys;
these checks also need the projects, the last sync, and the requests whose answers were lost.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.diff import CorePart, part_texts
from ticketr.app.tickets import Ticket, TicketSyntaxError, mistyped_key, parse

if TYPE_CHECKING:
    from ticketr.app.sync.edits.local_changes import TicketChanges
    from ticketr.app.sync.state.journal import Creation
    from ticketr.app.sync.workspace.store import LocalTicket


#: Fields that are never taken over, by Jira's IDs: they belong to one issue alone, a sub-task
#: always has its ticket's, or nobody can write them.
_NEVER_INHERITED_IDS = frozenset(
    {
        *("issuetype", "status", "parent", "summary", "description", "issuekey", "comment"),
        *("reporter", "creator", "resolution", "resolutiondate", "security", "attachment"),
        *("timetracking", "timeoriginalestimate", "timeestimate", "timespent", "issuelinks"),
        *("created", "updated", "lastViewed", "statuscategorychangedate", "workratio"),
    }
)
#: The same by their names in small letters, here or on the site.
_NEVER_INHERITED_NAMES = frozenset(
    {
        *("type", "status", "parent", "reporter", "creator", "resolution", "resolved"),
        *("security level", "attachments", "created", "updated", "flagged", "rank", "sprint"),
        *("story points", "story point estimate", "original estimate", "remaining estimate"),
        *("time spent", "epic link", "epic name", "epic status", "epic colour", "epic color"),
    }
)
#: The same by the kinds of custom fields, whose names differ from language to language.
_NEVER_INHERITED_TYPE_PREFIXES = ("gh-sprint", "gh-epic-", "gh-lexo-rank", "jsw-story-points")


def inheritable_fields(
    ticket: Ticket, id_by_line_name: Mapping[str, str], site_fields_json: str | None
) -> dict[str, str]:
    """Return the names and the texts of the fields that new sub-tasks of a ticket take over.

    Args:
        ticket: The ticket in its file.
        id_by_line_name: The IDs of the fields that files hold, as of the last pull; empty
            if there was none.
        site_fields_json: The site's list of fields, as JSON; None if it is not known.
    """
    never = {*_NEVER_INHERITED_IDS, *_never_inherited_ids(site_fields_json)}
    return {
        name: text
        for name, text in ticket.fields.items()
        if text
        and name.casefold() not in _NEVER_INHERITED_NAMES
        and (not id_by_line_name or name in id_by_line_name)
        and id_by_line_name.get(name) not in never
    }


def _never_inherited_ids(site_fields_json: str | None) -> Iterator[str]:
    """Yield the IDs of a site's fields that are never taken over."""
    # Another version may have stored the list in another form.
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        for load in json.loads(site_fields_json or "[]"):
            kind = load["custom_type"].rpartition(":")[2]
            if load["name"].strip().casefold() in _NEVER_INHERITED_NAMES or kind.startswith(
                _NEVER_INHERITED_TYPE_PREFIXES
            ):
                yield load["id"]


_KEY_WITHOUT_BRACKETS_PROBLEM = (
    "this begins like the key of {key}; write [{key}] before the title, or begin the title of a "
    "new ticket with another word"
)
_TICKET_LOST_KEY_PROBLEM = (
    "the heading of {key} has lost its key; write [{key}] again, or put this into another file "
    "if it is to be a copy"
)
_TASK_LOST_KEY_PROBLEM = (
    "the line of {key} has lost its key; write [{key}] again, or change the title if it is to be "
    "a copy"
)


def draft_lost_key_error(
    local_change: TicketChanges,
    *,
    projects: Collection[str],
    gone: Mapping[str, Ticket],
    keys_here: Collection[str],
) -> TicketSyntaxError | None:
    """Return an error if a draft of a ticket is probably an existing issue without its key.

    Args:
        local_change: The change of the ticket.
        projects: The keys of the projects of all tickets.
        gone: Tickets of the last sync that were in the same file and are in no file now, by key.
        keys_here: The keys that are in some file, or that a push restores.
    """
    local = local_change.local
    for draft, _ in local_change.edits_and_drafts():
        if draft.key is None and (key := mistyped_key(draft.title, projects)):
            return _syntax_error(local, draft, _KEY_WITHOUT_BRACKETS_PROBLEM.format(key=key))
    if local_change.head_id is None:
        for key, base in gone.items():
            if _is_probably_same(local.ticket, base):
                return _syntax_error(local, local.ticket, _TICKET_LOST_KEY_PROBLEM.format(key=key))
    tasks = local_change.base.tasks if local_change.base is not None else ()
    titles = {task.title: task.key for task in tasks if task.key and task.key not in keys_here}
    for draft in local_change.new_tasks:
        if key := titles.get(draft.title):
            return _syntax_error(local, draft, _TASK_LOST_KEY_PROBLEM.format(key=key))
    return None


def _is_probably_same(draft: Ticket, base: Ticket) -> bool:
    """Tell whether a draft has the title, the text or a sub-task of a known ticket."""
    tasks = {task.key for task in base.tasks if task.key}
    if draft.title == base.title or any(task.key in tasks for task in draft.tasks):
        return True
    one, other = _parts_without_title(draft), _parts_without_title(base)
    # Equal fields alone prove nothing: many tickets have the same type and priority.
    return one == other and any(
        other.get(part) for part in (CorePart.DESCRIPTION, CorePart.CRITERIA)
    )


def _parts_without_title(ticket: Ticket) -> dict[object, str]:
    return {part: text for part, text in part_texts(ticket).items() if part is not CorePart.TITLE}


def _syntax_error(local: LocalTicket, draft: Ticket, problem: str) -> TicketSyntaxError:
    line = local.comparable_text.split("\n")[draft.line - local.ticket.line]
    column = line.index(":") + 2 if draft is local.ticket else line.index("-") + 2
    column += len(line[column - 1 :]) - len(line[column - 1 :].lstrip())
    return TicketSyntaxError(local.path, draft.line, column, problem, line)


def read_draft_without_tasks(creation: Creation) -> Ticket:
    """Return the draft as it was when the issue was requested, without its sub-tasks."""
    return replace(parse(creation.draft).tickets[0], tasks=())


def unfinished_creations_by_draft_object_id(
    creations: Sequence[Creation], local_changes: Sequence[TicketChanges]
) -> dict[int, Creation]:
    """Find the drafts whose creation is not finished.

    Args:
        creations: The requests of earlier pushes.
        local_changes: What has changed in the files.

    Returns:
        The request of each draft, by the `id` of the draft in the local change.
    """
    others = frozenset(map(read_draft_without_tasks, creations))
    everywhere = [change.local.ticket for change in local_changes]
    by_draft: dict[int, Creation] = {}
    for creation in creations:
        matcher = DraftMatcher(creation, others)
        own = [
            change.local.ticket for change in local_changes if change.local.path == creation.path
        ]
        _, draft = matcher.best_scored(own)
        if draft is None:
            score, other = matcher.best_scored(everywhere)
            draft = other if score >= SAME_TITLE else None
        if draft is not None:
            by_draft[id(draft)] = creation
    return by_draft


#: Scores of a match: equal with all sub-tasks, equal without them, equal in the title.
EQUAL_WITH_TASKS, EQUAL, SAME_TITLE = 4.0, 3.0, 2.0
#: The lowest similarity at which a draft with another title may be an edited version.
_MIN_SIMILARITY = 0.6
#: How many characters are compared.
_COMPARED_PREFIX_CHARACTERS = 500


@dataclass(frozen=True)
class DraftMatcher:
    """Finds the draft of a new issue among the tickets of a file.

    Attributes:
        creation: The issue; its key may be unknown if no key is to be written.
        drafts_of_known_creations: The drafts of other issues, without their sub-tasks; may hold the
            issue's own draft.
    """

    creation: Creation
    drafts_of_known_creations: Collection[Ticket] = frozenset()

    @cached_property
    def sent_draft(self) -> Ticket:
        """The draft as it was when the issue was requested."""
        return parse(self.creation.draft).tickets[0]

    def is_new_key_in(self, tickets: Sequence[Ticket]) -> bool:
        """Tell whether the key of the new issue is in one of some tickets."""
        return any(self.creation.key in ticket.keys() for ticket in tickets)  # noqa: SIM118 - no mapping

    def add_key(self, tickets: Sequence[Ticket]) -> tuple[int, Ticket] | None:
        """Put the key into the best match.

        Returns:
            The index of the ticket that changes, and the changed ticket; None if no draft matches.
        """
        _, draft = self.best_scored(tickets)
        key = self.creation.key
        for at, ticket in enumerate(tickets):
            if ticket is draft:
                return at, replace(ticket, key=key)
            if any(task is draft for task in ticket.tasks):
                tasks = (replace(task, key=key) if task is draft else task for task in ticket.tasks)
                return at, replace(ticket, tasks=tuple(tasks))
        return None

    def best_scored(self, tickets: Sequence[Ticket]) -> tuple[float, Ticket | None]:
        """Return the score of the draft that matches best, and the draft; 0 and None for none."""
        candidates = list(self._drafts_under_same_parent(tickets))
        for ticket in candidates:
            if ticket == self.sent_draft:
                return EQUAL_WITH_TASKS, ticket
        bare = replace(self.sent_draft, tasks=())
        for ticket in candidates:
            if ticket.title == bare.title and replace(ticket, tasks=()) == bare:
                return EQUAL, ticket
        scores = [(self._score_of_unequal(ticket), ticket) for ticket in candidates]
        return max(filter(itemgetter(0), scores), key=itemgetter(0), default=(0.0, None))

    def _drafts_under_same_parent(self, tickets: Sequence[Ticket]) -> Iterator[Ticket]:
        """Yield the drafts that are where the sent one was: tickets, or sub-tasks of one ticket."""
        for ticket in tickets:
            if self.creation.parent is None and ticket.key is None:
                yield ticket
            elif self.creation.parent is not None and ticket.key == self.creation.parent:
                yield from (task for task in ticket.tasks if task.key is None)

    def _score_of_unequal(self, ticket: Ticket) -> float:
        """Return the score of a draft that differs from the sent draft."""
        if replace(ticket, tasks=()) in self.drafts_of_known_creations:
            return 0.0
        texts = _start_of_joined_texts(ticket), _start_of_joined_texts(self.sent_draft)
        matcher = SequenceMatcher(None, *texts, autojunk=False)
        alike = matcher.quick_ratio()
        if alike >= _MIN_SIMILARITY:
            alike = matcher.ratio()
        if ticket.title == self.sent_draft.title:
            return SAME_TITLE + alike / 2
        return alike if alike >= _MIN_SIMILARITY else 0.0


def _start_of_joined_texts(issue: Ticket) -> str:
    return "\n".join(part_texts(issue).values())[:_COMPARED_PREFIX_CHARACTERS]
