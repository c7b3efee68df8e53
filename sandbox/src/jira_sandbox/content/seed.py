"""Generate a site from a number of issues and a seed.

The same arguments give the same site in every process and on every machine. An issue depends
only on the seed and its own number, so a bigger site begins with the same issues.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from jira_sandbox.content import descriptions, hostile
from jira_sandbox.content.extra import CONTENTS, make_extra_issues
from jira_sandbox.content.shop import AREAS, Area
from jira_sandbox.content.words import LABELS, QUALIFIERS, RELEASE_NOTES, SUBTASKS
from jira_sandbox.data import catalogue, model
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.changes import discard_change
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.parts import History, HistoryItem
from jira_sandbox.data.site import ALL_PROJECTS, PROJECTS, Site, utc_now

if TYPE_CHECKING:
    from jira_sandbox.data.changes import OnChange

_FIRST_ID: Final = 10001
_FIRST_CREATED: Final = model.to_millis(datetime(2025, 9, 1, 8, 0, tzinfo=UTC))
_MINUTE_MS: Final = 60_000
_MS_BETWEEN_ISSUES: Final = 13 * _MINUTE_MS
#: One of so many issues has a title, and one a text, that a careless program mishandles.
_HOSTILE_EVERY: Final = 31
_STANDARD_TYPES: Final = (catalogue.STORY, catalogue.TASK, catalogue.BUG)


@dataclass(frozen=True, slots=True)
class _IssuePlan:
    """The place of an issue in the hierarchy, before its texts are generated.

    Attributes:
        number: The number in the issue's key.
        type: The issue's type.
        area: The part of the shop that the issue is about.
        parent: The number of the parent.
        turn: The number of earlier issues with the same type and parent, so that siblings differ.
    """

    number: int
    type: model.IssueType
    area: Area
    parent: int | None
    turn: int


def make_site(
    *,
    tickets: int,
    seed: int,
    all_fields: bool = False,
    user: model.User = DEMO_USER,
    clock: Callable[[], datetime] = utc_now,
    search_lag: float = 0.0,
    on_change: OnChange = discard_change,
) -> Site:
    """Generate a site whose project ``DEMO`` holds exactly ``tickets`` issues.

    Args:
        tickets: The number of issues, sub-tasks included.
        seed: The seed from which the site is generated.
        all_fields: Whether the site also has the projects whose issues have fields of every type.
        user: See `Site`, as for the other arguments.
        clock: See `Site`.
        search_lag: See `Site`.
        on_change: See `Site`.
    """
    issues = make_issues(tickets=tickets, seed=seed)
    return Site(
        (*make_extra_issues(), *issues) if all_fields else issues,
        projects=ALL_PROJECTS if all_fields else PROJECTS,
        user=user,
        clock=clock,
        search_lag=search_lag,
        contents=CONTENTS if all_fields else None,
        on_change=on_change,
    )


def make_issues(*, tickets: int, seed: int) -> Iterator[Issue]:
    """Generate the issues of such a site in ascending order of their numbers."""
    if tickets < 0:
        raise ValueError(f"a site cannot hold {tickets} tickets")
    plans = _Planner(random.Random(seed)).plans()
    return (_make_issue(next(plans), seed) for _ in range(tickets))


class _Planner:
    """Plans an endless series of epics with their issues and sub-tasks.

    Some sub-tasks come long after their parents.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._number = 0
        self._turns: Counter[tuple[int | None, int]] = Counter()
        self._recent: deque[_IssuePlan] = deque(maxlen=40)

    def plans(self) -> Iterator[_IssuePlan]:
        while True:
            for area in self._rng.sample(AREAS, len(AREAS)):
                yield from self._epic(area)

    def _next(self, kind: model.IssueType, area: Area, parent: int | None) -> _IssuePlan:
        self._number += 1
        turn = self._turns[parent, kind.id]
        self._turns[parent, kind.id] += 1
        return _IssuePlan(self._number, kind, area, parent, turn)

    def _epic(self, area: Area) -> Iterator[_IssuePlan]:
        epic = self._next(catalogue.EPIC, area, None)
        yield epic
        for _ in range(self._rng.randint(4, 9)):
            kind = self._rng.choices(_STANDARD_TYPES, weights=(5, 3, 3))[0]
            parent = epic.number if self._rng.random() < 0.85 else None
            yield from self._family(self._next(kind, area, parent))

    def _family(self, issue: _IssuePlan) -> Iterator[_IssuePlan]:
        yield issue
        self._recent.append(issue)
        for _ in range(self._rng.choice((0, 0, 0, 1, 2, 2, 3))):
            yield self._next(catalogue.SUBTASK, issue.area, issue.number)
        if self._rng.random() < 0.2:
            late = self._rng.choice(self._recent)
            yield self._next(catalogue.SUBTASK, late.area, late.number)


def _make_issue(plan: _IssuePlan, seed: int) -> Issue:
    rng = random.Random(f"{seed}/{plan.number}")  # seeded from the SHA-512, not from hash()
    created = _FIRST_CREATED + plan.number * _MS_BETWEEN_ISSUES + rng.randrange(_MS_BETWEEN_ISSUES)
    status = rng.choices(catalogue.STATUSES, weights=(5, 3, 1, 4))[0]
    updated = created + rng.randrange(20 * 24 * 60) * _MINUTE_MS + rng.randrange(_MINUTE_MS)
    summary, description = _texts(rng, plan)
    issue_id = _FIRST_ID - 1 + plan.number
    subtask = plan.type.subtask
    issue = Issue(
        id=issue_id,
        number=plan.number,
        project=catalogue.DEMO,
        type=plan.type,
        status=status,
        priority=rng.choices(catalogue.PRIORITIES, weights=(1, 3, 8, 3, 1))[0],
        summary=summary,
        description=description,
        reporter=rng.choice(catalogue.USERS),
        created=created,
        updated=updated,
        assignee=None if rng.random() < 0.25 else rng.choice(catalogue.USERS),
        parent=None if plan.parent is None else _FIRST_ID - 1 + plan.parent,
        resolved=updated if status is catalogue.DONE else None,
        due=None
        if rng.random() < 0.8
        else (model.from_millis(created, UTC) + timedelta(days=rng.randint(7, 60))).date(),
        labels=_labels(rng, plan.area),
        components=() if subtask else (catalogue.COMPONENTS[plan.area.component],),
        fix_versions=(rng.choice(catalogue.VERSIONS),) if rng.random() < 0.4 else (),
        story_points=None
        if subtask or plan.type is catalogue.EPIC or rng.random() < 0.2
        else rng.choice((0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)),
        sprints=_sprints(rng) if not subtask and plan.type is not catalogue.EPIC else (),
        platform=rng.choice(catalogue.PLATFORMS) if rng.random() < 0.5 else None,
        release_note=rng.choice(RELEASE_NOTES) if rng.random() < 0.3 else None,
        reviewer=rng.choice(catalogue.USERS) if rng.random() < 0.4 else None,
    )
    return replace(issue, history=tuple(_steps(issue)))


def _steps(issue: Issue) -> Iterator[History]:
    """Return the way of an issue through the workflow, spread over its lifetime."""
    way = catalogue.STATUSES[: catalogue.STATUSES.index(issue.status) + 1]
    pause = (issue.updated - issue.created) // max(len(way) - 1, 1)
    for number, (old, new) in enumerate(pairwise(way), 1):
        item = HistoryItem("status", "status", str(old.id), old.name, str(new.id), new.name)
        time = issue.updated if new is issue.status else issue.created + number * pause
        user = issue.assignee or issue.reporter
        yield History(issue.id * 1000 + number, user, time, (item,))


def _labels(rng: random.Random, area: Area) -> tuple[str, ...]:
    return tuple(sorted({area.slug, *rng.sample(LABELS, rng.choice((0, 0, 1, 2)))}))


def _sprints(rng: random.Random) -> tuple[model.Sprint, ...]:
    if rng.random() < 0.35:
        return ()
    first = rng.randrange(len(catalogue.SPRINTS))
    return catalogue.SPRINTS[first : first + rng.choice((1, 1, 1, 2))]


def _texts(rng: random.Random, plan: _IssuePlan) -> tuple[str, model.Adf | None]:
    summary, description = _ordinary_texts(rng, plan)
    turn, rest = divmod(plan.number, _HOSTILE_EVERY)
    if rest == _HOSTILE_EVERY // 2:
        return hostile.TITLES[turn % len(hostile.TITLES)].strip()[:255], description
    if rest == _HOSTILE_EVERY - 1:
        return summary, descriptions.misleading(rng)
    return summary, description


def _ordinary_texts(rng: random.Random, plan: _IssuePlan) -> tuple[str, model.Adf | None]:
    area = plan.area
    place = (plan.parent or 0) * 7 + plan.turn
    if plan.type is catalogue.EPIC:
        return area.epics[place % len(area.epics)], descriptions.epic(rng, area)
    if plan.type is catalogue.SUBTASK:
        some = descriptions.plain(rng, area) if rng.random() < 0.45 else None
        return SUBTASKS[place % len(SUBTASKS)], some
    if plan.type is catalogue.TASK:
        write = descriptions.rich if rng.random() < 0.5 else descriptions.plain
        return area.tasks[place % len(area.tasks)], write(rng, area)
    qualifier = f" {rng.choice(QUALIFIERS)}" if rng.random() < 0.35 else ""
    if plan.type is catalogue.STORY:
        wish = area.stories[place % len(area.stories)]
        return wish[0] + qualifier, descriptions.story(rng, area, wish)
    title = area.bugs[place % len(area.bugs)]
    return title + qualifier, descriptions.bug(rng, area, title)
