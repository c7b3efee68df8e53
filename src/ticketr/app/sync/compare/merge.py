"""Three-way merge of tickets, field by field; rich texts and criteria line by line.

Pure. If only one side has changed a part, the merge takes that side. If both made the same change,
it takes Jira's wording. If they made different changes, the part clashes: unless a side is
preferred, nothing is written for such a ticket.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ticketr.app.sync.compare import diff, diff3
from ticketr.app.sync.compare.diff import CommentPart, merge_comments
from ticketr.app.sync.compare.mapping import merge_link_keys
from ticketr.app.tickets import Ticket


@dataclass(frozen=True, slots=True)
class ClashPlace:
    """Where two versions of a ticket clash.

    Attributes:
        issue_key: The key of the issue.
        part: The part of it.
        clash_index_in_part: Which of the clashes in that part, from 0.
    """

    issue_key: str
    part: diff.Part
    clash_index_in_part: int


@dataclass(frozen=True, slots=True)
class PartMerge:
    """A part of an issue, merged as far as both sides do not clash.

    Attributes:
        key: The issue.
        part: The part.
        base: Its text at the last sync; None for no sync.
        local: Its text in the file.
        remote: Its text in Jira.
        chunks: The lines of the result, in order.
    """

    key: str
    part: diff.Part
    base: str | None
    local: str
    remote: str
    chunks: tuple[diff3.Chunk, ...]

    def __str__(self) -> str:
        return f"{self.key}: {diff.part_name(self.part)}"

    def all_placed_chunks(self) -> Iterator[tuple[ClashPlace, diff3.Chunk]]:
        """Yield each chunk with its place; that of a chunk without a clash means nothing."""
        number = 0
        for chunk in self.chunks:
            yield ClashPlace(self.key, self.part, number), chunk
            number += chunk.merged is None


def lines_to_merge(part: diff.Part, text: str) -> list[str]:
    """Return the lines of a part to merge; none of an empty one.

    A rich text begins with a blank line, which a ticket does not keep. So its first paragraph is
    the same lines as if another one were before it.
    """
    if not text:
        return []
    is_list = part is diff.CorePart.CRITERIA or not diff.is_merged_by_line(part)
    return text.split("\n") if is_list else ["", *text.split("\n")]


def _merge_part(
    part: diff.Part, base: str | None, local: str, remote: str, *, is_links: bool = False
) -> tuple[diff3.Chunk, ...]:
    """Merge the texts of a part, by line if that is possible.

    Args:
        part: The part.
        base: Its text at the last sync; None for no sync, so that each difference clashes.
        local: Its text in the file.
        remote: Its text in Jira.
        is_links: Whether it is a line of links, whose keys are merged one by one.
    """
    if is_links and base is not None:
        keys = merge_link_keys(base, local, remote)
        old, new = (base, base) if keys == local else (local, keys)
        return (diff3.Chunk((old,), (local,), (new,)),)
    if local == remote:
        return (diff3.Chunk.unchanged((local,)),)
    if base is not None and diff.are_equivalent(part, remote, base):
        remote = base
    elif diff.are_equivalent(part, local, remote):
        return (diff3.Chunk.unchanged((remote,)),)
    elif base is not None and diff.are_equivalent(part, local, base):
        local = base
    if not diff.is_markdown(part):
        return (diff3.Chunk(None if base is None else (base,), (local,), (remote,)),)
    texts = tuple(lines_to_merge(part, text) for text in (local, remote))
    if isinstance(part, CommentPart):  # one person's words are not mixed with another's
        before = None if base is None else tuple(lines_to_merge(part, base))
        return (diff3.Chunk(before, *map(tuple, texts)),)
    if base is None:
        return tuple(diff3.compare_lines(*texts))
    return tuple(diff3.merge_chunks(lines_to_merge(part, base), *texts))


@dataclass(frozen=True, slots=True)
class MergedTicket:
    """The result of a merge.

    Attributes:
        ticket: The merged ticket, with the file's version of clashing parts.
        clashes: The parts that both sides have changed differently; empty if a side was preferred.
        has_dropped_edits: Whether something in the file that clashed was replaced.
        older_values_replaced: The values of earlier syncs that were replaced, by key.
        parts: How each part was merged. Not compared.
    """

    ticket: Ticket
    clashes: tuple[PartMerge, ...]
    has_dropped_edits: bool = False
    older_values_replaced: Mapping[str, tuple[diff.Change, ...]] = field(default_factory=dict)
    parts: tuple[PartMerge, ...] = field(default=(), compare=False, repr=False)


def merge(
    base: Ticket | None,
    local: Ticket,
    remote: Ticket,
    *,
    prefer: diff.Side | None = None,
    chosen_lines: Mapping[ClashPlace, Sequence[str]] = MappingProxyType({}),
    link_line_names: Collection[str] = (),
) -> MergedTicket:
    """Merge a ticket in its file with the ticket in Jira.

    Args:
        base: The ticket at the last sync; None for no sync, so that each difference clashes.
        local: The ticket in its file.
        remote: The ticket in Jira.
        prefer: The side that wins a clash; None keeps the clash.
        chosen_lines: The lines of single clashes, by their places; ``prefer`` is for the others.
        link_line_names: The names of the lines that hold links; their keys are merged one by one.
    """
    merger = _Merger(prefer, chosen_lines, link_line_names)
    old, new = diff.issues_by_key(base) if base else {}, diff.issues_by_key(remote)
    here = diff.issues_by_key(local)
    issues = {
        key: merger.merge_own_parts(old.get(key), here[key], new[key]) for key in here if key in new
    }
    tasks = tuple(_order_merged_tasks(local, remote, base, issues))
    head = issues.get(local.key or "", local)
    return MergedTicket(
        replace(head, tasks=tasks),
        tuple(merger.clashes),
        merger.has_dropped_edits,
        parts=tuple(merger.parts),
    )


@dataclass(slots=True)
class _Merger:
    preferred_side: diff.Side | None
    chosen_lines: Mapping[ClashPlace, Sequence[str]]
    link_line_names: Collection[str]
    clashes: list[PartMerge] = field(default_factory=list)
    parts: list[PartMerge] = field(default_factory=list)
    has_dropped_edits: bool = False

    def merge_own_parts(self, base: Ticket | None, local: Ticket, remote: Ticket) -> Ticket:
        """Merge one issue without its sub-tasks, which stay as in the file."""
        old = diff.part_texts(base) if base else {}
        here, there = diff.part_texts(local), diff.part_texts(remote)
        # Jira's order, as in every other file; then the parts that only this file has.
        names: dict[diff.Part, None] = dict.fromkeys(
            part
            for part in (*there, *here)
            if not (isinstance(part, CommentPart) and part.is_new)  # Jira cannot have it
        )
        merged: dict[diff.Part, str] = {}
        for part in names:
            before = old.get(part, "") if base else None
            # A part that the file does not mention is unchanged.
            mine = here.get(part, old.get(part, there.get(part, "")))
            jiras = there.get(part, "")
            chunks = _merge_part(part, before, mine, jiras, is_links=part in self.link_line_names)
            part_merge = PartMerge(local.key or "", part, before, mine, jiras, chunks)
            merged[part] = self.merge_part(part_merge)
        comments = {part: merged.pop(part) for part in names if isinstance(part, CommentPart)}
        # Keep the line or section of a field that was emptied here until it is pushed, and an empty
        # one that was added for a new value.
        emptied = {part for part in here if not here[part] and part not in old}
        emptied |= {part for part in merged if not merged[part].strip() and there.get(part)}
        kept = {
            part: text
            for part, text in merged.items()
            if isinstance(part, diff.CorePart) or text.strip() or part in emptied
        }
        issue = diff.with_parts(replace(local, fields={}, rich_texts={}), local.key or "", kept)
        return replace(issue, comments=merge_comments(comments, local.comments, remote.comments))

    def merge_part(self, merge: PartMerge) -> str:
        """Return the merged text of a part; the file's if it clashes."""
        self.parts.append(merge)
        lines: list[str] = []
        for place, chunk in merge.all_placed_chunks():
            if (merged := chunk.merged) is not None:
                lines += merged
                continue
            sides = {diff.Side.LOCAL: chunk.local, diff.Side.REMOTE: chunk.remote, None: None}
            answer = self.chosen_lines.get(place, sides[self.preferred_side])
            if answer is None:
                self.clashes.append(merge)
                return merge.local
            self.has_dropped_edits = self.has_dropped_edits or tuple(answer) != chunk.local
            lines += answer
        return "\n".join(lines)


def merge_texts(
    part: diff.Part, base: str, local: str, remote: str, *, prefer: diff.Side | None
) -> str | None:
    """Merge two versions of a part as `merge` does; return None if they clash."""
    merger = _Merger(prefer, {}, ())
    chunks = _merge_part(part, base, local, remote)
    text = merger.merge_part(PartMerge("", part, base, local, remote, chunks))
    return None if merger.clashes else text.removeprefix("\n")  # which `lines_to_merge` adds


def _order_merged_tasks(
    local: Ticket, remote: Ticket, base: Ticket | None, issues: Mapping[str, Ticket]
) -> Iterator[Ticket]:
    """Yield the sub-tasks in Jira's order if that has changed, else in the file's.

    A sub-task that is missing in the file comes back, since Jira still has it. A sub-task that Jira
    does not have, such as a draft, follows the same sub-task as in the file.
    """
    there = {task.key: task for task in remote.tasks}
    order = _merged_order_of_jira_keys(local.tasks, remote.tasks, base.tasks if base else ())
    followers: dict[str | None, list[Ticket]] = {}
    before: str | None = None
    for task in local.tasks:
        if task.key in there:
            before = task.key
        else:
            followers.setdefault(before, []).append(task)
    yield from followers.get(None, ())
    for key in order:
        yield issues.get(key, there[key])
        yield from followers.get(key, ())


def _merged_order_of_jira_keys(
    local: Sequence[Ticket], remote: Sequence[Ticket], base: Sequence[Ticket]
) -> list[str]:
    """Return the keys of Jira's sub-tasks in order; an added or removed one moves no other."""
    there = [task.key for task in remote if task.key is not None]
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
