"""The plan of a push or sync: what would be written in Jira, before anything is. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import ClassVar, final

from ticketr.app import sync
from ticketr.app.config import CONFIRM_ABOVE_WRITES
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call, call_in
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import line_diff_lines
from ticketr.app.tui.overlays.pages import Diff
from ticketr.app.tui.overlays.review import (
    DETAIL_INDENT,
    WRITES_ON_ENTER_MESSAGE,
    Review,
    Section,
    identity_of,
    item_lines,
    padded_ticket_name,
)
from ticketr.app.tui.services.asking import stop_asking
from ticketr.app.tui.services.jobs import dry_run_push, read_plan, start_job
from ticketr.app.tui.sheet import EditedPart, IssueSheet
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import (
    Line,
    Span,
    Theme,
    shorten_paths_if_too_wide,
    tint_mark,
    wrap_line,
)
from ticketr.text import clean

#: What the first row says while Jira is asked what would not arrive.
CHECKING_MESSAGE = "asking Jira, writing nothing"
#: The most characters of an edit on one line, old and new ones.
MAX_ONE_LINE_DIFF_CHARACTERS = 60


def chosen_left_alone_notes(plan: sync.PushPlan) -> tuple[sync.Note, ...]:
    """Return what is left alone, without what the plan is not about."""
    return tuple(note for note in plan.left_alone if note.code is not sync.Code.NOT_NAMED_BY_USER)


def _warning_lines(words: str, cells: int) -> Sequence[Line]:
    return wrap_line((Span(" "), tint_mark("!"), Span(f" {words}")), cells, rest="   ")


def _left_alone_lines(left: sync.Note, keymap: KeyMap, cells: int, theme: Theme) -> Sequence[Line]:
    name = padded_ticket_name(left.key or left.title or left.path)
    path = clean(left.path)
    # The place is at the end, so the reason need not begin with it.
    reason = re.sub(rf"^{re.escape(path)}:[\d:]*\s*", "", clean(left.reason))
    if left.code is sync.Code.CONFLICT:  # the command for it is named for a terminal
        does = "on the list resolves it"
        resolve = keymap.hint(KeyAction.RESOLVE, Context.MAIN, does, before="; ")
        reason = f"{reason.partition('; run ticketr ')[0]}{resolve}"
    reason = shorten_paths_if_too_wide(reason, cells - len(DETAIL_INDENT), theme)
    place = f" ({path}:{left.line})" if left.line else "" if path in reason else f" ({path})"
    line = (tint_mark("!"), Span(f" {name}{reason}{place}"))
    return wrap_line(line, max(8, cells - 3), first="  ", rest=DETAIL_INDENT)


@final
@dataclass(frozen=True, slots=True)
class Plan(Review[sync.PushPlan]):
    """The plan of a push or sync.

    Attributes:
        kind: The kind of the job.
        keys: The tickets to which it is limited; empty for all.
        accepts_losses: Whether it may remove from Jira what the plan says would be lost.
        unfolded_fingerprints: The fingerprints of the entries whose texts are shown.
        awaited_check: The request for what of the plan would not arrive; None once it was answered.
        check_result: The answer; a result without notes until it has come.
        check_problem: Why there is none; empty if there is.
    """

    waiting_text: ClassVar[str] = "Looking for edits..."

    kind: JobKind
    keys: tuple[str, ...] = ()
    accepts_losses: bool = field(default=False, kw_only=True)
    unfolded_fingerprints: frozenset[str] = field(default=frozenset(), kw_only=True)
    awaited_check: ServiceCall | None = field(default=None, kw_only=True)
    check_result: sync.PushResult = field(default=sync.PushResult(), kw_only=True)
    check_problem: str = field(default="", kw_only=True)

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, leave an entry out, show its texts, accept losses, carry the plan out, or go back."""
        if action is KeyAction.ESCAPE:
            return state.top_closed(), self._calls_to_end_check
        if action in (KeyAction.UNFOLD, KeyAction.FOLD, KeyAction.DIFF):
            entry = self.selected_item(state)
            if isinstance(entry, sync.PlanEntry) and action is KeyAction.DIFF:
                return self._open_diff_screen(state, entry)
            if isinstance(entry, sync.PlanEntry):
                return self._fold_or_unfold(state, action, entry)
        if action is KeyAction.ACCEPT_LOSS and self.plan is not None and self.plan.losses:
            return state.top_replaced(replace(self, accepts_losses=not self.accepts_losses)), ()
        return Review.on_action(self, state, action, now)

    def _open_diff_screen(self, state: AppState, entry: sync.PlanEntry) -> Step:
        """Show all that an entry changes on a screen of its own."""
        key, title = clean(entry.key) or "draft", clean(entry.title)
        edits = _edits_of_entry(entry)
        sheet = IssueSheet(key, title, entry.path, entry.title_line, edits=edits)
        return state.opened(Diff(self.workspace, sheet)), ()

    def _fold_or_unfold(self, state: AppState, action: KeyAction, entry: sync.PlanEntry) -> Step:
        """Hide or show the texts that an entry changes."""
        if not any(map(_is_long, _edits_of_entry(entry))):
            return state.with_notice("All that is changed is shown"), ()
        change, unfolded = {entry.fingerprint}, self.unfolded_fingerprints
        unfolded = unfolded | change if action is KeyAction.UNFOLD else unfolded - change
        return state.top_replaced(replace(self, unfolded_fingerprints=unfolded)), ()

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect on the selected item."""
        item = self.selected_item(state)
        if isinstance(item, sync.PlanEntry):
            if not any(map(_is_long, _edits_of_entry(item))):
                return {KeyAction.UNFOLD, KeyAction.FOLD}
            is_unfolded = item.fingerprint in self.unfolded_fingerprints
            return {KeyAction.UNFOLD if is_unfolded else KeyAction.FOLD}
        idle = {KeyAction.UNFOLD, KeyAction.FOLD, KeyAction.DIFF, KeyAction.SELECT}
        if not isinstance(item, sync.Note):
            idle.add(KeyAction.EDIT)
        if self.plan is not None and not self.plan.entries and self.kind is JobKind.PUSH:
            idle.add(KeyAction.ACCEPT)
        return idle

    def unfolded_if_it_fits(self, state: AppState) -> Plan:
        """Return the plan with all texts shown if the screen has room for them."""
        assert self.plan is not None
        edits = [edit for entry in self.plan.entries for edit in _edits_of_entry(entry)]
        size = sum(len(edit.before) + len(edit.after) for edit in edits)
        # A long text would take long to compare.
        if size > state.width * state.layout.body_rows or not any(map(_is_long, edits)):
            return self
        fingerprints = frozenset(entry.fingerprint for entry in self.plan.entries)
        whole = replace(self, unfolded_fingerprints=fingerprints)
        rows, *_ = whole.rows_headings_and_item_ranges(state, self.plan, Theme())
        return whole if len(rows) <= state.layout.body_rows else self

    @property
    def plan_request(self) -> ServiceCall:
        """The request for the plan."""
        return call_in(self.workspace, read_plan, self.kind, self.keys)

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the plan and have it checked; take what the check says; make the plan again."""
        match message:
            # That of an older plan may be equal.
            case messages.CallEnded(request, answer, problem) if request is self.awaited_check:
                if isinstance(answer, sync.PushResult):
                    checked = replace(self, awaited_check=None, check_result=answer)
                else:
                    checked = replace(
                        self, awaited_check=None, check_problem=problem or answer or ""
                    )
                return state.overlay_replaced(self, self.with_same_selected(state, checked)), ()
            case messages.CallEnded(self.plan_request, plan, "") if plan != self.plan:
                return self._take_plan_and_ask_check(state, plan, now)
            case messages.CallEnded(self.plan_request, _, problem) if problem:
                state = state.without_overlay(self).with_notice(problem, is_bad=True)
                return state, self._calls_to_end_check
            case _:
                return Review.on_message(self, state, message, now)

    def _take_plan_and_ask_check(self, state: AppState, plan: sync.PushPlan, now: float) -> Step:
        """Take another plan, and ask for its check."""
        losses = frozenset(plan.losses)
        check = call_in(self.workspace, dry_run_push, self.keys, losses) if plan.entries else None
        changed = replace(self, plan=plan, shown_at=now, awaited_check=check)
        changed = replace(changed, check_result=sync.PushResult(), check_problem="")
        if self.plan is None:
            changed = changed.unfolded_if_it_fits(state)
        else:
            # New ones were not accepted.
            accepts = self.accepts_losses and losses.issubset(self.plan.losses)
            changed = replace(changed, accepts_losses=accepts)
            changed = self.with_same_selected(state, changed)
        calls = (check,) if check else self._calls_to_end_check
        return state.overlay_replaced(self, changed), calls

    @property
    def _calls_to_end_check(self) -> tuple[ServiceCall, ...]:
        """The calls that end the check."""
        return () if self.awaited_check is None else (call(stop_asking, self.workspace),)

    def _notes_refused_by_jira_or_file(self, plan: sync.PushPlan) -> tuple[sync.Note, ...]:
        """Return what would not be written, for a reason that Jira or the file gives."""
        # A sync merges first.
        conflicts = self.check_result.conflicts if self.kind is JobKind.PUSH else ()
        answers = (*self.check_result.failed, *conflicts)
        left, names = set(map(_path_and_name, plan.left_alone)), set(map(_path_and_name, answers))
        return (
            *(note for note in plan.expected_refusals if _path_and_name(note) not in names),
            *(note for note in answers if _path_and_name(note) not in left),
        )

    def header_left_and_right(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        title = f"{self.kind.value.capitalize()} {self.workspace}"
        return title, WRITES_ON_ENTER_MESSAGE if self.awaited_check is None else CHECKING_MESSAGE

    def on_enter(self, state: AppState, plan: sync.PushPlan) -> Step:
        """Start the job."""
        kept = self.without_left_out(plan.entries)
        if not kept and self.kind is JobKind.PUSH:
            return state.with_notice("Nothing to push; Esc goes back"), ()
        accepted = frozenset(plan.losses) if self.accepts_losses else frozenset()
        confirmed = replace(plan, entries=kept)
        options = {"accept_loss": accepted, "confirmed": confirmed}
        request = JobRequest(self.kind, self.keys, options)
        return state.top_closed(), (call_in(self.workspace, start_job, request),)

    def make_sections(
        self, plan: sync.PushPlan, keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterator[Section]:
        """Yield the entries, and what is said below them; parts without items are left out."""

        def note_lines(note: sync.Note) -> Sequence[Line]:
            return _warning_lines(f"{clean(note.key_title_or_path)}: {clean(note.reason)}", cells)

        def loss_lines(loss: sync.Loss) -> Sequence[Line]:
            does = keymap.hint(KeyAction.ACCEPT_LOSS, Context.PLAN, "accepts it", before="; ")
            word = "and is accepted" if self.accepts_losses else f"so it is not sent{does}"
            where = clean(loss.path_and_line)
            return _warning_lines(f"{clean(loss.piece_of_part)} in {where}, {word}", cells)

        if self.check_problem:
            rest = _warning_lines(f"Not checked with Jira: {self.check_problem}", cells)
            yield Section((), note_lines, trailing_lines=rest)
        entry_lines = partial(self._entry_lines, keymap=keymap, cells=cells)
        for title, is_new in (("Create", True), ("Change", False)):
            entries = [entry for entry in plan.entries if is_new is not bool(entry.key)]
            if entries:
                yield Section(entries, entry_lines, f"{title}  {len(entries)}")
        if refused := self._notes_refused_by_jira_or_file(plan):
            yield Section(refused, note_lines, f"Refused  {len(refused)}")
        if plan.losses:
            only_links = all(loss.is_link for loss in plan.losses)
            title = f"Would be {'removed' if only_links else 'lost'} in Jira"
            yield Section(plan.losses, loss_lines, title)
        notes = (*plan.markup_sent_as_text, *self.check_result.warnings)  # losses are listed apart
        shown = (note for note in notes if note.code is not sync.Code.LOSS)
        warnings = {(note.key_title_or_path, note.reason): note for note in shown}
        if warnings:
            yield Section(
                [*warnings.values()],
                note_lines,
                "Will not arrive as written",
                has_strong_title=False,
            )
        if plan.left_alone:
            left = chosen_left_alone_notes(plan)
            others = len(plan.left_alone) - len(left)
            words = f" {others} more edited, but not chosen here"
            rest = [(tint_mark(" ·"), Span(words))] if others else []
            title = f"Left alone  {len(plan.left_alone)}"
            left_lines = partial(_left_alone_lines, keymap=keymap, cells=cells, theme=theme)
            yield Section(left, left_lines, title, rest, has_strong_title=False)

    def what_enter_does(self, plan: sync.PushPlan) -> str:
        """Return what Enter does."""
        kept = self.without_left_out(plan.entries)
        new = sum(not entry.key for entry in kept)
        counts = (("creates", new), ("changes", len(kept) - new))
        words = " and ".join(f"{verb} {count}" for verb, count in counts if count)
        many = f"{len(kept)} writes: it " if len(kept) > CONFIRM_ABOVE_WRITES else ""
        issues = set(map(_path_and_name, self._notes_refused_by_jira_or_file(plan)))
        refused = sum((entry.path, entry.name) in issues for entry in kept)
        but = f", but {refused} would be refused" if refused else ""
        writes = f"{many}{words} of your tickets in Jira{but}"
        if self.kind is JobKind.SYNC:
            return f"Enter pulls what is new in Jira, {f'then {writes}' if kept else 'no more'}"
        return f"Enter {writes}" if kept else _why_nothing_to_push(plan)

    def _entry_lines(self, entry: sync.PlanEntry, keymap: KeyMap, cells: int) -> list[Line]:
        edits = [edit for edit in _edits_of_entry(entry) if entry.key or edit.part_name != "Title"]
        is_left_out = identity_of(entry) in self.left_out_identities
        is_open = entry.fingerprint in self.unfolded_fingerprints and not is_left_out
        shown = [edit for edit in edits if is_open and _is_long(edit)]
        pieces = [_edit_text(edit, entry.route) for edit in edits if edit not in shown]
        if entry.parent_key_or_title:
            pieces.insert(0, f"a sub-task of {clean(entry.parent_key_or_title)}")
        sign = "*" if entry.key else "+"
        lines = item_lines(entry, sign, pieces, keymap, cells, is_left_out=is_left_out)
        for edit in shown:
            lines.append((Span(f"{DETAIL_INDENT}{_edit_text(edit, entry.route)}"),))
            lines += line_diff_lines(edit.before, edit.after, cells - 1, f"{DETAIL_INDENT}  ")
        return lines


def _path_and_name(note: sync.Note) -> tuple[str, str]:
    """Return what tells the issue of a note from all others."""
    return note.path, note.key_title_or_path


def _why_nothing_to_push(plan: sync.PushPlan) -> str:
    """Return why a push has nothing to do."""
    if plan.entries:
        return "Nothing to push: every entry is left out"
    if chosen_left_alone_notes(plan):
        return "Nothing can be pushed: what was edited here is left alone"
    if plan.left_alone:
        return "Nothing to push: none of the chosen tickets was edited"
    return "Nothing to push: nothing was edited here since the last sync"


@lru_cache(maxsize=256)
def _edits_of_entry(entry: sync.PlanEntry) -> tuple[EditedPart, ...]:
    """Return the changes of an entry."""
    return tuple(
        EditedPart(clean(change.name), change.old_with_newlines, change.new_with_newlines)
        for change in entry.changes
    )


def _is_long(edit: EditedPart) -> bool:
    """Return whether an edit is too long for one line."""
    texts = f"{edit.before}{edit.after}"
    return "\n" in texts or len(texts) > MAX_ONE_LINE_DIFF_CHARACTERS


def _edit_text(edit: EditedPart, route: str) -> str:
    name, before, after = edit.part_name, edit.before, edit.after
    if name == "Status" and route:
        return f"{name}: {clean(route)}"
    if _is_long(edit):
        old, new = Counter(before.splitlines()), Counter(after.splitlines())
        counts = f"+{(new - old).total()} -{(old - new).total()}" if before else f"{new.total()}"
        return f"{name} ({counts} lines)"
    if not before:
        return f"{name}: {clean(after)}"
    return f"{name}: {clean(before)} → {clean(after) or 'none'}"
