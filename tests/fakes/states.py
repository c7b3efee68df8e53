"""Make states of the app, and the messages that lead to them."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import trio
from fakes import job_snapshots

from ticketr import CancelCause, JobSnapshot, JobStatus
from ticketr.app.sync import ConflictView
from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.diff import Versions
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.jobs_state import KIND_TAG_PREFIX, WORKSPACE_TAG_PREFIX
from ticketr.app.tui.panels.detail import detail_lines
from ticketr.app.tui.rows import ListRow, Rows, rows_of
from ticketr.app.tui.sheet import IssueSheet
from ticketr.app.tui.state import AppState
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Event, Key


def snapshot(status: JobStatus = JobStatus.RUNNING, *, job: str = "1") -> JobSnapshot:
    """Return a pull of the workspace `work`, of which one of two tickets is done."""
    made = job_snapshots.snapshot(
        job,
        status=status,
        current=1,
        total=2,
        message="Pulling",
        finished=1.0 if status.is_terminal else None,
    )
    cause = CancelCause.USER if status is JobStatus.CANCELLED else None
    return replace(
        made,
        tags=frozenset({f"{WORKSPACE_TAG_PREFIX}work", f"{KIND_TAG_PREFIX}pull"}),
        cancel_cause=cause,
    )


def tickets_of(*tickets: Ticket) -> tuple[tuple[ListRow, ...], ...]:
    """Return the rows of some tickets, each in its own file."""
    return tuple(rows_of(each, f"{each.key or 'draft'}.md") for each in tickets)


def after(state: AppState, *each: messages.Message | Event) -> AppState:
    for message in each:
        state, _ = update(state, message, 1.0)
    return state


def app_state(*tickets: Ticket, width: int = 100, height: int = 30) -> AppState:
    """Return a state with one workspace, ``work``, that holds these tickets."""
    rows = Rows.from_unsorted(row for rows in tickets_of(*tickets) for row in rows)
    workspace = WorkspaceView("work", "jira.example", "DEMO", rows=rows, are_files_read=True)
    return AppState(width, height, workspaces=(workspace,))


def pressed(state: AppState, *names: str, now: float = 1.0) -> AppState:
    """Return the state after some keys, each a second after the one before."""
    for at, name in enumerate(names):
        state, _ = update(state, Key(name), now + at)
    return state


def detail_read(state: AppState, sheet: IssueSheet) -> messages.DetailRead:
    """Return the message that the file of the open ticket was read."""
    assert state.ticket is not None
    cells = state.layout.detail_cells or state.width
    lines = detail_lines(sheet, cells)
    return messages.DetailRead(
        state.ticket.workspace, state.ticket.row_key_order, sheet, cells, lines
    )


STYLE = re.compile(r"\x1b\[[0-9;]*m")


def plain(row: str) -> str:
    """Return a row without its styles."""
    return STYLE.sub("", row)


class FakeScreen:
    """A terminal of a fixed size, which `resize` changes."""

    def __init__(self, width: int = 80, height: int = 12) -> None:
        self.size = (width, height)
        self.frames: list[tuple[float, list[str]]] = []
        self.redraws = 0
        self.dropped = 0
        self.handovers = 0
        self.is_handed_over = False
        self.copied: list[str] = []
        self.stalled = trio.Event()
        self.stalled.set()
        self._send, self._events = trio.open_memory_channel["Event"](math.inf)

    def press(self, *names: str) -> None:
        for name in names:
            self._send.send_nowait(Key(name))

    def tell(self, event: Event) -> None:
        self._send.send_nowait(event)

    @property
    def rows(self) -> list[str]:
        """Return the last frame, without styles."""
        return [plain(row).rstrip() for row in self.frames[-1][1]]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    async def events(self, send: trio.MemorySendChannel[Event]) -> None:
        async for event in self._events:
            await send.send(event)

    async def draw(self, rows: Sequence[str]) -> None:
        await self.stalled.wait()
        assert len(rows) == self.size[1], rows
        self.frames.append((trio.current_time(), list(rows)))

    def draw_next_frame_whole(self) -> None:
        self.redraws += 1

    def drop_keys(self) -> None:
        """Forget the keys that were pressed and not read."""
        self.dropped = self._events.statistics().current_buffer_used
        for _ in range(self.dropped):
            self._events.receive_nowait()

    async def copy(self, text: str) -> None:
        self.copied.append(text)

    @asynccontextmanager
    async def handed_over(self) -> AsyncGenerator[None]:
        self.handovers += 1
        self.is_handed_over = True
        yield
        self.is_handed_over = False


BASE = Ticket("Rebuild the index", "DEMO-9", "Good enough.", {"Priority": "High", "Labels": "a"})
LOCAL = Ticket("Rebuild faster", "DEMO-9", "Good enough.", {"Priority": "Lowest", "Labels": "a"})
REMOTE = Ticket("Rebuild at once", "DEMO-9", "Good enough.", {"Priority": "Medium", "Labels": "b"})
#: 2026-11-26 10:29 UTC
SYNCED = 1_795_688_940.0


def conflict_view() -> ConflictView:
    """Return the conflict."""
    versions = Versions(BASE, LOCAL, REMOTE)
    parts, merged = find_parts(versions)
    aside = ".ticketr/trash/DEMO-9.md"
    return ConflictView(
        "DEMO-9",
        LOCAL.title,
        "DEMO-9.md",
        1,
        SYNCED,
        "2026-11-26T12:41:00.000+0200",
        None,
        parts,
        merged,
        aside,
        "",
        versions,
    )
