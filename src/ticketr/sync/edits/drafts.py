"""Finds the draft that became an issue, in files that people may have edited since; pure.

Which of several drafts gets the key does not matter much: what it says beyond what was sent is an
edit, which reaches the issue with the next push. But a draft that gets no key is sent once more.
So a draft is looked for until one is found that can hardly be another; and never is one taken
that belongs to another issue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from ticketr.sync.compare.diff import part_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ticketr.tickets import Ticket

#: How well drafts can fit: word for word with all their tasks, word for word, by the title.
WHOLE, SAME, TITLED = 4.0, 3.0, 2.0
#: From which share of equal text on a draft with another title may be the same, edited.
_ALIKE = 0.6
#: How much of long texts is compared for that.
_COMPARED = 500


@dataclass(frozen=True)
class DraftMatcher:
    """A draft that became an issue.

    Attributes:
        key: The issue.
        draft: The draft as it was when the issue was asked for.
        parent: The key of the ticket whose task it is; None for a ticket of its own.
        others: Drafts that belong to other issues, without their tasks.
    """

    key: str
    draft: Ticket
    parent: str | None
    others: Collection[Ticket] = frozenset()

    def is_in(self, tickets: Sequence[Ticket]) -> bool:
        """Tell whether the key stands in one of some tickets."""
        return any(self.key in each.keys() for each in tickets)  # noqa: SIM118 - no mapping

    def likeness(self, tickets: Sequence[Ticket]) -> float:
        """Tell how well the best draft in one file fits.

        Args:
            tickets: The tickets of the file.

        Returns:
            0 if there is none that can be it.
        """
        return self._best(tickets)[0]

    def with_key(
        self, tickets: Sequence[Ticket], *, least: float = 0.0
    ) -> tuple[int, Ticket] | None:
        """Put the key into the draft that fits best.

        Args:
            tickets: The tickets of a file.
            least: How well it must fit.

        Returns:
            Which of the tickets changes, and into what; None if the draft is not among them.
        """
        fit, at, task = self._best(tickets)
        if not fit or fit < least:
            return None
        if task is None:
            return at, replace(tickets[at], key=self.key)
        tasks = list(tickets[at].tasks)
        tasks[task] = replace(tasks[task], key=self.key)
        return at, replace(tickets[at], tasks=tuple(tasks))

    def _best(self, tickets: Sequence[Ticket]) -> tuple[float, int, int | None]:
        """Give how well the best draft fits, and where it stands: its ticket, its place in that."""
        possible = list(self._possible(tickets))
        for found, at, task in possible:
            if found == self.draft:
                return WHOLE, at, task
        bare = replace(self.draft, tasks=())
        for found, at, task in possible:
            if found.title == bare.title and replace(found, tasks=()) == bare:
                return SAME, at, task
        fits = ((self._fit(found), at, task) for found, at, task in possible)
        return max(fits, key=lambda each: each[0], default=(0.0, 0, None))

    def _possible(self, tickets: Sequence[Ticket]) -> Iterator[tuple[Ticket, int, int | None]]:
        for at, ticket in enumerate(tickets):
            if self.parent is None and ticket.key is None:
                yield ticket, at, None
            elif self.parent is not None and ticket.key == self.parent:
                for place, task in enumerate(ticket.tasks):
                    if task.key is None:
                        yield task, at, place

    def _fit(self, found: Ticket) -> float:
        """Tell how well a draft fits that was edited, if it is the one."""
        if replace(found, tasks=()) in self.others:
            return 0.0
        alike = _ratio(_text(found), _text(self.draft))
        if found.title == self.draft.title:
            return TITLED + alike / 2
        return alike if alike >= _ALIKE else 0.0


def _text(issue: Ticket) -> str:
    return "\n".join(part_texts(issue).values())[:_COMPARED]


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    quick = matcher.quick_ratio()
    return matcher.ratio() if quick >= _ALIKE else quick
