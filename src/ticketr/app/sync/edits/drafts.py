"""Finds the draft that became an issue, in files that may have been edited since. Pure.

If the key goes into a similar draft, the difference is an edit, which the next push sends. But a
draft without a key is created again. So the best match gets the key even if it was edited, unless
it belongs to another issue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from ticketr.app.sync.compare.diff import part_texts
from ticketr.app.tickets import Ticket

#: Scores of a match: equal with all sub-tasks, equal without them, equal in the title.
EQUAL_WITH_TASKS, EQUAL, SAME_TITLE = 4.0, 3.0, 2.0
#: The lowest similarity at which a draft with another title may be an edited version.
_SIMILAR = 0.6
#: How many characters are compared.
_COMPARED = 500


@dataclass(frozen=True)
class DraftMatcher:
    """Finds the draft of a new issue among the tickets of a file.

    Attributes:
        key: The key of the issue.
        draft: The draft as it was when the issue was requested.
        parent: The key of its ticket, for a sub-task; None for a ticket.
        others: Drafts that belong to other issues, without their sub-tasks.
    """

    key: str
    draft: Ticket
    parent: str | None
    others: Collection[Ticket] = frozenset()

    def is_in(self, tickets: Sequence[Ticket]) -> bool:
        """Tell whether the key is in one of some tickets."""
        return any(self.key in ticket.keys() for ticket in tickets)  # noqa: SIM118 - no mapping

    def best_score(self, tickets: Sequence[Ticket]) -> float:
        """Return the score of the best match in one file.

        Returns:
            0 if no draft matches.
        """
        return self._best_candidate(tickets)[0]

    def find(self, tickets: Sequence[Ticket], *, least: float = 0.0) -> Ticket | None:
        """Return the draft that matches best; None if none has at least the score ``least``."""
        score, at, task = self._best_candidate(tickets)
        if not score or score < least:
            return None
        return tickets[at] if task is None else tickets[at].tasks[task]

    def with_key(
        self, tickets: Sequence[Ticket], *, least: float = 0.0
    ) -> tuple[int, Ticket] | None:
        """Put the key into the best match.

        Returns:
            The index of the ticket that changes, and the changed ticket; None if no draft has at
            least the score ``least``.
        """
        score, at, task = self._best_candidate(tickets)
        if not score or score < least:
            return None
        if task is None:
            return at, replace(tickets[at], key=self.key)
        tasks = list(tickets[at].tasks)
        tasks[task] = replace(tasks[task], key=self.key)
        return at, replace(tickets[at], tasks=tuple(tasks))

    def _best_candidate(self, tickets: Sequence[Ticket]) -> tuple[float, int, int | None]:
        """Return the best score, the index of its ticket, and the index of the sub-task in that."""
        candidates = list(self._candidates(tickets))
        for ticket, at, task in candidates:
            if ticket == self.draft:
                return EQUAL_WITH_TASKS, at, task
        bare = replace(self.draft, tasks=())
        for ticket, at, task in candidates:
            if ticket.title == bare.title and replace(ticket, tasks=()) == bare:
                return EQUAL, at, task
        scores = ((self._score(ticket), at, task) for ticket, at, task in candidates)
        return max(scores, key=lambda entry: entry[0], default=(0.0, 0, None))

    def _candidates(self, tickets: Sequence[Ticket]) -> Iterator[tuple[Ticket, int, int | None]]:
        """Yield the drafts that may be the sent one, each with the indexes of ticket and sub-task."""
        for at, ticket in enumerate(tickets):
            if self.parent is None and ticket.key is None:
                yield ticket, at, None
            elif self.parent is not None and ticket.key == self.parent:
                for index, task in enumerate(ticket.tasks):
                    if task.key is None:
                        yield task, at, index

    def _score(self, ticket: Ticket) -> float:
        """Return the score of a draft that differs from the sent draft."""
        if replace(ticket, tasks=()) in self.others:
            return 0.0
        alike = _similarity(_compared_text(ticket), _compared_text(self.draft))
        if ticket.title == self.draft.title:
            return SAME_TITLE + alike / 2
        return alike if alike >= _SIMILAR else 0.0


def _compared_text(issue: Ticket) -> str:
    return "\n".join(part_texts(issue).values())[:_COMPARED]


def _similarity(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    quick = matcher.quick_ratio()
    return matcher.ratio() if quick >= _SIMILAR else quick
