"""The palette: finds commands, tickets, people, workspaces and statuses by their names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, TypeAlias, final

from ticketr.app.config import ListMemory
from ticketr.app.tickets import InvalidFilter, fold, parse_filter
from ticketr.app.tui.effects import JobKind, JobRequest, call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import Overlay, target
from ticketr.app.tui.overlays.choice import fitting, list_box
from ticketr.app.tui.overlays.first_run import FirstRun
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.overlays.questions import JQL, LoadingKeys
from ticketr.app.tui.rows import ListRow
from ticketr.app.tui.services import files, jobs
from ticketr.app.tui.state import AppState, Panel, Step, show_row, show_workspace
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.text_input import TextInput
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.text import clean

#: The most entries of tickets that are listed.
MOST_TICKETS = 50
#: Actions that are not commands of their own.
_NO_COMMANDS = frozenset(
    (
        KeyAction.UP,
        KeyAction.DOWN,
        KeyAction.PAGE_UP,
        KeyAction.PAGE_DOWN,
        KeyAction.HALF_UP,
        KeyAction.HALF_DOWN,
        KeyAction.TOP,
        KeyAction.BOTTOM,
        KeyAction.ESCAPE,
        KeyAction.PALETTE,
    )
)

#: Words by which people look for a command, beside its own.
_ALSO = {
    KeyAction.ASSIGN: "assignee person me",
    KeyAction.STATUS: "transition move",
    KeyAction.LABELS: "tag",
    KeyAction.LOG_IN: "login connect",
    KeyAction.SPRINT: "iteration",
    KeyAction.COMMENT: "note",
    KeyAction.RELOAD: "refresh",
    KeyAction.PULL: "refresh fetch",
    KeyAction.BROWSER: "web",
    KeyAction.ATTACH: "attachment upload",
    KeyAction.WORKLOG: "time tracking",
    KeyAction.SELECT: "mark",
}

#: Gives the step of a key of the main screen.
RunAction: TypeAlias = "Callable[[AppState, KeyAction, float], Step | None]"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that the palette can do.

    Attributes:
        name: What it is, cleaned.
        facts: What is at the right: its key, or how much it concerns.
        run: Returns the step; None if it does nothing.
        words: Other words by which it is found.
    """

    name: str
    facts: str
    run: Callable[[AppState, float], Step | None]
    words: str = ""


def entries_of(state: AppState, text: str, run_action: RunAction) -> tuple[Entry, ...]:
    """Return the entries that fit a text.

    Args:
        state: The state.
        text: What is typed: words of a command, or ``#``, ``@``, ``~`` or ``=`` and words of a
            ticket, a person, a workspace or a status.
        run_action: Gives the step of a key of the main screen.
    """
    kind, words = (text[0], text[1:]) if text[:1] in {"#", "@", "~", "="} else ("", text)
    if kind == "#":
        return tuple(map(_ticket, state.workspace.rows.named(fold(words), MOST_TICKETS)))
    lists = {"@": _people, "~": _workspaces, "=": _statuses}
    entries = lists[kind](state) if kind else _commands(state, run_action)
    found = fitting(entries, words, lambda entry: (entry.name, entry.words))
    return tuple(found[:MOST_TICKETS])


def _commands(state: AppState, run_action: RunAction) -> Iterator[Entry]:
    seen = set[KeyAction]()
    for row in state.keymap.in_context(Context.TICKETS):
        if row.action in _NO_COMMANDS or row.action in seen:
            continue
        seen.add(row.action)
        run = partial(_run_with_state, run_action, row.action)
        yield Entry(
            row.help,
            row.shown,
            run,
            words=f"{row.name.replace('-', ' ')} {_ALSO.get(row.action, '')}",
        )
    yield from _keyless_commands(state)


def _run_with_state(
    run_action: RunAction, action: KeyAction, state: AppState, now: float
) -> Step | None:
    """Run an action; the state comes behind the action, so that `partial` can leave it open."""
    return run_action(state, action, now)


def _keyless_commands(state: AppState) -> Iterator[Entry]:
    """Yield commands that have no key."""
    row, workspace = state.row, state.workspace
    if row is not None and row.key:
        yield Entry(f"push {row.key}", "only this ticket", partial(_plan, (row.key,)))
        yield Entry(f"pull {row.key}", "only this ticket", partial(_pull, (row.key,)))
    if chosen := _chosen_keys(workspace):
        yield Entry("push the chosen tickets", f"{len(chosen)} tickets", partial(_plan, chosen))
    for word in ("unpushed", "edited", "draft", "conflict", "broken"):
        yield Entry(f"filter: {word}", f"show only what is {word}", partial(_filter, word))
    for name, text in sorted(workspace.saved.items()):
        yield Entry(f"filter: {clean(name)}", clean(text), partial(_use, text))
    for name, jql in sorted(workspace.aliases.items()):
        yield Entry(f"filter: @{name}", clean(jql), partial(_ask, f"@{name}"))
    if workspace.filter.text:
        yield Entry("filter: none", "show all tickets", partial(_filter, ""))
    yield Entry(
        "connect to Jira", "asks for a login", _connect, words="login log in token workspace"
    )
    if state.workspaces[1:]:
        count = f"{len(state.workspaces)} workspaces"
        yield Entry("pull every workspace", count, _pull_all)


def _connect(state: AppState, now: float) -> Step:
    return state.opened(FirstRun()), ()


def _chosen_keys(workspace: WorkspaceView) -> tuple[str, ...]:
    if not workspace.chosen:  # the rows are many
        return ()
    return tuple(row.key for row in workspace.rows if row.id in workspace.chosen and row.key)


def _ticket(row: ListRow) -> Entry:
    return Entry(f"{row.key or 'draft'}  {row.title}", row.status, partial(_go_to, row))


def _people(state: AppState) -> Iterator[Entry]:
    return _values(state, "Assignee")


def _statuses(state: AppState) -> Iterator[Entry]:
    return _values(state, "Status")


def _values(state: AppState, name: str) -> Iterator[Entry]:
    for value, count in sorted(state.workspace.rows.values(name).items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        yield Entry(value, f"{count} tickets", partial(_filter, f'{name.lower()}="{quoted}"'))


def _workspaces(state: AppState) -> Iterator[Entry]:
    for at, workspace in enumerate(state.workspaces):
        yield Entry(clean(workspace.name), clean(workspace.site), partial(_show, at))


def _filter(text: str, state: AppState, now: float) -> Step:
    workspace = replace(state.workspace, filter=parse_filter(text, state.workspace.names), top=0)
    state = replace(state.with_workspace(workspace), rest_until=now)
    memory = ListMemory(workspace.filter.text, workspace.sort, hidden=workspace.hidden)
    return state, (call_in(workspace.name, files.remember, memory, ""),)


def _use(text: str, state: AppState, now: float) -> Step:
    """Show a saved filter, which may be a query of Jira."""
    begin, _, rest = text.partition(":")
    if f"{begin.lower()}:" == JQL and rest.strip():
        return _ask(rest.strip(), state, now)
    try:
        return _filter(text, state, now)
    except InvalidFilter as error:  # another version saved it
        return state.noticed(str(error), is_bad=True), ()


def _ask(jql: str, state: AppState, now: float) -> Step:
    asking = LoadingKeys(state.workspace.name, jql)
    return state.opened(asking), (asking.asked,)


def _go_to(row: ListRow, state: AppState, now: float) -> Step:
    state = replace(state, focus=Panel.TICKETS, is_zoomed=False, rest_until=now)
    return show_row(state, row), ()


def _show(at: int, state: AppState, now: float) -> Step:
    return show_workspace(state, at, now)


def _plan(keys: tuple[str, ...], state: AppState, now: float) -> Step:
    plan = Plan(state.workspace.name, JobKind.PUSH, keys)
    return state.opened(plan), (plan.asked,)


def _pull(keys: tuple[str, ...], state: AppState, now: float) -> Step:
    request = JobRequest(JobKind.PULL, keys=keys)
    return state, (call_in(state.workspace.name, jobs.start_job, request),)


def _pull_all(state: AppState, now: float) -> Step:
    request = JobRequest(JobKind.PULL)
    return state, tuple(
        call_in(workspace.name, jobs.start_job, request) for workspace in state.workspaces
    )


HINT = "# ticket   @ person   ~ workspace   = status"


@final
@dataclass(frozen=True, slots=True)
class Palette(Overlay):
    """The palette.

    Attributes:
        run_action: Gives the step of a key of the main screen.
        input: What is typed; its first character may say what is looked for.
        at: The index of the selected entry.
    """

    context: ClassVar[Context] = Context.PALETTE
    is_full: ClassVar[bool] = False

    run_action: RunAction
    input: TextInput = field(default_factory=TextInput)
    at: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, complete, or run the selected entry."""
        entries = entries_of(state, self.input.text, self.run_action)
        at = min(self.at, max(0, len(entries) - 1))
        if action is KeyAction.ACCEPT:
            if not entries:
                return state.noticed("Nothing of that name"), ()
            return _run(state, entries[at], now)
        if action is KeyAction.NEXT_PANEL and entries:
            text = self.input.text[:1] if self.input.text[:1] in "#@~=" else ""
            completed = TextInput.of(f"{text}{entries[at].name}")
            return state.replaced(replace(self, input=completed)), ()
        edited = self.input.edited(action)
        if edited is not None:
            return state.replaced(Palette(self.run_action, edited)), ()
        to = target(action, at, 8, max(0, len(entries) - 1))
        return None if to is None else (state.replaced(replace(self, at=to)), ())

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return state.replaced(Palette(self.run_action, self.input.typed(text))), ()

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(66, max(16, state.width - 6))
        entries = entries_of(state, self.input.text, self.run_action)
        at = min(self.at, max(0, len(entries) - 1))
        return list_box(
            state,
            below,
            ":",
            self.input,
            entries,
            _line,
            at,
            cells,
            theme,
            most=MOST_TICKETS,
            hint=HINT,
        )


def _line(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.facts


def _run(state: AppState, entry: Entry, now: float) -> Step:
    closed = state.closed()
    return entry.run(closed, now) or (closed.noticed(f"{entry.name}: nothing to do here"), ())
