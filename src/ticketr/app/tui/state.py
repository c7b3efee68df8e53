"""The state of the app. Pure: no waiting, no clock, no screen.

`update.update` turns messages into new states; `screen.draw_screen` draws a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ticketr import JobSnapshot
from ticketr.app.tui.effects import ServiceCall, call_in
from ticketr.app.tui.jobs_state import JobEnd, JobsState, end_of, workspace_of
from ticketr.app.tui.keymap import Context, KeyMap
from ticketr.app.tui.rows import ListRow, RowSortKey
from ticketr.app.tui.services.files import read_files
from ticketr.app.tui.sheet import DetailLine, IssueSheet
from ticketr.app.tui.workspace import NO_FILTER, WorkspaceView
from ticketr.statusline import StatusModel
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobID
    from ticketr.app.tui.overlays.base import Overlay


def show_workspace(state: AppState, now: float, *, index: int) -> Step:
    """Show the tickets of another workspace; its files are read if they were not yet."""
    state = replace(state, workspace_index=index, follow_selection_at=now + SELECTION_DELAY_SECONDS)
    workspace = state.workspace
    return state, () if workspace.are_files_read else (call_in(workspace.name, read_files),)


def unhide_and_select_row(state: AppState, row: ListRow) -> AppState:
    """Select a row; a filter that hides it is taken off, and folds are opened."""
    workspace = state.workspace
    if all(visible_row.row.key_order != row.key_order for visible_row in workspace.visible.rows):
        workspace = replace(workspace, filter=NO_FILTER, folded_ids=frozenset())
    return state.with_workspace(replace(workspace, selected_row_key_order=row.key_order))


def select_row(state: AppState, index: int, now: float) -> AppState:
    """Select a visible row of the list; the open ticket follows after a rest."""
    state = state.with_workspace(state.workspace.select(index))
    return replace(state, follow_selection_at=now + SELECTION_DELAY_SECONDS)


#: The state after something, and the effects to carry out.
Step: TypeAlias = "tuple[AppState, tuple[ServiceCall, ...]]"
#: Gives the step of an action on the main screen; None if it does nothing now.
Handler: TypeAlias = "Callable[[AppState, float], Step | None]"


#: Seconds of rest after which the open ticket follows the cursor.
SELECTION_DELAY_SECONDS = 0.08
#: The end of a rest that is over: the open ticket follows at once.
FOLLOW_AT_ONCE_TIME = 0.0
#: Seconds for which keys are not taken after a key that does nothing: somebody types words.
SWALLOW_TYPED_WORD_SECONDS = 0.1


class Panel(Enum):
    """A panel of the main screen; its value is the context of its keys."""

    WORKSPACES = Context.WORKSPACES
    TICKETS = Context.TICKETS
    DETAIL = Context.DETAIL


#: From this width on, the list and the open ticket are side by side.
MIN_SIDE_BY_SIDE_WIDTH = 80
#: The width of a list in which a title has 30 cells; the open ticket has the rest.
MIN_LIST_CELLS = 50
#: The width of an open ticket with two columns of fields. From here on, the list grows first, until
#: it has room for all its columns, then both grow.
TWO_FIELD_COLUMNS_CELLS = 46
#: From this height on, the workspaces have a panel of their own above the tickets.
MIN_HEIGHT_WITH_WORKSPACES = 14
#: From this height on, a rule separates the body from the two lines below it.
MIN_HEIGHT_WITH_RULE = 12
#: The most rows for workspaces; their panel scrolls.
MAX_WORKSPACE_ROWS = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of the screen's parts, in cells and rows.

    Attributes:
        body_rows: The rows between the first line and the lines at the bottom.
        has_rule_below_body: Whether a rule is below the body.
        list_cells: The width of the list; 0 where only the open ticket is shown.
        detail_cells: The width of the open ticket; 0 where only the list is shown.
        workspace_rows: The rows of workspaces; 0 where their panel is hidden.
        ticket_list_rows: The rows of the list of tickets.
        detail_rows: The rows of the open ticket.
    """

    body_rows: int
    has_rule_below_body: bool
    list_cells: int
    detail_cells: int
    workspace_rows: int
    ticket_list_rows: int
    detail_rows: int

    @property
    def workspaces_panel_rows(self) -> int:
        """The rows of the workspaces' panel, its title included."""
        return self.workspace_rows + 1 if self.workspace_rows else 0


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """The ticket in the panel at the right.

    Attributes:
        workspace: The name of its workspace.
        row_key_order: The `ListRow.key_order` of its row.
        sheet: The ticket; None until it has been read.
        top: The index of the first line that is shown.
        selected_subtask_index: The index of the selected sub-task; -1 for none.
        wrapped_lines: Its lines, which were wrapped in a thread.
        wrapped_to_cells: The width of the panel that they were wrapped to; 0 until it has been read.
        requested_cells: The width of another panel for which its lines were requested; 0 for none.
        search: What is searched in its text, as it was typed; empty for nothing.
        match_index: The index of the match that was gone to last.
    """

    workspace: str
    row_key_order: RowSortKey
    sheet: IssueSheet | None = None
    top: int = 0
    selected_subtask_index: int = -1
    wrapped_lines: tuple[DetailLine, ...] = field(default=(), repr=False)
    wrapped_to_cells: int = 0
    requested_cells: int = 0
    search: str = ""
    match_index: int = 0


@dataclass(frozen=True)
class AppState:
    """Everything that the screen shows.

    Attributes:
        width: The terminal's width, in cells.
        height: The terminal's height, in cells.
        workspaces: The workspaces; none only in the first run.
        workspace_index: The index of the workspace whose tickets are shown.
        focus: The panel that has the keys.
        is_detail_wide: Whether the open ticket has the whole width.
        ticket: The open ticket, if any.
        follow_selection_at: The time at which the open ticket follows the cursor; infinity for never.
        overlays: What lies over the main screen, the top one last.
        jobs: The jobs of the queue.
        status: The model of the status line.
        keymap: The keys.
        notice: What the action bar says until the next key; empty for the hints of keys.
        is_notice_bad: Whether the notice is of something that failed.
        swallow_keys_until: The time until which keys are not taken.
        can_start_sandbox: Whether a Jira with made-up tickets can be started on this machine.
    """

    width: int = 80
    height: int = 24
    workspaces: tuple[WorkspaceView, ...] = ()
    workspace_index: int = 0
    focus: Panel = Panel.TICKETS
    is_detail_wide: bool = False
    ticket: OpenTicket | None = None
    follow_selection_at: float = math.inf
    overlays: tuple[Overlay, ...] = ()
    jobs: JobsState = field(default_factory=JobsState)
    status: StatusModel = field(default_factory=StatusModel)
    keymap: KeyMap = field(default=KeyMap())
    notice: str = ""
    is_notice_bad: bool = False
    swallow_keys_until: float = -math.inf
    can_start_sandbox: bool = True

    @property
    def workspace(self) -> WorkspaceView:
        """The workspace whose tickets are shown; an empty one if there is none."""
        return self.workspaces[self.workspace_index] if self.workspaces else WorkspaceView("")

    @property
    def selected_row(self) -> ListRow | None:
        """The selected row of the list."""
        return self.workspace.selected_row

    @property
    def job_to_cancel(self) -> JobID | None:
        """The job that Esc cancels: the one that the status line names, else one about to start."""
        if self.status.named_job is not None:
            return self.status.named_job
        return next((job.id for job in self.jobs.waiting if job.waiting_for == "worker"), None)

    @property
    def wants_workspaces_panel(self) -> bool:
        """Whether the panel of the workspaces is of use: one alone is named in the first line."""
        return len(self.workspaces) > 1 or self.focus is Panel.WORKSPACES

    @cached_property
    def layout(self) -> Layout:
        """The parts of the screen, and their sizes."""
        width = self.width
        has_rule_below_body = self.height >= MIN_HEIGHT_WITH_RULE
        body = max(1, self.height - 3 - has_rule_below_body)
        if self.focus is Panel.DETAIL and (self.is_detail_wide or width < MIN_SIDE_BY_SIDE_WIDTH):
            left, right = 0, width
        elif width >= MIN_SIDE_BY_SIDE_WIDTH:
            left = max(MIN_LIST_CELLS, min(width - 1 - TWO_FIELD_COLUMNS_CELLS, width // 2 + 23))
            right = width - left - 1
        else:
            left, right = width, 0
        shown = 0
        if self.wants_workspaces_panel and self.height >= MIN_HEIGHT_WITH_WORKSPACES:
            shown = min(len(self.workspaces), MAX_WORKSPACE_ROWS)
        above = shown + 1 if shown else 0  # with its title
        return Layout(
            body_rows=body,
            has_rule_below_body=has_rule_below_body,
            list_cells=left,
            detail_cells=right,
            workspace_rows=shown,
            ticket_list_rows=max(1, body - above - 1),
            detail_rows=max(1, body - 1),
        )

    @property
    def context(self) -> Context:
        """The place whose keys have a meaning."""
        return self.overlays[-1].context if self.overlays else self.focus.value

    def job_end(self, snapshot: JobSnapshot) -> JobEnd:
        """Return what has become of a job that has ended."""
        conflicts = self.workspace_or_empty(workspace_of(snapshot)).conflicts_by_key
        return end_of(snapshot, self.keymap, conflicts.keys())

    def has_workspace(self, name: str) -> bool:
        """Return whether there is a workspace of that name."""
        return any(workspace.name == name for workspace in self.workspaces)

    def workspace_or_empty(self, name: str) -> WorkspaceView:
        """Return the workspace of that name; if no workspace has it, a new one without tickets."""
        views = (workspace for workspace in self.workspaces if workspace.name == name)
        return next(views, WorkspaceView(name))

    def with_workspace_changes(self, name: str, **changes: Any) -> AppState:
        """Return the state with a workspace changed; the same state if no workspace has that name."""
        return self.with_workspace(replace(self.workspace_or_empty(name), **changes))

    def with_workspace(self, workspace: WorkspaceView) -> AppState:
        """Return the state with a workspace's new state."""
        views = (workspace if view.name == workspace.name else view for view in self.workspaces)
        return replace(self, workspaces=tuple(views))

    def opened(self, overlay: Overlay) -> AppState:
        """Return the state with one more overlay on top."""
        return replace(self, overlays=(*self.overlays, overlay))

    def opened_below_others(self, overlay: Overlay) -> AppState:
        """Return the state with an overlay opened again, below those that were opened since."""
        return replace(self, overlays=(overlay, *self.overlays))

    def top_replaced(self, overlay: Overlay) -> AppState:
        """Return the state with another overlay in place of the top one."""
        return replace(self, overlays=(*self.overlays[:-1], overlay))

    def overlay_replaced(self, old: Overlay, new: Overlay) -> AppState:
        """Return the state with another overlay in place of one, wherever that is."""
        overlays = tuple(new if overlay is old else overlay for overlay in self.overlays)
        return replace(self, overlays=overlays)

    def top_closed(self) -> AppState:
        """Return the state without the top overlay."""
        return replace(self, overlays=self.overlays[:-1])

    def without_overlay(self, overlay: Overlay) -> AppState:
        """Return the state without one overlay, wherever that is."""
        overlays = tuple(other for other in self.overlays if other is not overlay)
        return replace(self, overlays=overlays)

    def with_notice(self, words: str, *, is_bad: bool = False) -> AppState:
        """Return the state with a notice in the action bar."""
        return replace(self, notice=clean(words), is_notice_bad=is_bad)

    def with_notice_swallowing_keys(self, words: str, now: float) -> AppState:
        """Return the state with a notice after a key that does nothing, and no keys for a moment."""
        return replace(self.with_notice(words), swallow_keys_until=now + SWALLOW_TYPED_WORD_SECONDS)
