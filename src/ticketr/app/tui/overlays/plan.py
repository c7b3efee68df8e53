"""The plan of a push or sync: what would be written in Jira, before anything is. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar, final

from ticketr.app import sync
from ticketr.app.config import CONFIRM_ABOVE
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, call_in
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, is_too_soon, target
from ticketr.app.tui.panels.frame import filled, scroll_top, spaced, title_rule
from ticketr.app.tui.services.jobs import read_plan, start_job
from ticketr.app.tui.services.outside import open_editor
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, mark, without_places, wrap_line
from ticketr.text import clean, clip, width

NAME_CELLS = 10
#: The indent of what would change, below the title.
INDENT = " " * 14


def padded_name(name: str) -> str:
    """Return the name of a ticket or file, with a space between it and what follows."""
    shown = clip(clean(name), 2 * NAME_CELLS)
    return shown + " " * max(1, NAME_CELLS - width(shown))


def plan_lines(
    planned: sync.PlanEntry | sync.FileEdit,
    sign: str,
    pieces: Sequence[str],
    keymap: KeyMap,
    cells: int,
    *,
    is_selected: bool,
    is_out: bool,
) -> Iterator[Line]:
    """Yield the lines of one entry of a plan.

    Args:
        planned: The issue, and where it is.
        sign: The mark of what becomes of it.
        pieces: What would change, cleaned.
        keymap: The keys, for how to take it in again.
        cells: The width of the screen.
        is_selected: Whether it is selected.
        is_out: Whether it was left out.
    """
    bar = "▌" if is_selected else " "
    name = padded_name(planned.key or "draft")
    where = f"{clean(planned.path)}:{planned.line}"
    room = cells - 4 - width(name) - width(where) - 2
    title = clip(clean(planned.title), max(4, room))
    gap = " " * max(1, room - width(title))
    yield Span(f"{bar} "), mark("·" if is_out else sign), Span(f" {name}{title}{gap}{where}")
    if is_out:
        again = keymap.hint(KeyAction.SELECT, Context.PLAN, "takes it in again", before="; ")
        yield (Span(f"     left out{again}", ("dim",)),)
    elif pieces:
        line = (Span("; ".join(pieces)),)
        yield from wrap_line(line, max(8, cells - 1), first=INDENT, rest=INDENT)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a plan.

    Attributes:
        title: Its title.
        items: The lines of each of its items.
        rest: Lines below them that are no item.
        is_strong: Whether its title stands out.
    """

    title: str
    items: Sequence[Sequence[Line]]
    rest: Sequence[Line] = ()
    is_strong: bool = True


def left_of(plan: sync.PushPlan) -> tuple[sync.Note, ...]:
    """Return what is left alone, without what the plan is not about."""
    return tuple(entry for entry in plan.left if entry.code is not sync.Code.UNNAMED)


def count_notes(plan: sync.PushPlan) -> int:
    """Return the number of items of all sections."""
    return len(plan.losses) + len(plan.literals) + len(left_of(plan))


def sections(
    plan: sync.PushPlan, at: int, keymap: KeyMap, cells: int, theme: Theme, *, accepts: bool
) -> Iterator[Section]:
    """Yield the sections below the entries; those without items are left out.

    Args:
        plan: The plan.
        at: The index of the selected item; negative for none.
        keymap: The keys, for how to accept losses.
        cells: The width of the screen.
        theme: Colours and characters.
        accepts: Whether the losses are accepted.
    """
    bars = ("▌" if number == at else " " for number in count())
    if plan.losses:
        only_links = all(loss.is_link for loss in plan.losses)
        title = f"Would be {'removed' if only_links else 'lost'} in Jira"
        accept = keymap.hint(KeyAction.ACCEPT_LOSS, Context.PLAN, "accepts it", before="; ")
        word = "and is accepted" if accepts else f"so it is not sent{accept}"
        texts = [f"{clean(loss.words)} in {clean(loss.place)}, {word}" for loss in plan.losses]
        yield Section(title, [_note_lines(next(bars), text, cells) for text in texts])
    if plan.literals:
        texts = [f"{clean(note.name)}: {clean(note.reason)}" for note in plan.literals]
        items = [_note_lines(next(bars), text, cells) for text in texts]
        yield Section("Plain text in Jira", items, is_strong=False)
    if plan.left:
        left = left_of(plan)
        others = len(plan.left) - len(left)
        words = f" {others} more edited, but not chosen here"
        rest = [(mark(" ·"), Span(words))] if others else []
        title = f"Left alone  {len(plan.left)}"
        does = "on the list settles it"
        settle = keymap.hint(KeyAction.SETTLE, Context.MAIN, does, before="; ")
        items = [_left_alone_lines(next(bars), entry, settle, cells, theme) for entry in left]
        yield Section(title, items, rest, is_strong=False)


def _note_lines(bar: str, words: str, cells: int) -> Sequence[Line]:
    return wrap_line((Span(bar), mark("!"), Span(f" {words}")), cells, rest="   ")


def _left_alone_lines(
    bar: str, left: sync.Note, settle: str, cells: int, theme: Theme
) -> Sequence[Line]:
    name = padded_name(left.key or left.title or left.path)
    path = clean(left.path)
    # The place is at the end, so the reason need not begin with it.
    reason = re.sub(rf"^{re.escape(path)}:[\d:]*\s*", "", clean(left.reason))
    if left.code is sync.Code.CONFLICT:  # the command for it is named for a terminal
        reason = f"{reason.partition('; run ticketr ')[0]}{settle}"
    reason = without_places(reason, cells - len(INDENT), theme)
    place = f" ({path}:{left.line})" if left.line else "" if path in reason else f" ({path})"
    line = (mark("!"), Span(f" {name}{reason}{place}"))
    return wrap_line(line, max(8, cells - 3), first=f"{bar} ", rest=INDENT)


@final
@dataclass(frozen=True, slots=True)
class Plan(Overlay):
    """The plan of a push or sync.

    Attributes:
        kind: The kind of the job.
        workspace: The name of its workspace.
        keys: The tickets to which it is limited; empty for all.
        plan: The plan; None until it has been made.
        shown_at: The time at which the plan came; infinity before.
        at: The index of the selected item: an entry, or what is said below the entries.
        without: The fingerprints of the entries that were left out.
        accepts: Whether it may remove from Jira what the plan says would be lost.
    """

    context: ClassVar[Context] = Context.PLAN

    kind: JobKind
    workspace: str
    keys: tuple[str, ...] = ()
    plan: sync.PushPlan | None = None
    shown_at: float = float("inf")
    at: int = 0
    without: frozenset[str] = frozenset()
    accepts: bool = False

    @property
    def entries(self) -> tuple[sync.PlanEntry, ...]:
        """The entries in the order in which they are shown: the new issues first."""
        entries = self.plan.entries if self.plan is not None else ()
        return tuple(sorted(entries, key=lambda entry: entry.action))

    @property
    def entry(self) -> sync.PlanEntry | None:
        """The selected entry; None where something below the entries is selected."""
        return self.entries[self.at] if self.at < len(self.entries) else None

    @property
    def place(self) -> tuple[str, int] | None:
        """The file and the line of what is selected; None if they are not known."""
        if self.entry is not None:
            return self.entry.path, self.entry.line
        left = left_of(self.plan) if self.plan is not None else ()
        at = self.at - (_last_index(self.plan) + 1 - len(left)) if self.plan is not None else -1
        return (left[at].path, left[at].line or 1) if 0 <= at < len(left) else None

    @property
    def confirmed(self) -> sync.PushPlan | None:
        """The plan without the entries that were left out; None until it has been made."""
        if self.plan is None:
            return None
        kept = tuple(entry for entry in self.plan.entries if entry.fingerprint not in self.without)
        return replace(self.plan, entries=kept)

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, leave an entry out, accept losses, or carry the plan out."""
        if self.plan is None:
            return None
        match action:
            case KeyAction.ACCEPT:
                return self._accept(state, self.plan, now)
            case KeyAction.SELECT if self.entry is not None:
                without = self.without ^ {self.entry.fingerprint}
                return state.replaced(replace(self, without=without)), ()
            case KeyAction.ACCEPT_LOSS if self.plan.losses:
                return state.replaced(replace(self, accepts=not self.accepts)), ()
            case KeyAction.EDIT if self.place is not None:
                return state, (call_in(self.workspace, open_editor, *self.place),)
            case _:
                last = _last_index(self.plan)
                at = target(action, self.at, max(1, state.body - 4), last)
                return None if at is None else (state.replaced(replace(self, at=at)), ())

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether there is an entry that the action may concern."""
        match action:
            case KeyAction.SELECT:
                return self.entry is not None
            case KeyAction.EDIT:
                return self.place is not None
            case KeyAction.ACCEPT:
                return bool(self.entries) or self.kind is JobKind.SYNC
            case _:
                return True

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the plan; make it again when the files were read again."""
        match message:
            case messages.PlanRead(self.workspace, self.kind, plan, self.keys):
                return state.exchanged(self, self._with_plan(plan, now)), ()
            case messages.PlanFailed(self.workspace, words):
                return state.without(self).noticed(words, is_bad=True), ()
            case messages.FilesRead(self.workspace):
                return state, (call_in(self.workspace, read_plan, self.kind, self.keys),)
            case _:
                return None

    def _with_plan(self, plan: sync.PushPlan, now: float) -> Plan:
        """Return the screen with a plan that was made again; losses that are new were not accepted."""
        if plan == self.plan:
            return self
        at = min(self.at, _last_index(plan))
        known = () if self.plan is None else self.plan.losses
        accepts = self.accepts and set(plan.losses) <= set(known)
        return replace(self, plan=plan, at=at, shown_at=now, accepts=accepts)

    def _accept(self, state: AppState, plan: sync.PushPlan, now: float) -> Step:
        if is_too_soon(state, self.shown_at, now):
            return state.noticed("Read the plan first; then Enter carries it out"), ()
        confirmed = self.confirmed
        assert confirmed is not None
        if not confirmed.entries and self.kind is JobKind.PUSH:
            return state.noticed("Nothing to push; Esc goes back"), ()
        accepted = frozenset(plan.losses) if self.accepts else frozenset()
        request = JobRequest(self.kind, accepted=accepted, confirmed=confirmed, keys=self.keys)
        return state.closed(), (call_in(self.workspace, start_job, request),)

    def header(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        return f"{self.kind.value.capitalize()} {self.workspace}", "nothing is written until Enter"

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.body
        if self.plan is None:
            return filled([theme.fit(" Looking for edits...", cells)], height, cells)
        rows, headings, ends = self._rows(self.plan, state.keymap, cells, theme)
        selected = ends[self.at] if ends else 0
        rows, selected = spaced(rows, headings, selected, height, " " * cells)
        top = scroll_top(0, selected, height, len(rows))
        return filled(rows[top:], height, cells)

    def _rows(
        self, plan: sync.PushPlan, keymap: KeyMap, cells: int, theme: Theme
    ) -> tuple[list[str], list[int], list[int]]:
        """Return all rows, the indices of headings, and those of the last row of each item."""
        summary = (Span(self._summary(plan), ("bold",)),)
        rows = [theme.row(line, cells) for line in wrap_line(summary, cells, first=" ", rest=" ")]
        headings: list[int] = []
        ends: list[int] = []
        notes = sections(
            plan, self.at - len(plan.entries), keymap, cells, theme, accepts=self.accepts
        )
        for section in (*self._entry_sections(keymap, cells), *notes):
            headings.append(len(rows))
            rows.append(title_rule(section.title, "", cells, theme, is_focused=section.is_strong))
            for lines in section.items:
                for number, line in enumerate(lines):
                    is_selected = len(ends) == self.at and not number
                    rows.append(theme.row(line, cells, *(("reverse",) if is_selected else ())))
                ends.append(len(rows) - 1)
            rows += [theme.row(line, cells) for line in section.rest]
        return rows, headings, ends

    def _entry_sections(self, keymap: KeyMap, cells: int) -> Iterator[Section]:
        pairs = [*enumerate(self.entries)]
        for title, action in (("Create", "create"), ("Change", "update")):
            items = [
                [*self._entry(entry, at, keymap, cells)]
                for at, entry in pairs
                if entry.action == action
            ]
            if items:
                yield Section(f"{title}  {len(items)}", items)

    def _summary(self, plan: sync.PushPlan) -> str:
        kept = [entry for entry in plan.entries if entry.fingerprint not in self.without]
        many = f"{len(kept)} writes: it " if len(kept) > CONFIRM_ABOVE else ""
        writes = f"{many}{_writes(kept)}" if kept else ""
        if self.kind is JobKind.SYNC:
            return f"Enter pulls what is new in Jira, {f'then {writes}' if kept else 'no more'}"
        if kept:
            return f"Enter {writes}"
        if plan.entries:
            return "Nothing to push: every entry is left out"
        if left_of(plan):
            return "Nothing can be pushed: what was edited here is left alone"
        if plan.left:
            return "Nothing to push: none of the chosen tickets was edited"
        return "Nothing to push: nothing was edited here since the last sync"

    def _entry(self, entry: sync.PlanEntry, at: int, keymap: KeyMap, cells: int) -> Iterator[Line]:
        pieces = [
            _change_words(change.name, change.old_shown, change.new_shown, entry.way)
            for change in entry.changes
            if entry.key or change.name != "Title"
        ]
        if entry.parent:
            pieces.insert(0, f"a sub-task of {clean(entry.parent)}")
        return plan_lines(
            entry,
            "+" if entry.action == "create" else "*",
            pieces,
            keymap,
            cells,
            is_selected=at == self.at,
            is_out=entry.fingerprint in self.without,
        )


def _last_index(plan: sync.PushPlan) -> int:
    """Return the index of the last item: the entries, and what is said below them."""
    return max(0, len(plan.entries) + count_notes(plan) - 1)


def _writes(kept: Sequence[sync.PlanEntry]) -> str:
    """Return what carrying out these entries does in Jira."""
    new = sum(entry.action == "create" for entry in kept)
    changed = len(kept) - new
    words = [f"{verb} {count}" for verb, count in (("creates", new), ("changes", changed)) if count]
    return f"{' and '.join(words)} of your tickets in Jira"


def _change_words(name: str, before: str, after: str, way: str) -> str:
    name = clean(name)
    if name == "Status" and way:
        return f"{name}: {clean(way)}"
    if "\n" in before or "\n" in after or len(before) + len(after) > 60:
        return f"{name} {_size(before, after)}"
    if not before:
        return f"{name}: {clean(after)}"
    return f"{name}: {clean(before)} → {clean(after) or 'none'}"


def _size(before: str, after: str) -> str:
    """Return how much of a long text is new, in lines."""
    old, new = Counter(before.splitlines()), Counter(after.splitlines())
    if not before:
        return f"({new.total()} lines)"
    return f"(+{(new - old).total()} -{(old - new).total()} lines)"
