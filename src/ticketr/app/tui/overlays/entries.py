"""The entries of the palette. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from ticketr.app.tickets import InvalidFilter, fold, parse_filter
from ticketr.app.tui import effects
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.navigation import show_row, show_workspace
from ticketr.app.tui.overlays.asking import JQL, AskingKeys
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.state import AppState, Panel
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.tui.rows import ListRow
    from ticketr.app.tui.step import Step

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

#: Gives the step of a key of the main screen.
RunAction: TypeAlias = "Callable[[AppState, KeyAction, float], Step | None]"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that the palette can do.

    Attributes:
        name: What it is, cleaned.
        facts: What is at the right: its key, or how much it concerns.
        run: Returns the step; None if it does nothing.
        refused: Why it cannot be done now; empty if it can.
        words: Other words by which it is found.
    """

    name: str
    facts: str
    run: Callable[[AppState, float], Step | None]
    refused: str = ""
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
    wanted = fold(words).split()
    fitting = [
        entry
        for entry in entries
        if all(word in fold(f"{entry.name} {entry.words}") for word in wanted)
    ]
    # An entry that begins with what was typed is what is looked for.
    start = fold(words).strip()
    fitting.sort(
        key=lambda entry: (
            not fold(entry.name).startswith(start) and not entry.words.startswith(start)
        )
    )
    return tuple(fitting[:MOST_TICKETS])


def _commands(state: AppState, run_action: RunAction) -> Iterator[Entry]:
    seen = set[KeyAction]()
    for row in state.keymap.in_context(Context.TICKETS):
        if row.action in _NO_COMMANDS or row.action in seen:
            continue
        seen.add(row.action)
        run = partial(_run_with_state, run_action, row.action)
        yield Entry(row.help, row.shown, run, words=row.name.replace("-", " "))
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
    if state.workspaces[1:]:
        count = f"{len(state.workspaces)} workspaces"
        yield Entry("pull every workspace", count, _pull_all)


def _chosen_keys(workspace: WorkspaceView) -> tuple[str, ...]:
    if not workspace.chosen:  # the rows are many
        return ()
    return tuple(row.key for row in workspace.rows if row.id in workspace.chosen and row.key)


def _ticket(row: ListRow) -> Entry:
    return Entry(f"{row.key or 'draft'}  {row.title}", row.status, partial(_go_to, row))


def _people(state: AppState) -> Iterator[Entry]:
    yield from _values((block.assignees for block in state.workspace.rows.blocks), "assignee")


def _statuses(state: AppState) -> Iterator[Entry]:
    yield from _values((block.statuses for block in state.workspace.rows.blocks), "status")


def _values(counts: Iterable[Counter[str]], name: str) -> Iterator[Entry]:
    total = Counter[str]()
    for counter in counts:
        total.update(counter)
    del total[""]
    for value, count in sorted(total.items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        yield Entry(value, f"{count} tickets", partial(_filter, f'{name}="{quoted}"'))


def _workspaces(state: AppState) -> Iterator[Entry]:
    for at, workspace in enumerate(state.workspaces):
        yield Entry(clean(workspace.name), clean(workspace.site), partial(_show, at))


def _filter(text: str, state: AppState, now: float) -> Step:
    workspace = replace(state.workspace, filter=parse_filter(text), top=0)
    state = replace(state.with_workspace(workspace), rest_until=now)
    remember = effects.Remember(workspace.name, workspace.filter.text, workspace.sort)
    return state, (remember,)


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
    name = state.workspace.name
    return state.opened(AskingKeys(name, jql)), (effects.AskKeys(name, jql),)


def _go_to(row: ListRow, state: AppState, now: float) -> Step:
    state = replace(state, focus=Panel.TICKETS, is_zoomed=False, rest_until=now)
    return show_row(state, row), ()


def _show(at: int, state: AppState, now: float) -> Step:
    return show_workspace(state, at, now)


def _plan(keys: tuple[str, ...], state: AppState, now: float) -> Step:
    name = state.workspace.name
    plan = Plan(JobKind.PUSH, name, keys)
    return state.opened(plan), (effects.ReadPlan(name, JobKind.PUSH, keys),)


def _pull(keys: tuple[str, ...], state: AppState, now: float) -> Step:
    request = JobRequest(JobKind.PULL, keys=keys)
    return state, (effects.StartJob(state.workspace.name, request),)


def _pull_all(state: AppState, now: float) -> Step:
    request = JobRequest(JobKind.PULL)
    return state, tuple(effects.StartJob(workspace.name, request) for workspace in state.workspaces)
