"""The ticket list as data: rows, sub-tasks below their tickets, in blocks."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, chain, groupby
from pathlib import PurePosixPath
from typing import final, overload

from ticketr.app.tickets import Candidate, Ticket, candidate_of, fold, sort_key
from ticketr.text import clean

#: The rows of a new block; one with more than twice as many is divided.
BLOCK_ROWS = 256
#: How many results of searches in a part are remembered: some for each part of 10,000 rows.
REMEMBERED = 2048
#: One row of so many is looked at for itself; of more rows the result is remembered.
FEW = 4


@dataclass(frozen=True, slots=True)
class VisibleRow:
    """A row of the list as it is shown.

    Attributes:
        row: The issue.
        tasks: The number of its sub-tasks that the list holds.
        hidden: How many of them are folded away.
    """

    row: ListRow
    tasks: int = 0
    hidden: int = 0


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows that are shown one after the other.

    Attributes:
        shown: The rows.
    """

    shown: tuple[VisibleRow, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What a search looks at in each row."""
        return tuple([row.row.candidate.haystack for row in self.shown])


@dataclass(frozen=True, eq=False)
class Names:
    """The names of some rows, as the palette looks for them.

    Attributes:
        texts: The folded key and title of each row.
    """

    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Values:
    """The values that some rows have in one field.

    Attributes:
        texts: The folded value of each row; empty where the field is.
    """

    texts: tuple[str, ...]


@lru_cache(maxsize=REMEMBERED)
def values_of(block: Block, name: str) -> Values:
    """Return the values that the rows of a block have in a field, whose name is folded."""
    return Values(tuple([row.candidate.folded(name) for row in block.rows]))


def holding(part: Part | Names | Values, word: str) -> tuple[int, ...]:
    """Return the indexes of the rows that contain a folded text.

    A word is typed letter by letter, so where all but its last letter was searched before, only
    the rows that contain that are looked at.
    """
    pairs = _result_cache(part, word)
    if not pairs:
        texts = part.texts
        before = _result_cache(part, word[:-1])
        looked_at: Iterable[int] = before[0] if before else range(len(texts))
        pairs.append(tuple([at for at in looked_at if word in texts[at]]))
    return pairs[0]


@lru_cache(maxsize=REMEMBERED)
def _result_cache(part: Part | Names | Values, word: str) -> list[tuple[int, ...]]:
    """Return the list that holds the result of a search; it is empty before the first one."""
    del part, word
    return []


def holding_all(
    part: Part | Names, words: Iterable[str], among: Sequence[int] | None = None
) -> Sequence[int]:
    """Return the indexes of the rows that contain all of some folded texts, in their order.

    Args:
        part: The rows.
        words: The folded texts.
        among: The indexes of the rows to look at, in their order; None for all.
    """
    texts = part.texts
    left = range(len(texts)) if among is None else among
    for word in words:
        if len(left) == len(texts):
            left = holding(part, word)
        elif len(left) * FEW < len(texts):
            left = [at for at in left if word in texts[at]]
        else:
            left = sorted(frozenset(holding(part, word)).intersection(left))
    return left


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows that follow each other, complete tickets with their sub-tasks; never none.

    Attributes:
        shown: The rows as they are shown without a filter and folds, in the order of their keys.
    """

    shown: tuple[VisibleRow, ...]

    @cached_property
    def rows(self) -> tuple[ListRow, ...]:
        """The rows, in the order of their keys."""
        return tuple([row.row for row in self.shown])

    @cached_property
    def whole(self) -> Part:
        """All its rows as a part of the list."""
        return Part(self.shown)

    @cached_property
    def tickets(self) -> tuple[int, ...]:
        """The indexes of the rows of tickets, in their order; the others are sub-tasks."""
        indexes: list[int] = []
        at = 0
        while at < len(self.shown):
            indexes.append(at)
            at += 1 + self.shown[at].tasks
        return tuple(indexes)

    @cached_property
    def head_of(self) -> tuple[int, ...]:
        """For each row, the index of its ticket: its own, or the one that it is a sub-task of."""
        heads: list[int] = []
        for head in self.tickets:
            heads += [head] * (1 + self.shown[head].tasks)
        return tuple(heads)

    @cached_property
    def heads(self) -> frozenset[str]:
        """The IDs of the tickets."""
        return frozenset(self.shown[at].row.id for at in self.tickets)

    @cached_property
    def names(self) -> Names:
        """The names of its rows."""
        candidates = (row.candidate for row in self.rows)
        return Names(
            tuple(
                [
                    f"{fold(candidate.key) or 'draft'}  {fold(candidate.title)}"
                    for candidate in candidates
                ]
            )
        )

    @cached_property
    def assignees(self) -> Counter[str]:
        """How many of its rows each assignee has; the empty name is that of nobody."""
        return Counter(row.assignee for row in self.rows)

    @cached_property
    def statuses(self) -> Counter[str]:
        """How many of its rows have each status."""
        return Counter(row.status for row in self.rows)

    @cached_property
    def issues(self) -> int:
        """The number of issues."""
        return sum(not row.is_broken for row in self.rows)

    @cached_property
    def drafts(self) -> int:
        """The number of issues that Jira does not have yet."""
        return sum(row.is_draft for row in self.rows)


@final
class Rows(Sequence["ListRow"]):
    """The rows of all issues and broken files of a workspace, in the order of their keys.

    Attributes:
        blocks: The rows in portions.
    """

    __slots__ = ("_ends", "_firsts", "blocks")

    def __init__(self, blocks: tuple[Block, ...] = ()) -> None:
        self.blocks = blocks
        self._ends = tuple(accumulate(len(block.shown) for block in blocks))
        self._firsts = [block.shown[0].row.order for block in blocks]

    @staticmethod
    def of(rows: Iterable[ListRow]) -> Rows:
        """Make `Rows` from rows in any order."""
        return Rows(tuple(_split_into_blocks(_all_shown(rows))))

    def updated(self, rows: Iterable[ListRow]) -> Rows:
        """Make `Rows` from rows in any order, with the present blocks where they hold the same rows.

        What was computed from a present block is not computed again.
        """
        shown = _all_shown(rows)
        blocks: list[Block] = []
        begin = 0
        for block, following in zip(self.blocks, self._firsts[1:], strict=False):
            end = bisect_left(shown, start_of(following), lo=begin, key=_ticket_rank)
            blocks += _reused_blocks(block, shown[begin:end])
            begin = end
        blocks += _reused_blocks(self.blocks[-1] if self.blocks else None, shown[begin:])
        return self if tuple(blocks) == self.blocks else Rows(tuple(blocks))

    def merged(self, tickets: Iterable[tuple[ListRow, ...]]) -> Rows:
        """Return these rows with those of some tickets inserted or replaced.

        Args:
            tickets: The rows of each ticket, the ticket's own row first.
        """
        changed: dict[int, list[VisibleRow]] = {}
        for ticket in tickets:
            begin = start_of(ticket[0].order)
            project, number, rest, _ = ticket[0].order
            end = (project, number, "\U0010ffff" if number else rest, 1 << 30)
            at = max(0, bisect_right(self._firsts, end) - 1)
            rows = changed.get(at)
            if rows is None:
                rows = changed[at] = list(self.blocks[at].shown) if self.blocks else []
            first = bisect_left(rows, begin, key=_ticket_rank)
            rows[first : bisect_left(rows, end, lo=first, key=_ticket_rank)] = _all_rows(ticket)
        blocks: list[Block] = []
        for at in range(max(1, len(self.blocks))):
            if at in changed:
                blocks += _split_into_blocks(changed[at])
            else:
                blocks += self.blocks[at : at + 1]
        return Rows(tuple(blocks))

    def prepare(self) -> None:
        """Compute what filters, searches and the palette need of blocks; for a worker thread."""
        for block in self.blocks:
            _ = block.whole.texts, block.head_of, block.issues, block.drafts
            _ = block.names, block.assignees, block.statuses
            _ = values_of(block, "assignee"), values_of(block, "status")

    def named(self, words: str, most: int) -> tuple[ListRow, ...]:
        """Return the rows whose key and title hold some words.

        Args:
            words: The words, folded.
            most: How many rows to return.

        Returns:
            The rows whose names begin with the words, then the others.
        """
        first: list[ListRow] = []
        others: list[ListRow] = []
        start = words.strip()
        for block in self.blocks:
            left = holding_all(block.names, words.split())
            texts, rows = block.names.texts, block.rows
            first += [rows[at] for at in left if texts[at].startswith(start)]
            if len(first) >= most:
                break
            if len(others) < most:
                others += [rows[at] for at in left if not texts[at].startswith(start)]
        return tuple((first + others)[:most])

    @property
    def issues(self) -> int:
        """The number of issues."""
        return sum(block.issues for block in self.blocks)

    @property
    def drafts(self) -> int:
        """The number of issues that Jira does not have yet."""
        return sum(block.drafts for block in self.blocks)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[ListRow]:
        return chain.from_iterable(block.rows for block in self.blocks)

    @overload
    def __getitem__(self, index: int) -> ListRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ListRow, ...]: ...
    def __getitem__(self, index: int | slice) -> ListRow | tuple[ListRow, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        at = range(len(self))[index]
        block = bisect_right(self._ends, at)
        return self.blocks[block].rows[at - (self._ends[block - 1] if block else 0)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rows):
            return NotImplemented
        return self.blocks == other.blocks or tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((len(self), *self._firsts[:1]))


def _ticket_rank(shown: VisibleRow) -> Order:
    return shown.row.order


def start_of(order: Order) -> Order:
    """Return where the rows of a ticket begin: one with a key stays the same in another file."""
    project, number, rest, _ = order
    return project, number, "" if number else rest, 0


def _reused_blocks(block: Block | None, shown: Sequence[VisibleRow]) -> Iterable[Block]:
    """Return a block if it shows these rows, else new ones of them."""
    return (
        (block,) if block is not None and block.shown == tuple(shown) else _split_into_blocks(shown)
    )


def _all_shown(rows: Iterable[ListRow]) -> list[VisibleRow]:
    """Return rows in any order as they are shown without a filter and folds."""
    by_order = sorted(rows, key=lambda row: row.order)
    families = groupby(by_order, lambda row: row.order[:3])
    return [visible_row for _, some in families for visible_row in _all_rows(tuple(some))]


def _all_rows(ticket: Sequence[ListRow]) -> list[VisibleRow]:
    """Return the rows of a ticket as they are shown without a filter and folds."""
    return [VisibleRow(ticket[0], len(ticket) - 1), *map(VisibleRow, ticket[1:])]


def _split_into_blocks(rows: Sequence[VisibleRow]) -> Iterator[Block]:
    """Yield rows as blocks; rows that one ticket may replace stay together."""
    if len(rows) <= 2 * BLOCK_ROWS:
        if rows:
            yield Block(tuple(rows))
        return
    begin = 0
    for at in range(1, len(rows)):
        if at - begin >= BLOCK_ROWS and _ticket_order(rows[at].row) != _ticket_order(
            rows[at - 1].row
        ):
            yield Block(tuple(rows[begin:at]))
            begin = at
    yield Block(tuple(rows[begin:]))


def _ticket_order(row: ListRow) -> tuple[str, int, str]:
    project, number, rest, _ = row.order
    return (project, number, "" if number else rest)


_NUMBERED = re.compile(r"(.*)-(\d+)")

Order = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One issue in the list.

    Its texts are cleaned for a terminal.

    Attributes:
        order: The sort key: project, number, file, then the index in the ticket.
        key: The issue's key; empty for a draft.
        title: The issue's title, or the error of a broken file.
        status: The issue's status, as the file has it; may be empty.
        path: The file of the issue's ticket, relative to the workspace.
        depth: 1 for a sub-task, 0 otherwise.
        is_broken: Whether the row is that of a broken file.
        line: The line of the issue in its file, from 1; 0 if it is unknown.
        candidate: The issue as filters, searches and sorts see it, not cleaned.
    """

    order: Order
    key: str
    title: str
    status: str
    path: str
    depth: int
    is_broken: bool = False
    line: int = 0
    candidate: Candidate = field(default=Candidate("", ""), repr=False)
    #: A cache, by the name of the sort.
    _sort_keys: dict[str, tuple[object, ...]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    @property
    def id(self) -> str:
        """What names the row in choices and folds: its key, or its file and place."""
        return self.key or f"{self.path}:{self.order[2]}:{self.order[3]}"

    @property
    def is_draft(self) -> bool:
        """Whether Jira does not have the issue yet."""
        return not self.key and not self.is_broken

    @property
    def assignee(self) -> str:
        """The name of the person who is to do it, cleaned; may be empty."""
        return clean(self.candidate.fields.get("Assignee", ""))

    @property
    def head(self) -> str:
        """The key of the issue's ticket: its own, or its parent's; empty for a draft's."""
        return f"{self.order[0]}-{self.order[1]}" if self.order[1] else ""

    def sort_key(self, sort: str) -> tuple[object, ...]:
        """Return what a sort compares it by; see `ticketr.app.tickets.sort_key`."""
        key = self._sort_keys.get(sort)
        if key is None:
            key = self._sort_keys[sort] = sort_key(sort)(self.candidate)
        return key


def order_of(ticket: Ticket, path: str, place: int) -> Order:
    """Return the sort key of a ticket, or of one of its sub-tasks.

    Args:
        ticket: The ticket.
        path: The ticket's file, relative to the workspace.
        place: 0 for the ticket, else the number of the sub-task, from 1.
    """
    return _order(ticket.key, path, ticket.line, place)


def _order(key: str | None, path: str, line: int, place: int) -> Order:
    project, number = _split(key)
    # Drafts have no number; the line distinguishes two in one file.
    return project, number, path if number else f"{path}:{line:08}", place


def rows_of(ticket: Ticket, path: str) -> tuple[ListRow, ...]:
    """Return the rows of a ticket and its sub-tasks.

    Args:
        ticket: The ticket.
        path: The ticket's file, relative to the workspace.
    """
    issues = ((candidate_of(issue), issue.line) for issue in (ticket, *ticket.tasks))
    return rows_of_candidates(issues, path)


def rows_of_candidates(issues: Iterable[tuple[Candidate, int]], path: str) -> tuple[ListRow, ...]:
    """Return the rows of a ticket and its sub-tasks.

    Args:
        issues: Each as filters see it, and its line in the file, from 1; the ticket first.
        path: The ticket's file, relative to the workspace.
    """
    issues = tuple(issues)
    head, first = issues[0]
    project, number, rest, _ = _order(head.key, path, first, 0)
    return tuple(
        [
            ListRow(
                order=(project, number, rest, place),
                key=issue.key,
                title=clean(issue.title),
                status=clean(issue.fields.get("Status", "")),
                path=path,
                depth=1 if place else 0,
                line=line,
                candidate=issue,
            )
            for place, (issue, line) in enumerate(issues)
        ]
    )


def row_of_broken(path: str, words: str, *, has_rows: bool) -> ListRow:
    """Return the row of a broken file.

    Args:
        path: The file, relative to the workspace.
        words: The error.
        has_rows: Whether the file's tickets have rows, too. If not, this row takes the place that
            the name of the file suggests, so that no ticket seems to be lost.
    """
    project, number = ("", 0) if has_rows else _split(PurePosixPath(path).stem)
    return ListRow(
        order=(project, number, path, 0),
        key="",
        title=clean(words),
        status="",
        path=path,
        depth=0,
        is_broken=True,
        candidate=Candidate("", clean(words), flags=frozenset(("broken",))),
    )


def _split(key: str | None) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(key or "")
    return (match[1], int(match[2])) if match else ("", 0)
