"""Three-way merge of tickets, field by field; descriptions and criteria line by line.

Pure. A part that one side alone has changed is taken from that side; a part that both have
changed alike gets Jira's wording. A part that both have changed differently is a clash: the caller
decides, and nothing is written for such a ticket unless a side was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ticketr.sync.compare.diff import (
    TEXTS,
    Change,
    CorePart,
    Part,
    alike,
    by_key,
    criteria_of,
    part_texts,
)
from ticketr.sync.compare.diff3 import CleanChunk, merge_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ticketr.tickets import Ticket


class Side(Enum):
    """The side whose version is taken where both have changed the same part."""

    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Clash:
    """A part of an issue that both sides have changed, each in its own way.

    Attributes:
        key: The issue.
        change: The part, from what stands here to what Jira has.
    """

    key: str
    change: Change

    def __str__(self) -> str:
        return f"{self.key}: {self.change.name}"


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of a merge.

    Attributes:
        ticket: The result; where parts clash, it has this side's version of them.
        clashes: The parts that clash, where no side was preferred.
        dropped: Whether something in the file was replaced by Jira's version.
    """

    ticket: Ticket
    clashes: tuple[Clash, ...]
    dropped: bool = False


def merge(
    base: Ticket | None, local: Ticket, remote: Ticket, *, prefer: Side | None = None
) -> Merged:
    """Merge what stands in a file with what Jira has.

    Args:
        base: The ticket at the last sync; None if there never was one. Then whatever differs
            clashes.
        local: The ticket as it stands in the file.
        remote: The ticket as Jira has it, as a file would hold it.
        prefer: The side that wins a clash; None leaves it a clash.
    """
    merging = _Merging(prefer)
    old, new = by_key(base) if base else {}, by_key(remote)
    here = by_key(local)
    issues = {key: merging.issue(old.get(key), here[key], new[key]) for key in here if key in new}
    tasks = tuple(_tasks(local, remote, base, issues))
    head = issues.get(local.key or "", local)
    return Merged(replace(head, tasks=tasks), tuple(merging.clashes), merging.dropped)


class _Merging:
    def __init__(self, prefer: Side | None) -> None:
        self.clashes: list[Clash] = []
        self.dropped = False
        self._prefer = prefer

    def issue(self, base: Ticket | None, local: Ticket, remote: Ticket) -> Ticket:
        """Merge one issue; its tasks are left as they stand here."""
        old = part_texts(base) if base else {}
        here, there = part_texts(local), part_texts(remote)
        # Jira's order, for it is that of every other file; then what is only here.
        names: dict[Part, None] = dict.fromkeys([*there, *here])
        merged = {
            part: self._part(
                remote.key or "",
                part,
                old.get(part, "") if base else None,
                # What a file does not mention, it does not change.
                here.get(part, old.get(part, there.get(part, ""))),
                there.get(part, ""),
            )
            for part in names
        }
        # The line of a field that was emptied here stays until Jira knows; one that never had a
        # value waits for one.
        emptied = {part for part in here if not here[part] and (there.get(part) or part not in old)}
        return _with_parts(local, merged, emptied)

    def _part(self, key: str, part: Part, base: str | None, local: str, remote: str) -> str:
        if remote in {local, base}:
            return local
        if base is not None and alike(part, remote, base):
            return local
        if alike(part, local, remote) or (base is not None and alike(part, local, base)):
            return remote
        if base is not None and part in TEXTS:
            return self._text(key, part, base, local, remote)
        return self._clash(key, part, local, remote)

    def _text(self, key: str, part: Part, base: str, local: str, remote: str) -> str:
        stretches = merge_lines(*(_lines(text) for text in (base, local, remote)))
        if self._prefer is None and not all(isinstance(each, CleanChunk) for each in stretches):
            return self._clash(key, part, local, remote)
        merged: list[str] = []
        for each in stretches:
            if isinstance(each, CleanChunk):
                merged += each.lines
            elif self._prefer is Side.REMOTE:
                self.dropped = True
                merged += each.remote
            else:
                merged += each.local
        return "\n".join(merged)

    def _clash(self, key: str, part: Part, local: str, remote: str) -> str:
        if self._prefer is Side.REMOTE:
            self.dropped = True
            return remote
        if self._prefer is None:
            self.clashes.append(Clash(key, Change(part, local, remote)))
        return local


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _with_parts(issue: Ticket, merged: Mapping[Part, str], emptied: Collection[Part]) -> Ticket:
    fields = {
        part: text
        for part, text in merged.items()
        if isinstance(part, str) and (text or part in emptied)
    }
    return replace(
        issue,
        title=merged[CorePart.TITLE],
        description=merged[CorePart.DESCRIPTION],
        fields=fields,
        acceptance_criteria=criteria_of(merged[CorePart.CRITERIA]),
    )


def _tasks(
    local: Ticket, remote: Ticket, base: Ticket | None, issues: Mapping[str, Ticket]
) -> Iterator[Ticket]:
    """Put the sub-tasks in order: Jira's where Jira's has changed, else the file's.

    A task that the file lost comes back, since it is still there in Jira; one that Jira has not,
    a draft above all, stays behind the task that it stands behind here.
    """
    there = {task.key: task for task in remote.tasks}
    order = _order(local.tasks, remote.tasks, base.tasks if base else ())
    followers: dict[str | None, list[Ticket]] = {}
    before: str | None = None
    for task in local.tasks:
        if task.key in there:
            before = task.key
        else:
            followers.setdefault(before, []).append(task)
    yield from followers.get(None, ())
    for key in order:
        yield issues.get(key or "", there[key])
        yield from followers.get(key, ())


def _order(
    local: Sequence[Ticket], remote: Sequence[Ticket], base: Sequence[Ticket]
) -> list[str | None]:
    """Order the keys of Jira's sub-tasks; what came to one side or left it moves no other."""
    there = [task.key for task in remote]
    before = [task.key for task in base]
    if [key for key in before if key in there] != [key for key in there if key in before]:
        return there
    order = [task.key for task in local if task.key in there]
    previous: str | None = None
    for key in there:
        if key not in order:
            order.insert(order.index(previous) + 1 if previous else 0, key)
        previous = key
    return order
