"""How messages change the state of the app. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

from ticketr import JobSnapshot, terminal
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call, call_in
from ticketr.app.tui.jobs_state import QUIET_TAG, REFRESH_KIND, kind_of, workspace_of
from ticketr.app.tui.keymap import TYPING_CONTEXTS, Context, KeyAction, name_of
from ticketr.app.tui.main.changing import select_added
from ticketr.app.tui.main.moving import on_mouse
from ticketr.app.tui.main.table import cancel_job_or_go_back, main_screen_step
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.questions import YesNoQuestion
from ticketr.app.tui.services import files, jobs, outside
from ticketr.app.tui.services.watching import watch_files
from ticketr.app.tui.state import SWALLOW_TYPED_WORD_SECONDS, AppState, OpenTicket, Panel, Step
from ticketr.text import clean


def update(state: AppState, message: Message | terminal.Event, now: float) -> Step:
    """Return the state after a message, and the effects to carry out.

    Args:
        state: The state before.
        message: The event.
        now: The time of the event, in seconds by Trio's clock.
    """
    state, effects = _handle_message(state, message, now)
    ticket, cells = state.ticket, state.layout.detail_cells
    if (
        ticket is None
        or not ticket.wrapped_to_cells
        or cells in (0, ticket.wrapped_to_cells, ticket.requested_cells)
    ):
        return state, effects
    # The lines of the open ticket are wrapped to another width.
    state, more = _follow_selection(replace(state, ticket=replace(ticket, requested_cells=cells)))
    return state, (*effects, *more)


def _handle_message(state: AppState, message: Message | terminal.Event, now: float) -> Step:
    if isinstance(message, terminal.Key | terminal.Mouse) and not state.overlays:
        workspace = state.workspace.scrolled_to_selected(state.layout.ticket_list_rows)
        if workspace is not state.workspace:  # it goes on from what is drawn
            state = state.with_workspace(workspace)
    match message:
        case terminal.Key(name):
            return _handle_key(state, name, now)
        case terminal.Paste(text):
            if now < state.swallow_keys_until:
                return state, ()
            return _handle_text(state, text, now) or _warn_and_pause_keys(state, "Pasted text", now)
        case terminal.Mouse():
            return on_mouse(state, message, now)
        case messages.JobChanged(snapshot):
            state, effects = _handle_job(state, snapshot, now)
        case messages.SomeTicketRowsRead():
            # The rows are arranged when they are drawn: many of these come between two frames.
            workspace = state.workspace_or_empty(message.workspace)
            rows = workspace.rows.with_tickets(message.tickets)
            edited = workspace.edited_keys | message.edited_keys
            state = state.with_workspace(replace(workspace, rows=rows, edited_keys=edited))
            # The first ticket of a first pull is read; later ones wait for the cursor.
            return _follow_selection(state) if state.ticket is None else (state, ())
        case messages.AutoPullWroteTickets():
            workspace = state.workspace_or_empty(message.workspace)
            changed = workspace.rows.keys_changed_by(message.tickets)
            changed |= workspace.keys_of_unseen_changes
            return state.with_workspace(replace(workspace, keys_of_unseen_changes=changed)), ()
        case messages.FilesRead():
            state, effects = _handle_files_read(state, message, now)
        case messages.SavedListViewRead(name, wanted, sort, hidden):
            return state.with_workspace_changes(
                name, filter=wanted, sort=sort, hidden_columns=hidden
            ), ()
        case messages.DetailRead():
            # The list is older than the folder: the file was moved or removed.
            read = call_in(message.workspace, files.read_files)
            effects = (read,) if message.is_file_gone else ()
            state = _show_detail(state, message)
        case messages.YesNoAsked(title, words, effects):
            # An Enter there answers no question.
            if state.overlays and state.context in TYPING_CONTEXTS:
                return state, ()
            return state.opened(YesNoQuestion(title, words, effects, now)), ()
        case messages.DraftAdded():
            return replace(select_added(state, message), follow_selection_at=now), ()
        case messages.FollowSelectionDue():
            effects = ()
            if now >= state.follow_selection_at:
                state, effects = _follow_selection(replace(state, follow_selection_at=math.inf))
        case terminal.Resize(width, height):
            state = _clamp_detail_scroll(replace(state, width=width, height=height))
            return state, (call(outside.redraw),)
        case terminal.FocusGained() | terminal.Resumed():
            return state, tuple(
                call_in(view.name, files.read_files)
                for view in state.workspaces
                if view.are_files_read
            )
        case messages.WorkspaceOpened():
            state, effects = _handle_opened_workspace(state, message, now)
        case messages.WorkspaceNotOpened(name, words):
            return _show_opening_problem(state, name, words), ()
        case messages.Notice(words, is_error, hints):
            keys = [state.keymap.hint(action, Context.MAIN, does) for action, does in hints]
            named = ", ".join(filter(None, keys))
            return state.with_notice(f"{words}; {named}" if named else words, is_bad=is_error), ()
        case terminal.QuitSignal() | terminal.HungUp():
            return state, (call(outside.request_leave),)
        case _:
            effects = ()
    return _offer_to_overlays_then_caller(state, message, now, effects)


def may_auto_pull(state: AppState, workspace_name: str) -> bool:
    """Return whether a pull of a workspace that nobody has asked for disturbs nobody now.

    It returns False before the first pull, while a job runs, and while an overlay is open.
    """
    workspace = state.workspace_or_empty(workspace_name)
    is_known = workspace.complete_pull_trio_time is not None and not workspace.is_folder_gone
    return is_known and not state.overlays and not state.jobs.unfinished


def _offer_to_overlays_then_caller(
    state: AppState, message: Message, now: float, effects: tuple[ServiceCall, ...]
) -> Step:
    """Offer a message to the overlays, from the top; the first that takes it answers."""
    for overlay in reversed(state.overlays):
        step = overlay.on_message(state, message, now)
        if step is not None:
            return step[0], (*effects, *step[1])
    if not isinstance(message, messages.CallEnded):
        return state, effects
    request, value = message.request, message.value_or_typed
    if not message.problem:
        return request.step_on_success(state, value) if request.step_on_success else (state, ())
    if request.step_on_failure:
        failed: Step = request.step_on_failure(state, message)
        return failed
    return state.with_notice(message.problem, is_bad=True), ()


def _handle_key(state: AppState, name: str, now: float) -> Step:
    if now < state.swallow_keys_until:  # the rest of a typed word
        return replace(state, swallow_keys_until=now + SWALLOW_TYPED_WORD_SECONDS), ()
    ticket, workspace = state.ticket, state.workspace
    changed = workspace.keys_of_unseen_changes
    if ticket is not None and ticket.sheet is not None and ticket.sheet.key in changed:
        changed -= {ticket.sheet.key}  # it was looked at
        state = state.with_workspace(replace(workspace, keys_of_unseen_changes=changed))
    state = replace(state, notice="", is_notice_bad=False)
    action = state.keymap.action(name, state.context)
    if action is not None:
        step = _handle_action(state, action, now)
    else:
        step = _handle_text(state, name, now) if len(name) == 1 else None
    return step or _warn_and_pause_keys(state, name_of(name), now)


def _handle_action(state: AppState, action: KeyAction, now: float) -> Step | None:
    """Return the step of a key with an action; None if it does nothing now."""
    if action is KeyAction.CLOSE:  # it is bound on overlays alone
        action = KeyAction.ESCAPE
    if action is KeyAction.ESCAPE and not state.overlays:
        return cancel_job_or_go_back(state)
    if state.overlays and action not in (KeyAction.QUIT, KeyAction.REDRAW):
        step = state.overlays[-1].on_action(state, action, now)
        if step is not None:
            return step
        if action is KeyAction.ESCAPE:
            return state.top_closed(), ()
        if action is not KeyAction.HELP:
            return None
    return main_screen_step(state, action, now)


def _handle_text(state: AppState, text: str, now: float) -> Step | None:
    """Return the step for typed or pasted text; None where no text is typed."""
    if not state.overlays or state.context not in TYPING_CONTEXTS:
        return None
    return state.overlays[-1].on_text(state, text, now)


def _warn_and_pause_keys(state: AppState, unused: str, now: float) -> Step:
    """Say that what was pressed or pasted does nothing here, and take no keys for a moment."""
    keys = state.keymap.hint(KeyAction.HELP, state.context, "lists the keys", before="; ")
    words = f"{clean(unused)} does nothing here{keys}"
    return state.with_notice_swallowing_keys(words, now), ()


def _handle_job(state: AppState, snapshot: JobSnapshot, now: float) -> Step:
    """Take a snapshot of a job, and read the files that it has changed."""
    if QUIET_TAG in snapshot.tags:
        is_over = snapshot.status.is_terminal and snapshot.started_at is not None
        is_over &= kind_of(snapshot) == REFRESH_KIND  # the others change no file
        return state, (call_in(workspace_of(snapshot), files.read_files),) if is_over else ()
    state = replace(
        state, status=state.status.see(snapshot, now), jobs=state.jobs.with_snapshot(snapshot)
    )
    if not snapshot.status.is_terminal:
        return state, ()
    name = workspace_of(snapshot)
    return state, (call_in(name, files.read_files),) if state.has_workspace(name) else ()


def _handle_files_read(state: AppState, read: messages.FilesRead, now: float) -> Step:
    workspace = state.workspace_or_empty(read.workspace)
    news = [text for text in read.broken_file_errors if text not in workspace.broken_file_errors]
    is_watched = workspace.are_files_read and not workspace.is_folder_gone
    begin = (watch_files, jobs.schedule_auto_pull) if not is_watched else ()
    watch = tuple(call_in(read.workspace, function) for function in begin)
    state = state.with_workspace(workspace.with_files(read, now))
    if news and state.workspace.name == read.workspace:
        more = f" (and {len(news) - 1} more broken files)" if news[1:] else ""
        state = state.with_notice(f"left out: {news[0]}{more}", is_bad=True)
    state, effects = _follow_selection(state)
    return state, (*watch, *effects)


def _handle_opened_workspace(state: AppState, opened: messages.WorkspaceOpened, now: float) -> Step:
    """Show what is known of a workspace now; one that is wanted is selected and pulled."""
    name = opened.workspace
    workspace = replace(
        state.workspace_or_empty(name),
        site=opened.site,
        project=opened.project,
        query_by_alias=opened.query_by_alias,
        keeps_comments=opened.keeps_comments,
        opening_problem="",
    )
    if not state.has_workspace(name):
        state = replace(state, workspaces=(*state.workspaces, workspace))
    state = state.with_workspace(workspace)
    if not opened.is_asked_for:
        return state, ()
    names = [view.name for view in state.workspaces]
    state = replace(
        state, workspace_index=names.index(name), focus=Panel.TICKETS, follow_selection_at=now
    )
    state = _clamp_detail_scroll(state)
    if opened.notice:
        state = state.with_notice(opened.notice)
    pull = call_in(name, jobs.start_job, JobRequest(JobKind.PULL))
    return state, (call_in(name, files.read_files), pull)


def _show_opening_problem(state: AppState, workspace: str, problem: str) -> AppState:
    """Say why a workspace cannot be opened, and close what waits for it."""
    state = state.with_workspace_changes(workspace, opening_problem=problem)
    overlays = tuple(
        overlay for overlay in state.overlays if getattr(overlay, "workspace", "") != workspace
    )
    return replace(state, overlays=overlays).with_notice(f"{workspace}: {problem}", is_bad=True)


def _follow_selection(state: AppState) -> Step:
    """Show the selected ticket as its file is now."""
    row, workspace = state.selected_row, state.workspace
    if row is None:
        return replace(state, ticket=None), ()
    ticket = state.ticket
    wanted = (workspace.name, row.key_order)
    if ticket is None or (ticket.workspace, ticket.row_key_order) != wanted:
        ticket = OpenTicket(*wanted)
    cells = state.layout.detail_cells or state.width
    read = call_in(workspace.name, files.read_detail, row.path, row.key_order, cells)
    return replace(state, ticket=ticket), (read,)


def _show_detail(state: AppState, read: messages.DetailRead) -> AppState:
    ticket, answered = state.ticket, (read.workspace, read.row_key_order)
    if ticket is None or (ticket.workspace, ticket.row_key_order) != answered:
        return state
    tasks = len(read.sheet.issue.tasks) if read.sheet is not None else 0
    task = min(ticket.selected_subtask_index, tasks - 1)
    ticket = replace(
        ticket,
        sheet=read.sheet,
        selected_subtask_index=task,
        wrapped_lines=read.wrapped_lines,
        wrapped_to_cells=read.wrapped_to_cells,
        requested_cells=0,
    )
    return _clamp_detail_scroll(replace(state, ticket=ticket))


def _clamp_detail_scroll(state: AppState) -> AppState:
    """Keep the open ticket scrolled to lines that it has."""
    ticket = state.ticket
    if ticket is None or ticket.sheet is None or not ticket.top:
        return state
    top = min(ticket.top, max(0, len(ticket.wrapped_lines) - state.layout.detail_rows))
    return replace(state, ticket=replace(ticket, top=top))
