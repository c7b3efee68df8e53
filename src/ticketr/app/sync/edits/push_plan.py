"""A push's plan: what it would write, and what it would leave alone. Pure.

A plan is made from the files and the last sync, without a request. It is shown to the user, who
confirms it; see `Selection`.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ticketr.app.sync.edits.losses import LiteralText, Loss
    from ticketr.app.sync.notes import Code


#: The most transitions that one push performs on an issue.
MOST_STEPS = 4


def find_path(edges: Mapping[str, Iterable[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way to a status, in any case of letters.

    Args:
        edges: The statuses that one transition leads to, by the status from which it does, in
            small letters (`str.casefold`).
        start: The present status.
        goal: The wanted status.

    Returns:
        The statuses on the way, at most `MOST_STEPS`, the wanted one last; none if no way is known.
    """
    paths: deque[tuple[str, ...]] = deque([(start,)])
    seen = {start.casefold()}
    while paths:
        path = paths.popleft()
        for status in edges.get(path[-1].casefold(), ()):
            if status.casefold() == goal.casefold():
                return (*path[1:], status)
            if status.casefold() not in seen and len(path) < MOST_STEPS:
                seen.add(status.casefold())
                paths.append((*path, status))
    return ()


def unknown_statuses(
    edges: Mapping[str, Iterable[str]], start: str, *, most: int = MOST_STEPS
) -> tuple[str, ...]:
    """Return the statuses near a start from which it is not known where transitions lead.

    They are those that fewer than ``most`` transitions reach, the nearest first.
    """
    texts: list[str] = []
    nearest, seen = [start], {start.casefold()}
    for _ in range(most):
        texts += (text for text in nearest if text.casefold() not in edges)
        further: dict[str, str] = {}
        for status in nearest:
            for text in edges.get(status.casefold(), ()):
                if text.casefold() not in seen:
                    further.setdefault(text.casefold(), text)
        seen |= further.keys()
        nearest = list(further.values())
    return tuple(texts)


def way_text(before: str, between: Sequence[str], after: str) -> str:
    """Return the way of several transitions in words: ``To Do > In Progress > Done (2 transitions)``.

    The way of a new issue begins in the first status ``between``, and ``before`` is empty.
    """
    way = [*([before] if before else []), *between, after]
    return f"{' > '.join(way)} ({len(way) - 1} transitions)"


_STATUS = "Status"


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One part of an issue that a push would send.

    Attributes:
        name: What people call the part.
        before: Its text at the last sync; empty for none.
        after: Its text in the file. Acceptance criteria are a list in Markdown. The text of a
            field that a new sub-task takes over ends with its ticket: ``High (from DEMO-2)``.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One issue that a push would create or change.

    Its texts are as in the file, not cleaned.

    Attributes:
        key: The issue's key; empty for a draft.
        title: The issue's title.
        path: The issue's file, relative to the workspace.
        line: The line of its heading in the file, from 1.
        parts: The parts that would be sent, the title of a draft included.
        parent: The ticket under which a draft is a new sub-task, by its key or, as ``name``, by
            its title; empty for others.
        between: The statuses on the way to a new one, if several transitions lead there as far as
            it is known.
    """

    key: str
    title: str
    path: str
    line: int
    parts: tuple[PlanPart, ...]
    parent: str = ""
    between: tuple[str, ...] = ()

    @property
    def action(self) -> Literal["created", "updated"]:
        """What would be done with the issue."""
        return "updated" if self.key else "created"

    @property
    def moves(self) -> tuple[str, str] | None:
        """The status at the last sync, empty for a draft, and the wanted one; None for no move."""
        parts = (part for part in self.parts if part.name == _STATUS)
        return next(((part.before, part.after) for part in parts), None)

    @property
    def way(self) -> str:
        """The way to the new status in words, if several transitions lead there; else empty."""
        before, after = self.moves or ("", "")
        return way_text(before, self.between, after) if self.between else ""

    @property
    def name(self) -> str:
        """What to call the issue: its key, or a draft's title."""
        return self.key or f'draft "{self.title}"'

    @property
    def fingerprint(self) -> str:
        """A digest of what the user asks to write, to compare a plan with a later one.

        It covers the new texts, and which issue or parent gets them; not the old texts, nor the
        place in the files.
        """
        asked = [self.key, self.parent, [[part.name, part.after] for part in self.parts]]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A ticket or file that a push would leave alone.

    Its texts are not cleaned.

    Attributes:
        key: The ticket's key; empty for a draft, and for a file that cannot be read.
        title: The ticket's title; empty for a file.
        path: Its file, relative to the workspace.
        line: The line of its heading, or of the error in the file, from 1; None if not known.
        reason: Why it is left alone, for people.
        code: Why it is left alone, for scripts.
    """

    key: str
    title: str
    path: str
    line: int | None
    reason: str
    code: Code

    @property
    def name(self) -> str:
        """What to call it: its key, a draft's title, or else the file."""
        return self.key or (f'draft "{self.title}"' if self.title else self.path)


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would write, as far as the files and the last sync show.

    Attributes:
        entries: The issues that it would create or change, in the order of the files.
        left: What it would not change, and why.
        losses: What its entries would remove from descriptions in Jira. Unless they are accepted,
            these descriptions are not sent.
        literals: What Jira would get as plain text, such as a mistyped short form.
    """

    entries: tuple[PlanEntry, ...] = ()
    left: tuple[LeftAlone, ...] = ()
    losses: tuple[Loss, ...] = ()
    literals: tuple[LiteralText, ...] = ()
