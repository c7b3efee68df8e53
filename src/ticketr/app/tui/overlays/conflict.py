"""A conflict, part by part: what clashes, what merges by itself, what Enter will do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, final

from ticketr.app.sync import Choice, ConflictPart, ConflictView, ReplacementText, Resolution, choose
from ticketr.app.tui import messages
from ticketr.app.tui.effects import ServiceCall, call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, is_enter_too_soon, moved_index, word_diff_lines
from ticketr.app.tui.overlays.questions import LineInput
from ticketr.app.tui.panels.frame import (
    RowOrDrawer,
    cut_or_pad_rows,
    draw_rows,
    scroll_top,
    space_headings,
    title_rule,
)
from ticketr.app.tui.services import asking, outside
from ticketr.app.tui.services.edits import ask_to_undo, read_conflict, resolve
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, tint_mark, wrap_line
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clean, clip, fit, width

NAME_CELLS = 16
#: The most cells of a text in what Enter will do.
MAX_QUOTED_CELLS = 32
#: The most parts that are named in what Enter will do.
MAX_PARTS_IN_OUTCOME = 20
#: From this width on, the version at the last sync is beside those of both sides.
MIN_THREE_COLUMN_WIDTH = 70
#: The signs of your side and of Jira's by what was chosen; any other choice is a text of its own.
_SIDE_SIGNS_BY_CHOICE: Mapping[Choice | None, tuple[str, str]] = {
    None: ("?", "?"),
    "mine": ("●", "○"),
    "jira": ("○", "●"),
    "both": ("●", "●"),
}


def _sync_and_jira_times(view: ConflictView, part_count: int, cells: int) -> str:
    """Return since when both sides have changed something, and when Jira's side was changed."""
    if not part_count:  # the file was brought back to the last sync, or to what Jira has
        return "Nothing is left to choose: no part of this file clashes with Jira any more"
    what = "this" if part_count == 1 else "these"
    synced = (
        f", {_date_and_time(datetime.fromtimestamp(view.synced_at, UTC))}" if view.synced_at else ""
    )
    words = f"Both sides have changed {what} since the last sync"
    words += f"{synced}." if width(words) + width(synced) + 2 < cells else "."
    by = f" by {clean(view.last_changed_by)}" if view.last_changed_by else ""
    try:
        jiras = f"Jira's{by}, {_date_and_time(datetime.fromisoformat(view.updated))}"
    except ValueError:  # Jira has not said when
        return words
    gap = cells - 2 - width(words) - width(jiras)
    return f"{words}{' ' * gap}{jiras}" if gap >= 2 else words


def _date_and_time(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def _columns_that_fit(name: str, versions: Sequence[str], cells: int) -> str:
    """Return a name, the version at the last sync if there is room, and those of both sides."""
    *others, last = versions[-3 if cells >= MIN_THREE_COLUMN_WIDTH else -2 :]
    left = min(NAME_CELLS, cells // 2 - 4)
    column, rest = divmod(cells - left - 2, len(others) + 1)
    columns = "".join(fit(text, column - 2) + "  " for text in others)
    return f"{fit(name, left)} {columns}{fit(last, column + rest - 2)}"


def _part_row(
    part: ConflictPart, choice: Choice | None, cells: int, theme: Theme, *, is_selected: bool
) -> str:
    mine, jiras = _SIDE_SIGNS_BY_CHOICE.get(choice, ("✎", "○"))
    base, yours, theirs = map(_text_or_line_count, (part.base, part.yours, part.jiras))
    versions = (base, f"{mine} {yours}", f"{jiras} {theirs}")
    line = f"{'▌' if is_selected else ' '} {_columns_that_fit(clean(part.name), versions, cells)}"
    return theme.row((Span(line),), cells, *(("reverse",) if is_selected else ()))


def _text_or_line_count(text: str) -> str:
    if "\n" in text:
        return f"{len(text.splitlines())} lines"
    return clean(text) or "–"


def _word_diff_rows(part: ConflictPart, cells: int, theme: Theme) -> list[str]:
    rows = [title_rule(part.name, "word by word", cells, theme, is_focused=True)]
    for name, text in (("last sync", None), ("yours", part.yours), ("Jira's", part.jiras)):
        label = f"   {name:<11}"
        rest = " " * len(label)
        if text is None:
            base = clean(part.base[: cells * 6]) or "–"
            wrapped = tuple(wrap_line((Span(base),), cells - 1, first=label, rest=rest))
        else:
            wrapped = word_diff_lines(part.base, text, cells - 1, label, rest)
        rows += [theme.row(pair, cells) for pair in wrapped[:6]]
    return rows


def _auto_merged_part_rows(view: ConflictView, cells: int, theme: Theme) -> list[str]:
    if not view.one_sided_changes:
        return []
    rows = [title_rule("Merged without you", "", cells, theme, is_focused=False)]
    for part in view.one_sided_changes:
        side = "yours " if part.changed_by == "mine" else "Jira's"
        words = f"{_text_or_line_count(part.before)} → {_text_or_line_count(part.after)}"
        rows.append(theme.fit(f"   {fit(clean(part.name), NAME_CELLS)} {side}  {words}", cells))
    return rows


def _first_texts_and_more(texts: Sequence[str], separator: str, count: int | None = None) -> str:
    """Return the first texts of a list, cleaned, and how many more there are.

    Args:
        texts: The texts, or the first `MAX_PARTS_IN_OUTCOME` of them.
        separator: What is between two.
        count: The number of all; None if all are given.
    """
    more = (len(texts) if count is None else count) - MAX_PARTS_IN_OUTCOME
    named = clean(separator.join(texts[:MAX_PARTS_IN_OUTCOME]))
    return f"{named} and {more} more" if more > 0 else named


def _what_enter_does_rows(resolution: Resolution, cells: int, theme: Theme, undo: str) -> list[str]:
    view, all_writes = resolution.view, resolution.part_changes_in_file
    rows = [title_rule("What Enter will do", "", cells, theme, is_focused=False)]
    lines: list[Line] = []
    if left := resolution.undecided_parts:
        names = _first_texts_and_more([part.name for part in left], ", ")
        lines.append((tint_mark("!"), Span(f" nothing yet: {len(left)} left to choose: {names}")))
    writes: list[str] = []
    for write in all_writes[:MAX_PARTS_IN_OUTCOME]:  # whole texts are shown word by word
        whole = map(_text_or_line_count, (write.text_in_file, write.text_once_resolved))
        texts = (clip(text, MAX_QUOTED_CELLS) for text in whole)
        writes.append(f"{write.part_name}: {' → '.join(texts)}")
    does = _first_texts_and_more(writes, "; ", len(all_writes)) or "stays as it is"
    lines.append((Span(f"{clean(view.path)}: {does}"),))
    pushed = _first_texts_and_more(resolution.part_names_to_push, ", ")
    jira = f"nothing yet: {pushed} with the next push" if pushed else "nothing"
    lines.append((Span(f"Jira: {jira}"),))
    if all_writes:
        lines.append((Span(f"Your present text is kept in {clean(view.planned_copy_path)}{undo}"),))
    for line in lines:
        rows += [
            theme.row(pair, cells) for pair in wrap_line(line, cells - 1, first="   ", rest="     ")
        ]
    return rows


@final
@dataclass(frozen=True, slots=True)
class ConflictScreen(Overlay):
    """A conflict and what the user has chosen of it.

    Attributes:
        workspace: The name of the ticket's workspace.
        key: The key of the ticket.
        view: The conflict; None until it has been read.
        choice_by_part_id: What the user has chosen, by the IDs of the parts.
        part_index: The index of the selected part.
        extra_scrolled_rows: How many rows it is scrolled beyond what shows the selected part.
        shown_at: The time at which the conflict came; infinity before.
        jira_author_and_time: Who changed Jira's side, and when; None until Jira has answered.
    """

    context: ClassVar[Context] = Context.CONFLICT

    workspace: str
    key: str
    view: ConflictView | None = None
    choice_by_part_id: Mapping[str, Choice] = field(default_factory=dict["str", "Choice"])
    part_index: int = 0
    extra_scrolled_rows: int = 0
    shown_at: float = float("inf")
    jira_author_and_time: tuple[str, str] | None = None

    @property
    def selected_part(self) -> ConflictPart | None:
        """The selected part, or None."""
        parts = self.view.parts if self.view is not None else ()
        return parts[min(self.part_index, len(parts) - 1)] if parts else None

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, choose a side, or carry out what was chosen."""
        if action in (KeyAction.NEXT, KeyAction.PREVIOUS):
            return self._go_to_other_conflict(state, 1 if action is KeyAction.NEXT else -1)
        if self.view is not None and action is KeyAction.ACCEPT:
            return self._accept(state, self.view, now)
        if self.view is None or self.selected_part is None:
            return None
        match action:
            case KeyAction.TAKE_YOURS:
                return self._record_choices(state, {self.selected_part.id: "mine"})
            case KeyAction.TAKE_JIRAS:
                return self._record_choices(state, {self.selected_part.id: "jira"})
            case KeyAction.TAKE_BOTH if not self.selected_part.can_hold_both:
                edit = state.keymap.hint(
                    KeyAction.EDIT, Context.CONFLICT, "edits it by hand", before="; "
                )
                return state.with_notice(
                    f"{self.selected_part.name} cannot hold both texts{edit}"
                ), ()
            case KeyAction.TAKE_BOTH:
                return self._record_choices(state, {self.selected_part.id: "both"})
            case KeyAction.ALL_YOURS:
                return self._record_choices(state, {part.id: "mine" for part in self.view.parts})
            case KeyAction.ALL_JIRAS:
                return self._record_choices(state, {part.id: "jira" for part in self.view.parts})
            case KeyAction.EDIT:
                return self._edit_in_line_or_editor(state, self.selected_part)
            case KeyAction.UNDO:
                return state, (call_in(self.workspace, ask_to_undo),)
            case _:
                moved = self._moved_screen(state, self.view, action)
                return None if moved is None else (state.top_replaced(moved), ())

    def _moved_screen(
        self, state: AppState, view: ConflictView, action: KeyAction
    ) -> ConflictScreen | None:
        """Return it at another part, or scrolled: by pages, up, and down from the last part."""
        last = len(view.parts) - 1
        match action:
            case KeyAction.TOP:
                return replace(self, part_index=0, extra_scrolled_rows=0)
            case KeyAction.BOTTOM:
                end = replace(self, part_index=last)
                return replace(end, extra_scrolled_rows=end.max_extra_scrolled_rows(state, view))
            case KeyAction.UP if not self.extra_scrolled_rows:
                return replace(self, part_index=max(0, self.part_index - 1))
            case KeyAction.DOWN if self.part_index < last:
                return replace(self, part_index=self.part_index + 1, extra_scrolled_rows=0)
        most = self.max_extra_scrolled_rows(state, view)
        scrolled = moved_index(action, self.extra_scrolled_rows, state.layout.body_rows, most)
        return None if scrolled is None else replace(self, extra_scrolled_rows=scrolled)

    def max_extra_scrolled_rows(self, state: AppState, view: ConflictView) -> int:
        """Return how many rows it can be scrolled, beyond what shows the selected part."""
        rows, top = self._rows_and_top_showing_part(state, view, Theme())
        return max(0, len(rows) - state.layout.body_rows - top)

    def _record_choices(self, state: AppState, choices: Mapping[str, Choice]) -> Step:
        changed = replace(self, choice_by_part_id={**self.choice_by_part_id, **choices})
        return state.top_replaced(changed), ()

    def _edit_in_line_or_editor(self, state: AppState, part: ConflictPart) -> Step:
        """Type a text of one line; a longer one is edited in the file."""
        text = part.yours or part.jiras
        if "\n" in text or len(text) > state.width - 20:
            assert self.view is not None
            return state, (
                call_in(self.workspace, outside.open_editor, self.view.path, self.view.title_line),
            )

        def on_accept(state: AppState, text: str) -> Step:
            return self._record_choices(state, {part.id: ReplacementText(text)})

        return state.opened(LineInput(f"{part.name}:", on_accept, input=TextInput.of(text))), ()

    def _accept(self, state: AppState, view: ConflictView, now: float) -> Step:
        if is_enter_too_soon(state, self.shown_at, now):
            return state.with_notice("Read it first; then Enter carries it out"), ()
        resolution = choose(view, self.choice_by_part_id)
        if resolution.undecided_parts:
            names = ", ".join(part.name for part in resolution.undecided_parts)
            at = view.parts.index(resolution.undecided_parts[0])
            words = f"{len(resolution.undecided_parts)} left to choose: {names}"
            return state.top_replaced(replace(self, part_index=at)).with_notice(words), ()
        return state.top_closed(), (call_in(self.workspace, resolve, resolution),)

    def _go_to_other_conflict(self, state: AppState, by: int) -> Step | None:
        """Go to another conflict of the workspace."""
        keys = list(state.workspace_or_empty(self.workspace).conflicts_by_key)
        if len(keys) < 2 or self.key not in keys:
            return None
        key = keys[(keys.index(self.key) + by) % len(keys)]
        other = ConflictScreen(self.workspace, key)
        return state.top_replaced(other), (other.request,)

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the conflict; read it again when the files were read again."""
        match message:
            case messages.CallEnded(self.request, view, ""):
                if view == self.view:
                    return state, ()
                ids = {part.id for part in view.parts}
                kept = {
                    part: choice for part, choice in self.choice_by_part_id.items() if part in ids
                }
                changed = replace(self, view=view, choice_by_part_id=kept, shown_at=now)
                request = changed.jira_author_request
                if request is None or request == self.jira_author_request:
                    return state.overlay_replaced(self, changed), ()
                changed = replace(changed, jira_author_and_time=None)
                return state.overlay_replaced(self, changed), (request,)
            case messages.CallEnded(self.request, _, problem):
                return state.without_overlay(self).with_notice(problem, is_bad=True), ()
            case messages.CallEnded(request, author) if request == self.jira_author_request:
                return state.overlay_replaced(self, replace(self, jira_author_and_time=author)), ()
            case messages.FilesRead(self.workspace):
                return state, (self.request,)
            case _:
                return None

    @property
    def request(self) -> ServiceCall:
        """The request for the conflict."""
        return call_in(self.workspace, read_conflict, self.key)

    @property
    def jira_author_request(self) -> ServiceCall | None:
        """The request for the name of whoever changed Jira's version; None if it has not changed."""
        view = self.view
        if view is None or not view.last_changed_issue_key:
            return None
        return call_in(
            self.workspace,
            asking.ask_conflict_author,
            view.last_changed_issue_key,
            view.updated,
        )

    def header_left_and_right(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        keys = list(state.workspace_or_empty(self.workspace).conflicts_by_key)
        place = f" {keys.index(self.key) + 1} of {len(keys)}" if self.key in keys else ""
        title = f" {clean(self.view.title)}" if self.view is not None else ""
        return f"Conflict{place} · {self.key}{title}", "nothing is written until Enter"

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.layout.body_rows
        if self.view is None:
            return cut_or_pad_rows([theme.fit(" Reading both versions...", cells)], height, cells)
        rows, top = self._rows_and_top_showing_part(state, self.view, theme)
        top = max(0, min(top + self.extra_scrolled_rows, len(rows) - height))
        return cut_or_pad_rows(draw_rows(rows[top : top + height]), height, cells)

    def _rows_and_top_showing_part(
        self, state: AppState, view: ConflictView, theme: Theme
    ) -> tuple[list[RowOrDrawer], int]:
        """Return all rows, and the index of the first one that shows the selected part."""
        cells, height = state.width, state.layout.body_rows
        undo = state.keymap.hint(
            KeyAction.UNDO, Context.CONFLICT, "takes all this back", before="; "
        )
        if self.jira_author_and_time is not None:
            author, changed_at = self.jira_author_and_time
            view = replace(view, last_changed_by=author, updated=changed_at)
        count = len(view.parts)
        at = min(self.part_index, max(0, count - 1))
        rows: list[RowOrDrawer] = [theme.fit(f" {_sync_and_jira_times(view, count, cells)}", cells)]
        names = _columns_that_fit("", ("at the last sync", "yours", "Jira's"), cells)
        rows.append(theme.row((Span(f"  {names}", ("dim",)),), cells))
        for number, part in enumerate(view.parts):  # thousands, perhaps: not drawn yet
            choice = self.choice_by_part_id.get(part.id)
            row = partial(_part_row, part, choice, cells, theme, is_selected=number == at)
            rows.append(row)
        headings = [1]
        outcome = _what_enter_does_rows(choose(view, self.choice_by_part_id), cells, theme, undo)
        for section in (
            _word_diff_rows(view.parts[at], cells, theme) if view.parts else [],
            _auto_merged_part_rows(view, cells, theme),
            outcome,
        ):
            if section:
                headings.append(len(rows))
                rows += section
        rows, selected = space_headings(rows, headings, 2 + at, height, " " * cells)
        return rows, scroll_top(0, min(selected, len(rows) - 1), height, len(rows))
