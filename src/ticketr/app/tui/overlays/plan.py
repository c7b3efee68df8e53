"""The plan of a push or sync: what would be written in Jira, before anything is. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, final

from ticketr.app import sync
from ticketr.app.config import CONFIRM_ABOVE
from ticketr.app.tickets import Candidate, sort_key
from ticketr.app.tui.effects import Call, JobKind, JobRequest, call_in
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.overlays.base import changed_lines
from ticketr.app.tui.overlays.pages import Diff
from ticketr.app.tui.overlays.review import INDENT, Item, Review, Section, item_lines, padded_name
from ticketr.app.tui.services.jobs import read_plan, start_job
from ticketr.app.tui.sheet import Edit, Sheet
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, mark, without_places, wrap_line
from ticketr.text import clean

#: The most characters of an edit on one line, old and new ones.
LONGEST = 60
#: The keys that show what an entry changes.
_SHOWS = frozenset((KeyAction.UNFOLD, KeyAction.FOLD, KeyAction.DIFF))


def left_of(plan: sync.PushPlan) -> tuple[sync.Note, ...]:
    """Return what is left alone, without what the plan is not about."""
    return tuple(entry for entry in plan.left if entry.code is not sync.Code.UNNAMED)


def _left_alone(plan: sync.PushPlan, keymap: KeyMap, cells: int, theme: Theme) -> Section:
    left = left_of(plan)
    others = len(plan.left) - len(left)
    words = f" {others} more edited, but not chosen here"
    rest = [(mark(" ·"), Span(words))] if others else []
    resolve = keymap.hint(KeyAction.RESOLVE, Context.MAIN, "on the list resolves it", before="; ")
    items = [_left_alone_lines(note, resolve, cells, theme) for note in left]
    return Section(items, f"Left alone  {len(plan.left)}", rest, is_strong=False)


def _note_lines(words: str, cells: int) -> Sequence[Line]:
    return wrap_line((Span(" "), mark("!"), Span(f" {words}")), cells, rest="   ")


def _left_alone_lines(left: sync.Note, resolve: str, cells: int, theme: Theme) -> Sequence[Line]:
    name = padded_name(left.key or left.title or left.path)
    path = clean(left.path)
    # The place is at the end, so the reason need not begin with it.
    reason = re.sub(rf"^{re.escape(path)}:[\d:]*\s*", "", clean(left.reason))
    if left.code is sync.Code.CONFLICT:  # the command for it is named for a terminal
        reason = f"{reason.partition('; run ticketr ')[0]}{resolve}"
    reason = without_places(reason, cells - len(INDENT), theme)
    place = f" ({path}:{left.line})" if left.line else "" if path in reason else f" ({path})"
    line = (mark("!"), Span(f" {name}{reason}{place}"))
    return wrap_line(line, max(8, cells - 3), first="  ", rest=INDENT)


@final
@dataclass(frozen=True, slots=True)
class Plan(Review[sync.PushPlan]):
    """The plan of a push or sync.

    Attributes:
        kind: The kind of the job.
        keys: The tickets to which it is limited; empty for all.
        accepts: Whether it may remove from Jira what the plan says would be lost.
        unfolded: The fingerprints of the entries whose texts are shown.
    """

    waits: ClassVar[str] = "Looking for edits..."

    kind: JobKind
    keys: tuple[str, ...] = ()
    accepts: bool = field(default=False, kw_only=True)
    unfolded: frozenset[str] = field(default=frozenset(), kw_only=True)

    @property
    def title(self) -> str:
        """What is reviewed."""
        return self.kind.value.capitalize()

    def items(self, plan: sync.PushPlan) -> list[Item]:
        """Return the entries, then what is said below them."""
        return [
            *(Item(entry.fingerprint, (entry.path, entry.line)) for entry in plan.entries),
            *[Item()] * (len(plan.losses) + len(plan.literals)),
            *(Item(place=(note.path, note.line or 1)) for note in left_of(plan)),
        ]

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, leave an entry out, show its texts, accept losses, or carry the plan out."""
        if action in _SHOWS and (entry := self._entry_at) is not None:
            return self._show(state, action, entry)
        if action is KeyAction.ACCEPT_LOSS and self.plan is not None and self.plan.losses:
            return state.replaced(replace(self, accepts=not self.accepts)), ()
        return Review.on_action(self, state, action, now)

    @property
    def _entry_at(self) -> sync.PlanEntry | None:
        """The selected entry."""
        entries = () if self.plan is None else self.plan.entries
        return entries[self.at] if self.at < len(entries) else None

    def _show(self, state: AppState, action: KeyAction, entry: sync.PlanEntry) -> Step:
        """Show or hide the texts of an entry, or show all that is changed on a screen of its own."""
        if action is KeyAction.DIFF:
            key, title = clean(entry.key) or "draft", clean(entry.title)
            sheet = Sheet(key, title, entry.path, entry.line, edits=_edits(entry))
            return state.opened(Diff(self.workspace, sheet)), ()
        if not any(map(_is_long, _edits(entry))):
            return state.noticed("All that is changed is shown"), ()
        change = frozenset((entry.fingerprint,))
        is_shown = action is KeyAction.UNFOLD
        unfolded = self.unfolded | change if is_shown else self.unfolded - change
        return state.replaced(replace(self, unfolded=unfolded)), ()

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether there is an entry that the action may concern."""
        entry = self._entry_at if action in _SHOWS else None
        if entry is None:
            return Review.has_effect(self, state, action)
        if action is KeyAction.DIFF:
            return True
        is_unfolded = entry.fingerprint in self.unfolded
        is_other = is_unfolded is (action is KeyAction.FOLD)
        return is_other and any(map(_is_long, _edits(entry)))

    def unfolded_if_it_fits(self, state: AppState) -> Plan:
        """Return the plan with all texts shown if the screen has room for them."""
        assert self.plan is not None
        edits = [edit for entry in self.plan.entries for edit in _edits(entry)]
        size = sum(len(edit.before) + len(edit.after) for edit in edits)
        if size > state.width * state.body:  # that would take long to compare
            return self
        ids = frozenset(entry.fingerprint for entry in self.plan.entries)
        whole = replace(self, unfolded=ids)
        return whole if len(whole.rows(state, self.plan, Theme())[0]) <= state.body else self

    def has_work(self, plan: sync.PushPlan) -> bool:
        """Return whether Enter may do something."""
        return bool(plan.entries) or self.kind is JobKind.SYNC

    @property
    def asked(self) -> Call:
        """The request for the plan."""
        return call_in(self.workspace, read_plan, self.kind, self.keys)

    def made(self, state: AppState, plan: sync.PushPlan, now: float) -> Plan:
        """Return the review with a plan that was made, perhaps again."""
        known = () if self.plan is None else self.plan.losses
        accepts = self.accepts and set(plan.losses) <= set(known)  # new ones were not
        plan = replace(plan, entries=_in_order(plan.entries))
        made = replace(Review.made(self, state, plan, now), accepts=accepts)
        return made.unfolded_if_it_fits(state) if self.plan is None else made

    def carry_out(self, state: AppState, plan: sync.PushPlan) -> Step:
        """Start the job."""
        kept = self._kept(plan)
        if not kept and self.kind is JobKind.PUSH:
            return state.noticed("Nothing to push; Esc goes back"), ()
        accepted = frozenset(plan.losses) if self.accepts else frozenset()
        confirmed = replace(plan, entries=kept)
        request = JobRequest(self.kind, accepted=accepted, confirmed=confirmed, keys=self.keys)
        return state.closed(), (call_in(self.workspace, start_job, request),)

    def _kept(self, plan: sync.PushPlan) -> tuple[sync.PlanEntry, ...]:
        return tuple(entry for entry in plan.entries if entry.fingerprint not in self.without)

    def sections(
        self, plan: sync.PushPlan, keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterator[Section]:
        """Yield the entries, and what is said below them; parts without items are left out."""
        for title, action in (("Create", "create"), ("Change", "update")):
            entries = [entry for entry in plan.entries if entry.action == action]
            if entries:
                items = [[*self._entry(entry, keymap, cells)] for entry in entries]
                yield Section(items, f"{title}  {len(items)}")
        if plan.losses:
            only_links = all(loss.is_link for loss in plan.losses)
            title = f"Would be {'removed' if only_links else 'lost'} in Jira"
            accept = keymap.hint(KeyAction.ACCEPT_LOSS, Context.PLAN, "accepts it", before="; ")
            word = "and is accepted" if self.accepts else f"so it is not sent{accept}"
            texts = [f"{clean(loss.words)} in {clean(loss.place)}, {word}" for loss in plan.losses]
            yield Section([_note_lines(text, cells) for text in texts], title)
        if plan.literals:
            texts = [f"{clean(note.name)}: {clean(note.reason)}" for note in plan.literals]
            notes = [_note_lines(text, cells) for text in texts]
            yield Section(notes, "Plain text in Jira", is_strong=False)
        if plan.left:
            yield _left_alone(plan, keymap, cells, theme)

    def summary(self, plan: sync.PushPlan) -> str:
        """Return what Enter does."""
        kept = self._kept(plan)
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

    def _entry(self, entry: sync.PlanEntry, keymap: KeyMap, cells: int) -> Iterator[Line]:
        edits = [edit for edit in _edits(entry) if entry.key or edit.part != "Title"]
        is_out = entry.fingerprint in self.without
        is_open = entry.fingerprint in self.unfolded and not is_out
        shown = [edit for edit in edits if is_open and _is_long(edit)]
        pieces = [_edit_words(edit, entry.way) for edit in edits if edit not in shown]
        if entry.parent:
            pieces.insert(0, f"a sub-task of {clean(entry.parent)}")
        sign = "+" if entry.action == "create" else "*"
        yield from item_lines(entry, sign, pieces, keymap, cells, is_out=is_out)
        for edit in shown:
            yield (Span(f"{INDENT}{_edit_words(edit, entry.way)}"),)
            yield from changed_lines(edit.before, edit.after, cells - 1, f"{INDENT}  ")


def _writes(kept: Sequence[sync.PlanEntry]) -> str:
    """Return what carrying out these entries does in Jira."""
    new = sum(entry.action == "create" for entry in kept)
    changed = len(kept) - new
    words = [f"{verb} {count}" for verb, count in (("creates", new), ("changes", changed)) if count]
    return f"{' and '.join(words)} of your tickets in Jira"


def _in_order(entries: Iterable[sync.PlanEntry]) -> tuple[sync.PlanEntry, ...]:
    """Return the entries as they are shown: new issues first, the others in the order of their keys."""
    by_key = sort_key("key")
    return tuple(
        sorted(entries, key=lambda entry: (entry.action, by_key(Candidate(entry.key, ""))))
    )


def _edits(entry: sync.PlanEntry) -> tuple[Edit, ...]:
    """Return the changes of an entry."""
    return tuple(
        Edit(clean(change.name), change.old_shown, change.new_shown) for change in entry.changes
    )


def _is_long(edit: Edit) -> bool:
    """Return whether an edit is too long for one line."""
    before, after = edit.before, edit.after
    return "\n" in before or "\n" in after or len(before) + len(after) > LONGEST


def _edit_words(edit: Edit, way: str) -> str:
    name, before, after = edit.part, edit.before, edit.after
    if name == "Status" and way:
        return f"{name}: {clean(way)}"
    if _is_long(edit):
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
