"""What the app knows, and how it answers what happens. Pure: no waiting, no clock, no screen."""

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
from ticketr.tui.rows import IssueRow, Order, index_of, merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr import JobSnapshot
    from ticketr.tui.effects import Effect
    from ticketr.tui.messages import Message

#: On every job between the workspace and Jira.
JIRA_JOB_TAG = "work"
REFUSED = "A job is running already; Esc cancels it"
NO_CONFLICT = "This ticket has no conflict"
BROKEN = "Edit this file until nothing is wrong with it, then sync"
NO_NOTES = "The last job has nothing to say of single tickets"
#: Rows around the body: the title above, the action bar and the status line below.
CHROME = 3
#: From this width on, list and detail stand side by side.
TWO_PANELS = 100


class Focus(Enum):
    """Which panel the keys that move speak to."""

    LIST = "list"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Detail:
    """A ticket that is open for reading.

    Attributes:
        row: Its row.
        text: Its lines, clean, as they are in the file.
        lines: The same, broken to fit their panel.
        top: The first of these that is shown.
    """

    row: IssueRow
    text: tuple[str, ...]
    lines: tuple[str, ...] = ()
    top: int = 0

    def wrapped(self, cells: int) -> Detail:
        """Break the text to fit a panel of so many cells, a margin included."""
        lines = tuple(line for each in self.text for line in wrap(each, cells - 2))
        return replace(self, lines=lines, top=min(self.top, max(0, len(lines) - 1)))


@dataclass(frozen=True, slots=True)
class AppState:
    """Everything that the screen shows, and nothing else.

    Attributes:
        width: Of the terminal, in cells.
        height: Likewise.
        title: What the first row says: the workspace.
        rows: The issues, in order.
        selected: The order of the selected row; rows may move, the selection stays with it.
        top: Index of the first row shown.
        focus: Which panel has the keys.
        detail: The open ticket, if one is.
        is_help_open: Whether the help covers the rest.
        are_notes_open: Whether what there is to look at covers the rest.
        notes: Why the last job failed, or what it said of single tickets, clean.
        notes_top: The first line of what there is to look at that is shown.
        question: What waits for an answer, if anything does.
        edited: Keys of issues that were edited here since the last sync.
        conflicts: For each ticket that both sides have changed, what clashes.
        broken: What is wrong with files, clean, a line a file.
        status: What the status line knows.
        notice: A word to the user, until the next key.
        working: The ID of the running or pending job with Jira; empty if there is none.
    """

    width: int = 80
    height: int = 24
    title: str = ""
    rows: tuple[IssueRow, ...] = ()
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
        """How many rows the body has."""
        return max(1, self.height - CHROME)

    @property
    def to_look_at(self) -> tuple[str, ...]:
        """Broken files, since nothing goes on while there are some, then what the last job said."""
        return (*(f"broken: {each}" for each in self.broken), *self.notes)

    @property
    def note_lines(self) -> tuple[str, ...]:
        """What there is to look at, cut into lines that fit the screen."""
        cells = max(1, self.width - 3)
        return tuple(line for each in self.to_look_at for line in wrap(each, cells))

    @property
    def list_width(self) -> int:
        """How many cells the list has."""
        return self.width * 2 // 5 if self.width >= TWO_PANELS else self.width

    @property
    def detail_width(self) -> int:
        """How many cells an open ticket has: beside the list, or instead of it."""
        return self.width - self.list_width - 1 if self.width >= TWO_PANELS else self.width

    @property
    def index(self) -> int:
        """The index of the selected row; 0 where there is none."""
        return 0 if self.selected is None else index_of(self.rows, self.selected)

    def row_of(self, order: Order) -> IssueRow | None:
        """The row at just this place, if there is one."""
        found = self.rows[index_of(self.rows, order)] if self.rows else None
        return found if found is not None and found.order == order else None

    def with_text(self, row: IssueRow, text: tuple[str, ...]) -> AppState:
        """Return the open ticket its text as it is now, unless another one is open meanwhile."""
        if self.detail is None or self.detail.row.order != row.order:
            return self
        detail = replace(self.detail, row=row, text=text)
        return replace(self, detail=detail.wrapped(self.detail_width))


def update(state: AppState, message: Message, now: float) -> tuple[AppState, tuple[Effect, ...]]:
    """Answer a message.

    Args:
        state: What is.
        message: What happened.
        now: When, in seconds by Trio's clock.

    Returns:
        What is now, and what is to be done about it.
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
        case messages.WritesCounted(work, writes, lost):
            if state.broken:  # no job would get further than to say so
                return replace(state, notice=notice_of(state.broken)), ()
            if state.working:  # asked for twice while it was counted
                return replace(state, notice=REFUSED), ()
            asked = writes if writes > CONFIRM_ABOVE else 0
            if asked or lost:
                return replace(state, prompt=writes_prompt(work, asked, lost)), ()
            return state, (effects.StartJob(work),)
        case messages.DetailLoaded(row, lines):
            return _opened(state, row, lines), ()
        case messages.ClashLoaded(row, lines):
            return state if state.prompt is None else _opened(state, row, lines), ()
        case messages.DetailReread(row, lines):
            return state.with_text(row, lines), ()
        case messages.Resized(width, height):
            return _resized(state, width, height), (effects.Redraw(),)
        case messages.CameBack():
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
    # A draft that has got its key has another row; its text stays until it is left.
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
        return _answer(state, state.prompt, name)
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
    if action in _WORK:
        return _work(state, _WORK[action])
    if action is KeyAction.RESOLVE:
        return _resolve(state)
    if action is KeyAction.OPEN:
        return _open(state)
    return _move(state, action), ()


def _escape(state: AppState) -> tuple[AppState, tuple[Effect, ...]]:
    """Close what is open, else cancel what runs, else go back: never two of these at once."""
    if state.is_help_open or state.are_notes_open:
        return replace(state, is_help_open=False, are_notes_open=False), ()
    if state.status.named_job is not None:
        return state, (effects.CancelJob(state.status.named_job),)
    return replace(state, focus=Focus.LIST), ()


def _notes(state: AppState) -> AppState:
    if not state.to_look_at:
        return replace(state, notice=NO_NOTES)
    is_open = not state.are_notes_open
    return replace(state, are_notes_open=is_open, is_help_open=False, notes_top=0)


def _answer(state: AppState, prompt: Prompt, name: str) -> tuple[AppState, tuple[Effect, ...]]:
    """Take the answer to a question; any key that is none leaves it open, Esc is always one."""
    focus = Focus.LIST if prompt.covers_list else state.focus
    answered = replace(state, prompt=None, focus=focus)
    if name == "KEY_ESCAPE":
        return answered, ()
    choice = prompt.choice(name)
    if choice is None:
        action = key_action(name)
        if action in _MOVES and state.focus is Focus.DETAIL:  # what is asked about may be long
            return _move(state, action), ()
        return state, ()
    return answered, choice.effects


_WORK = {KeyAction.PULL: JobKind.PULL, KeyAction.PUSH: JobKind.PUSH, KeyAction.SYNC: JobKind.SYNC}


def _work(state: AppState, work: JobKind) -> tuple[AppState, tuple[Effect, ...]]:
    if state.working:
        return replace(state, notice=REFUSED), ()
    if work is JobKind.PULL:
        return state, (effects.StartJob(work),)
    return state, (effects.CountWrites(work),)


def _resolve(state: AppState) -> tuple[AppState, tuple[Effect, ...]]:
    row = state.rows[state.index] if state.rows else None
    if row is None or row.head not in state.conflicts:
        # The markers of a conflict that was settled with both versions may stand in it.
        is_broken = row is not None and row.is_broken
        return replace(state, notice=BROKEN if is_broken else NO_CONFLICT), ()
    if state.working:
        return replace(state, notice=REFUSED), ()
    prompt = conflict_prompt(row.head, state.conflicts[row.head])
    return replace(state, prompt=prompt), (effects.LoadClash(row),)


def _open(state: AppState) -> tuple[AppState, tuple[Effect, ...]]:
    if state.focus is Focus.DETAIL or not state.rows:
        return state, ()
    row = state.rows[state.index]
    if row.is_broken:
        return _opened(state, row, (row.title,)), ()
    return state, (effects.LoadDetail(row),)


def _opened(state: AppState, row: IssueRow, lines: tuple[str, ...]) -> AppState:
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
    """Scroll as little as it takes to show the selected row."""
    if not state.rows:
        return state
    selected = state.selected if state.selected is not None else state.rows[0].order
    index = index_of(state.rows, selected)
    last_top = max(0, len(state.rows) - state.page)
    top = min(max(state.top, index - state.page + 1), index, last_top)
    return replace(state, selected=selected, top=top)
