"""The app's state, and how messages change it. Pure: no waiting, no clock, no screen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ticketr.config import CONFIRM_ABOVE
from ticketr.statusline import StatusModel
from ticketr.text import wrap
from ticketr.tui import effects, messages
from ticketr.tui.job_kind import JobKind
from ticketr.tui.keymap import KeyAction, key_action
from ticketr.tui.notes import notes_of, notice_of
from ticketr.tui.prompts import Prompt, conflict_prompt, writes_prompt
from ticketr.tui.rows import ListRow, Order, index_of, merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr import JobSnapshot
    from ticketr.tui.effects import Effect
    from ticketr.tui.messages import Message

#: The tag of every pull, push and sync.
JIRA_JOB_TAG = "kind"
JOB_IS_RUNNING = "A job is running already; Esc cancels it"
NO_CONFLICT = "This ticket has no conflict"
BROKEN = "Edit this file until nothing is wrong with it, then sync"
NO_NOTES = "The last job has nothing to say of single tickets"
#: Rows around the body: the title above, the action bar and the status line below.
CHROME = 3
#: From this width on, list and detail stand side by side.
TWO_PANELS = 100


class Focus(Enum):
    """The panel that the keys for moving apply to."""

    LIST = "list"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Detail:
    """A ticket that is open for reading.

    Attributes:
        row: The ticket's row.
        text: The ticket's lines in the file, cleaned.
        lines: The same text, wrapped to the panel's width.
        top: The index of the first of `lines` that is shown.
    """

    row: ListRow
    text: tuple[str, ...]
    lines: tuple[str, ...] = ()
    top: int = 0

    def wrapped(self, cells: int) -> Detail:
        """Return it wrapped to a panel of so many cells, with a margin."""
        lines = tuple(line for each in self.text for line in wrap(each, cells - 2))
        return replace(self, lines=lines, top=min(self.top, max(0, len(lines) - 1)))


@dataclass(frozen=True, slots=True)
class AppState:
    """Everything that the screen shows.

    Attributes:
        width: The terminal's width, in cells.
        height: The terminal's height, in cells.
        title: The workspace's title in the first row.
        rows: The issues, sorted.
        selected: The order of the selected row; it stays selected when rows move.
        top: The index of the first row that is shown.
        focus: The panel that has the keys.
        detail: The open ticket, if any.
        is_help_open: Whether the help covers the rest.
        are_notes_open: Whether the notes cover the rest.
        notes: Why the last job failed, or its notes about single tickets, cleaned.
        notes_top: The index of the first of `note_lines` that is shown.
        prompt: The prompt that waits for an answer, if any.
        edited: The keys of issues that were edited here since the last sync.
        conflicts: The conflicting parts of each conflicting ticket, by its key.
        broken: The cleaned error of each broken file.
        status: The status line's model.
        notice: A message in the action bar until the next key.
        working: The ID of the running or pending job with Jira; empty if there is none.
    """

    width: int = 80
    height: int = 24
    title: str = ""
    rows: tuple[ListRow, ...] = ()
    selected: Order | None = None
    top: int = 0
    focus: Focus = Focus.LIST
    detail: Detail | None = None
    is_help_open: bool = False
    are_notes_open: bool = False
    notes: tuple[str, ...] = ()
    notes_top: int = 0
    prompt: Prompt | None = None
    edited: frozenset[str] = frozenset()
    conflicts: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    status: StatusModel = field(default_factory=StatusModel)
    notice: str = ""
    working: str = ""

    @property
    def page(self) -> int:
        """The number of rows of the body."""
        return max(1, self.height - CHROME)

    @property
    def things_to_note(self) -> tuple[str, ...]:
        """The errors of broken files, which stop every job, then the last job's notes."""
        return (*(f"broken: {each}" for each in self.broken), *self.notes)

    @property
    def note_lines(self) -> tuple[str, ...]:
        """`things_to_note`, wrapped to the screen's width."""
        cells = max(1, self.width - 3)
        return tuple(line for each in self.things_to_note for line in wrap(each, cells))

    @property
    def list_width(self) -> int:
        """The width of the list, in cells."""
        return self.width * 2 // 5 if self.width >= TWO_PANELS else self.width

    @property
    def detail_width(self) -> int:
        """The width of an open ticket, in cells: beside the list, or instead of it."""
        return self.width - self.list_width - 1 if self.width >= TWO_PANELS else self.width

    @property
    def index(self) -> int:
        """The index of the selected row; 0 where there is none."""
        return 0 if self.selected is None else index_of(self.rows, self.selected)

    def row_of(self, order: Order) -> ListRow | None:
        """Return the row with this order, if there is one."""
        found = self.rows[index_of(self.rows, order)] if self.rows else None
        return found if found is not None and found.order == order else None

    def with_text(self, row: ListRow, text: tuple[str, ...]) -> AppState:
        """Return it with the open ticket's new text, unless another ticket is open now."""
        if self.detail is None or self.detail.row.order != row.order:
            return self
        detail = replace(self.detail, row=row, text=text)
        return replace(self, detail=detail.wrapped(self.detail_width))


def update(state: AppState, message: Message, now: float) -> tuple[AppState, tuple[Effect, ...]]:
    """Return the state after a message, and the effects to carry out.

    Args:
        state: The state before.
        message: The event.
        now: The time of the event, in seconds by Trio's clock.
    """
    match message:
        case messages.KeyPressed(name):
            return _key(replace(state, notice=""), name)
        case messages.JobChanged(snapshot):
            return _job(state, snapshot, now)
        case messages.TicketsFound(tickets, edited):
            rows = merge(state.rows, tickets)
            return _in_view(replace(state, rows=rows, edited=state.edited | edited)), ()
        case messages.FilesRead():
            return _files(state, message)
        case messages.WritesCounted(kind, writes, lost):
            if state.broken:  # every job would fail because of them
                return replace(state, notice=notice_of(state.broken)), ()
            if state.working:  # the key was pressed twice
                return replace(state, notice=JOB_IS_RUNNING), ()
            asked = writes if writes > CONFIRM_ABOVE else 0
            if asked or lost:
                return replace(state, prompt=writes_prompt(kind, asked, lost)), ()
            return state, (effects.StartJob(kind),)
        case messages.DetailLoaded(row, lines):
            return _opened(state, row, lines), ()
        case messages.ClashLoaded(row, lines):
            return state if state.prompt is None else _opened(state, row, lines), ()
        case messages.DetailReread(row, lines):
            return state.with_text(row, lines), ()
        case messages.Resized(width, height):
            return _resized(state, width, height), (effects.Redraw(),)
        case messages.Continued():
            return state, (effects.Reload(),)
        case messages.Failed(words):
            return replace(state, notice=words), ()
        case messages.LeaveAsked():
            return state, (effects.Leave(),)


def _resized(state: AppState, width: int, height: int) -> AppState:
    state = replace(state, width=width, height=height)
    if state.detail is not None:
        state = replace(state, detail=state.detail.wrapped(state.detail_width))
    return _in_view(state)


def _files(state: AppState, read: messages.FilesRead) -> tuple[AppState, tuple[Effect, ...]]:
    is_news = any(each not in state.broken for each in read.broken)
    state = _in_view(
        replace(
            state,
            rows=read.rows,
            edited=read.edited,
            conflicts=read.conflicts,
            broken=read.broken,
            notice=notice_of(read.broken) if is_news else state.notice,
        )
    )
    # A draft that was given a key has another row; its text stays open.
    row = state.row_of(state.detail.row.order) if state.detail is not None else None
    if row is None or state.prompt is not None:
        return state, ()
    if row.is_broken:
        return state.with_text(row, (row.title,)), ()
    return state, (effects.RereadDetail(row),)


def _job(state: AppState, snapshot: JobSnapshot, now: float) -> tuple[AppState, tuple[Effect, ...]]:
    state = replace(state, status=state.status.see(snapshot, now))
    if JIRA_JOB_TAG not in snapshot.tags:
        return state, ()
    if not snapshot.status.is_terminal:
        return replace(state, working=snapshot.id), ()
    if state.working == snapshot.id:
        state = replace(state, working="")
    notes = notes_of(snapshot)
    notice = f"{len(notes)} to look at: n lists them" if notes else state.notice
    return replace(state, notes=notes, notes_top=0, notice=notice), (effects.Reload(),)


def _key(state: AppState, name: str) -> tuple[AppState, tuple[Effect, ...]]:
    action = key_action(name)
    if action is KeyAction.QUIT:
        return state, (effects.Leave(),)
    if state.prompt is not None:
        return _answer_prompt(state, state.prompt, name)
    if action is None:
        return state, ()
    if action is KeyAction.REDRAW:
        return state, (effects.Redraw(), effects.Reload())
    if action is KeyAction.HELP:
        return replace(state, is_help_open=not state.is_help_open, are_notes_open=False), ()
    if action is KeyAction.NOTES:
        return _notes(state), ()
    if action is KeyAction.ESCAPE:
        return _escape(state)
    if state.is_help_open or (state.are_notes_open and action not in _MOVES):
        return state, ()
    if action is KeyAction.BACK:
        return replace(state, focus=Focus.LIST), ()
    if action in _JOB_KINDS:
        return _ask_for_job(state, _JOB_KINDS[action])
    if action is KeyAction.RESOLVE:
        return _resolve(state)
    if action is KeyAction.OPEN:
        return _open(state)
    return _move(state, action), ()


def _escape(state: AppState) -> tuple[AppState, tuple[Effect, ...]]:
    """Close the help or notes, else cancel the job, else go back to the list."""
    if state.is_help_open or state.are_notes_open:
        return replace(state, is_help_open=False, are_notes_open=False), ()
    if state.status.named_job is not None:
        return state, (effects.CancelJob(state.status.named_job),)
    return replace(state, focus=Focus.LIST), ()


def _notes(state: AppState) -> AppState:
    if not state.things_to_note:
        return replace(state, notice=NO_NOTES)
    is_open = not state.are_notes_open
    return replace(state, are_notes_open=is_open, is_help_open=False, notes_top=0)


def _answer_prompt(
    state: AppState, prompt: Prompt, name: str
) -> tuple[AppState, tuple[Effect, ...]]:
    """Apply the answer to a prompt; Esc closes it, and any other key leaves it open."""
    focus = Focus.LIST if prompt.covers_list else state.focus
    answered = replace(state, prompt=None, focus=focus)
    if name == "KEY_ESCAPE":
        return answered, ()
    choice = prompt.choice(name)
    if choice is None:
        action = key_action(name)
        if (
            action in _MOVES and state.focus is Focus.DETAIL
        ):  # the prompt's subject may need scrolling
            return _move(state, action), ()
        return state, ()
    return answered, choice.effects


_JOB_KINDS = {
    KeyAction.PULL: JobKind.PULL,
    KeyAction.PUSH: JobKind.PUSH,
    KeyAction.SYNC: JobKind.SYNC,
}


def _ask_for_job(state: AppState, kind: JobKind) -> tuple[AppState, tuple[Effect, ...]]:
    if state.working:
        return replace(state, notice=JOB_IS_RUNNING), ()
    if kind is JobKind.PULL:
        return state, (effects.StartJob(kind),)
    return state, (effects.CountWrites(kind),)


def _resolve(state: AppState) -> tuple[AppState, tuple[Effect, ...]]:
    row = state.rows[state.index] if state.rows else None
    if row is None or row.head not in state.conflicts:
        # The file may hold the markers of a conflict that was resolved by `merge`.
        is_broken = row is not None and row.is_broken
        return replace(state, notice=BROKEN if is_broken else NO_CONFLICT), ()
    if state.working:
        return replace(state, notice=JOB_IS_RUNNING), ()
    prompt = conflict_prompt(row.head, state.conflicts[row.head])
    return replace(state, prompt=prompt), (effects.LoadClash(row),)


def _open(state: AppState) -> tuple[AppState, tuple[Effect, ...]]:
    if state.focus is Focus.DETAIL or not state.rows:
        return state, ()
    row = state.rows[state.index]
    if row.is_broken:
        return _opened(state, row, (row.title,)), ()
    return state, (effects.LoadDetail(row),)


def _opened(state: AppState, row: ListRow, lines: tuple[str, ...]) -> AppState:
    detail = Detail(row, lines).wrapped(state.detail_width)
    return replace(state, detail=detail, focus=Focus.DETAIL)


_MOVES = frozenset(
    {
        KeyAction.UP,
        KeyAction.DOWN,
        KeyAction.PAGE_UP,
        KeyAction.PAGE_DOWN,
        KeyAction.TOP,
        KeyAction.BOTTOM,
    }
)


def _move(state: AppState, action: KeyAction) -> AppState:
    if state.are_notes_open:
        last = max(0, len(state.note_lines) - state.page + 1)
        return replace(state, notes_top=_target(action, state.notes_top, state.page, last))
    if state.focus is Focus.DETAIL and state.detail is not None:
        last = max(0, len(state.detail.lines) - state.page)
        top = min(last, _target(action, state.detail.top, state.page, last))
        return replace(state, detail=replace(state.detail, top=top))
    if not state.rows:
        return state
    last = len(state.rows) - 1
    index = _target(action, state.index, state.page, last)
    return _in_view(replace(state, selected=state.rows[index].order))


def _target(action: KeyAction, at: int, page: int, last: int) -> int:
    target = {
        KeyAction.UP: at - 1,
        KeyAction.DOWN: at + 1,
        KeyAction.PAGE_UP: at - page,
        KeyAction.PAGE_DOWN: at + page,
        KeyAction.TOP: 0,
        KeyAction.BOTTOM: last,
    }[action]
    return max(0, min(last, target))


def _in_view(state: AppState) -> AppState:
    """Return it scrolled as little as possible to show the selected row."""
    if not state.rows:
        return state
    selected = state.selected if state.selected is not None else state.rows[0].order
    index = index_of(state.rows, selected)
    last_top = max(0, len(state.rows) - state.page)
    top = min(max(state.top, index - state.page + 1), index, last_top)
    return replace(state, selected=selected, top=top)
