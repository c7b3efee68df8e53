"""The palette: finds commands, tickets, people, workspaces and statuses by their names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, final

from ticketr.app.sync import count_tickets
from ticketr.app.tickets import fold
from ticketr.app.tui.effects import JobKind, JobRequest, call_in
from ticketr.app.tui.keymap import DEFAULT_BINDINGS, Context, KeyAction
from ticketr.app.tui.main.changing import counts_of_values
from ticketr.app.tui.main.filtering import JQL_PREFIX, apply_filter_or_query_jira
from ticketr.app.tui.overlays.first_run import FirstRun
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.overlays.questions import ListOverlay, Option, matching_options
from ticketr.app.tui.rows import ListRow
from ticketr.app.tui.services import jobs
from ticketr.app.tui.state import AppState, Panel, Step, show_workspace, unhide_and_select_row
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clean

#: The most entries of tickets that are listed.
MAX_PALETTE_OPTIONS = 50
#: Actions that the palette does not offer as commands: keys that move, Esc, the palette itself.
_KEY_ACTIONS_NOT_IN_PALETTE = {
    *(row.action for row in DEFAULT_BINDINGS if {Context.MAIN, Context.HELP} <= {*row.contexts}),
    *(KeyAction.ESCAPE, KeyAction.PALETTE),
}

#: Words by which people look for a command, beside its own.
_SYNONYMS_BY_ACTION = {
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


def _keyless_commands(state: AppState) -> Iterator[Option]:
    """Yield commands that have no key."""
    row, workspace = state.selected_row, state.workspace
    if row is not None and row.key:
        yield Option(
            f"push {row.key}", "only this ticket", value=partial(_open_push_plan, (row.key,))
        )
        yield Option(f"pull {row.key}", "only this ticket", value=partial(_start_pull, (row.key,)))
    rows = workspace.rows if workspace.chosen_ids else ()  # they are many
    if chosen := tuple(row.key for row in rows if row.id in workspace.chosen_ids and row.key):
        tickets = count_tickets(len(chosen))
        yield Option("push the chosen tickets", tickets, value=partial(_open_push_plan, chosen))
    for word in ("unpushed", "edited", "draft", "conflict", "broken"):
        yield Option(
            f"filter: {word}", f"show only what is {word}", value=partial(_apply_filter, word)
        )
    for name, jql in sorted(workspace.query_by_alias.items()):
        yield Option(
            f"filter: @{name}", clean(jql), value=partial(_apply_filter, f"{JQL_PREFIX} @{name}")
        )
    if workspace.filter.text:
        yield Option("filter: none", "show all tickets", value=partial(_apply_filter, ""))
    connect = Option("connect to Jira", "asks for a login", synonyms="login log in token workspace")
    yield replace(connect, value=lambda state, _: (state.opened(FirstRun()), ()))
    if state.workspaces[1:]:
        count = f"{len(state.workspaces)} workspaces"
        yield Option("pull every workspace", count, value=_pull_every_workspace)


def _ticket_option(row: ListRow) -> Option:
    return Option(
        f"{row.key or 'draft'}  {row.title_or_error}", row.status, value=partial(_go_to_ticket, row)
    )


def _options_to_filter_by_value(state: AppState, field: str) -> Iterator[Option]:
    counts = counts_of_values(state.workspace.rows, field)
    for value, count in sorted((clean(text), count) for text, count in counts.items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        wanted = partial(_apply_filter, f'{field.lower()}="{quoted}"')
        yield Option(value, count_tickets(count), value=wanted)


def _workspace_options(state: AppState) -> Iterator[Option]:
    for at, workspace in enumerate(state.workspaces):
        yield Option(
            clean(workspace.name), clean(workspace.site), value=partial(show_workspace, index=at)
        )


def _go_to_ticket(row: ListRow, state: AppState, now: float) -> Step:
    state = replace(state, focus=Panel.TICKETS, is_detail_wide=False, follow_selection_at=now)
    return unhide_and_select_row(state, row), ()


def _open_push_plan(keys: tuple[str, ...], state: AppState, now: float) -> Step:
    plan = Plan(state.workspace.name, JobKind.PUSH, keys)
    return state.opened(plan), (plan.plan_request,)


def _start_pull(keys: tuple[str, ...], state: AppState, now: float) -> Step:
    request = JobRequest(JobKind.PULL, keys)
    return state, (call_in(state.workspace.name, jobs.start_job, request),)


def _pull_every_workspace(state: AppState, now: float) -> Step:
    request = JobRequest(JobKind.PULL)
    return state, tuple(
        call_in(workspace.name, jobs.start_job, request) for workspace in state.workspaces
    )


def _apply_filter(text: str, state: AppState, now: float) -> Step:
    return apply_filter_or_query_jira(state, text)


@final
@dataclass(frozen=True, slots=True)
class Palette(ListOverlay):
    """The palette. The first character of what is typed may say what is looked for.

    Attributes:
        main_screen_step: Gives the step of a key of the main screen.
    """

    context: ClassVar[Context] = Context.PALETTE
    typing_hint: ClassVar[str] = "# ticket   @ person   ~ workspace   = status"
    inner_cells: ClassVar[int] = 66
    min_list_rows: ClassVar[int] = MAX_PALETTE_OPTIONS

    title: str = field(default=":", init=False)
    main_screen_step: Callable[[AppState, KeyAction, float], Step | None]

    def matching_options(self, state: AppState) -> Sequence[Option]:
        """Return commands, or the tickets, people, workspaces or statuses that fit."""
        kind, words = _split_prefix(self.input.text)
        match kind:
            case "#":
                rows = state.workspace.rows.find_by_name(fold(words), MAX_PALETTE_OPTIONS)
                return [*map(_ticket_option, rows)]
            case "@":
                options = _options_to_filter_by_value(state, "Assignee")
            case "=":
                options = _options_to_filter_by_value(state, "Status")
            case "~":
                options = _workspace_options(state)
            case _:
                options = self._command_options(state)
        return matching_options(options, words)[:MAX_PALETTE_OPTIONS]

    def accept(self, state: AppState, option: Option, now: float) -> Step:
        """Run what an option does."""
        nothing = state.with_notice(f"{option.label}: nothing to do here")
        return option.value(state, now) or (nothing, ())

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, complete, or run the selected entry."""
        if action is KeyAction.NEXT_PANEL and (options := self.matching_options(state)):
            option = options[min(self.option_index, len(options) - 1)]
            completed = TextInput.of(f"{_split_prefix(self.input.text)[0]}{option.label}")
            return state.top_replaced(replace(self, input=completed, option_index=0)), ()
        return ListOverlay.on_action(self, state, action, now)

    def _command_options(self, state: AppState) -> Iterator[Option]:
        seen = {*_KEY_ACTIONS_NOT_IN_PALETTE}
        bindings = state.keymap.bindings_by_context[Context.TICKETS]
        for row in bindings.all_bindings:
            if row.action not in seen:
                seen.add(row.action)
                run = partial(self._run_command, row.action)
                name = row.name_in_settings.replace("-", " ")
                also = f"{name} {_SYNONYMS_BY_ACTION.get(row.action, '')}"
                yield Option(row.help, bindings.effective_key_names(row), value=run, synonyms=also)
        yield from _keyless_commands(state)

    def _run_command(self, action: KeyAction, state: AppState, now: float) -> Step | None:
        return self.main_screen_step(state, action, now)


def _split_prefix(text: str) -> tuple[str, str]:
    """Return the character that says what is looked for, or nothing, and the words."""
    return (text[0], text[1:]) if text[:1] in {"#", "@", "~", "="} else ("", text)
