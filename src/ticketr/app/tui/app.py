"""The full-screen app: a loop from messages to states, effects and frames.

Keys, sizes, files and jobs become messages on one channel. `update.update` turns each message into
a new state and effects, `screen.draw_screen` draws the state, and the terminal writes what has changed.
Drawing knows no jobs, and jobs know no screen.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Sequence
from inspect import iscoroutinefunction
from typing import final

import trio

from ticketr import JobQueue
from ticketr.app.sync import ThreadRunner
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call_in
from ticketr.app.tui.keymap import KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.first_run import FirstRun
from ticketr.app.tui.screen import draw_screen, next_change_time
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.files import read_files
from ticketr.app.tui.services.jobs import start_job
from ticketr.app.tui.services.reading import Reader
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace, WorkspaceRegistry
from ticketr.app.tui.setup import Setup
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import may_auto_pull, update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Event, HungUp, QuitSignal, Resize, Resumed, Terminal

__all__ = ["SECONDS_PER_FRAME", "App", "OpenWorkspace"]

#: Seconds between two frames, unless the user waits for one.
SECONDS_PER_FRAME = 1 / 15
#: The most messages handled between two checkpoints, and about the most seconds.
MESSAGES_PER_CHECKPOINT = 50
SECONDS_PER_CHECKPOINT = 0.001


@final
class App:
    """One run of the app.

    Attributes:
        state: The current state.
        ended_by: The signal that ended the app; None if the user left by a key.

    Args:
        terminal: The screen and its keys.
        queue: The queue that runs the jobs; it may hold other jobs, too.
        workspaces: The workspaces; their names differ.
        theme: Colours and characters.
        keymap: The keys.
        in_thread: Runs blocking work in a thread.
        setup: Adds workspaces; without one, there has to be a workspace.
        sandbox_nursery: Keeps a sandbox that `setup` has started until the jobs have ended, too.
        can_start_sandbox: Whether a sandbox can be started.
        auto_pull_seconds: The seconds between two pulls that nobody has asked for; 0 for none.
    """

    def __init__(
        self,
        terminal: Terminal,
        queue: JobQueue,
        workspaces: Sequence[OpenWorkspace | ClosedWorkspace],
        *,
        theme: Theme,
        keymap: KeyMap | None = None,
        in_thread: ThreadRunner = trio.to_thread.run_sync,
        setup: Setup | None = None,
        sandbox_nursery: trio.Nursery | None = None,
        can_start_sandbox: bool = True,
        auto_pull_seconds: float = 0.0,
    ) -> None:
        width, height = terminal.size
        self.state = AppState(
            width=width,
            height=height,
            workspaces=tuple(
                WorkspaceView(
                    workspace.name,
                    workspace.site,
                    workspace.project,
                    query_by_alias=workspace.query_by_alias,
                    keeps_comments=workspace.keeps_comments,
                )
                for workspace in workspaces
            ),
            keymap=keymap or KeyMap(),
            overlays=() if workspaces else (FirstRun(),),
            can_start_sandbox=can_start_sandbox,
        )
        self.ended_by: signal.Signals | None = None
        self._terminal = terminal
        self._queue = queue
        self._theme = theme
        # Unbounded: senders must not wait, and the receiver never waits for them.
        self._send, self._inbox = trio.open_memory_channel["Message | Event"](math.inf)
        send = self._send.send_nowait
        opened = WorkspaceRegistry(
            workspaces,
            lambda workspace: Reader(
                workspace.name,
                workspace.store,
                in_thread,
                send,
                shown=lambda: self.state.workspace_or_empty(workspace.name),
            ),
            send,
        )
        self._services = Services(
            terminal,
            queue,
            opened,
            send,
            in_thread,
            setup,
            sandbox_nursery,
            auto_pull_seconds=auto_pull_seconds,
            may_auto_pull=lambda name: may_auto_pull(self.state, name),
        )
        self._changed = trio.Event()
        self._urgent = trio.Event()
        self._timed = trio.Event()
        self._drawn = trio.Event()

    async def run(self, *, pull: bool = False) -> None:
        """Run until the user leaves.

        Args:
            pull: Whether to start with a pull.

        Cancellation:
            Ends the app; the jobs stay in the queue.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._paint)
            nursery.start_soon(self._redraw_times_and_follow_selection)
            nursery.start_soon(self._forward_terminal_events)
            await nursery.start(self._forward_jobs)
            if self.state.workspaces:
                name = self.state.workspace.name
                self._start_or_call(call_in(name, read_files), nursery)
                if pull:
                    request = call_in(name, start_job, JobRequest(JobKind.PULL))
                    self._start_or_call(request, nursery)
            await self._handle_messages(nursery)
            nursery.cancel_scope.cancel()

    async def _handle_messages(self, nursery: trio.Nursery) -> None:
        """Handle messages until the user leaves; a burst of them is one frame."""
        while True:
            message = await self._inbox.receive()
            begun = trio.current_time()
            for remaining_messages in reversed(range(MESSAGES_PER_CHECKPOINT)):
                for request in self._handle(message):
                    self._start_or_call(request, nursery)
                if self._services.leave_requested.is_set():
                    return
                if not remaining_messages or trio.current_time() - begun >= SECONDS_PER_CHECKPOINT:
                    break
                try:
                    message = self._inbox.receive_nowait()
                except trio.WouldBlock:
                    break

    def _handle(self, message: Message | Event) -> tuple[ServiceCall, ...]:
        before = self.state
        self.state, effects = update(before, message, trio.current_time())
        self._changed.set()
        match message:
            case messages.SomeTicketRowsRead():
                is_urgent = False
            case messages.JobChanged(snapshot):  # a cancelled job tells how far it got first
                is_urgent = snapshot.status.is_terminal or snapshot.cancel_requested
            case _:
                is_urgent = True
        if is_urgent:  # the user waits for a frame
            self._urgent.set()
        if (
            before.status is not self.state.status
            or before.overlays is not self.state.overlays
            or before.follow_selection_at != self.state.follow_selection_at
        ):
            self._timed.set()
        return effects

    def _start_or_call(self, request: ServiceCall, nursery: trio.Nursery) -> None:
        name = request.required_workspace
        if name in self._services.workspace_registry.closed:
            nursery.start_soon(self._open_and_carry_out, request, nursery)
            return
        if iscoroutinefunction(request.function):
            nursery.start_soon(self._services.carry_out, request)
            return
        answer = request.function(self._services, *request.args)
        if answer is not None:  # before the next key, which may be an Esc
            for more in self._handle(answer):
                self._start_or_call(more, nursery)

    async def _open_and_carry_out(self, request: ServiceCall, nursery: trio.Nursery) -> None:
        """Open the workspace of a call, then carry the call out."""
        name = request.required_workspace
        if await self._services.workspace_registry.ensure_open(name):
            self._start_or_call(request, nursery)
        elif request.step_on_failure is not None:
            self._services.send_message(
                messages.CallEnded(request, problem=f"{name} cannot be opened")
            )

    async def _forward_terminal_events(self) -> None:
        """Send what the terminal reports; what was typed before the first frame is dropped."""
        await self._drawn.wait()
        self._terminal.drop_keys()
        send, events = trio.open_memory_channel["Event"](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._terminal.events, send)
            with events:
                async for event in events:
                    match event:
                        case QuitSignal(number) if number != signal.SIGINT:  # Ctrl+C is a key
                            self.ended_by = number
                        case HungUp():
                            self.ended_by = signal.SIGHUP
                        case Resumed():
                            self._send.send_nowait(Resize(*self._terminal.size))
                    self._send.send_nowait(event)

    async def _forward_jobs(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with self._queue.watch() as updates:
            task_status.started()
            async for snapshot in updates:
                self._send.send_nowait(messages.JobChanged(snapshot))

    async def _paint(self) -> None:
        """Draw changes: at once if the user waits for them, else at most every `SECONDS_PER_FRAME`."""
        while True:
            self._changed = trio.Event()
            rows = draw_screen(self.state, trio.current_time(), self._theme)
            await self._terminal.draw(rows)
            self._drawn.set()
            await self._changed.wait()
            if not self._urgent.is_set():  # a checkpoint lets a job run before the frame
                with trio.move_on_after(SECONDS_PER_FRAME):
                    await self._urgent.wait()
            self._urgent = trio.Event()

    async def _redraw_times_and_follow_selection(self) -> None:
        """Redraw the status line's times while a job runs, and send `FollowSelectionDue` when due."""
        while True:
            self._timed = trio.Event()
            now = trio.current_time()
            spin = next_change_time(self.state, now, self._theme)
            due = self.state.follow_selection_at
            with trio.move_on_at(min(spin, due)) as waiting:
                await self._timed.wait()
            if waiting.cancelled_caught:
                if trio.current_time() >= due:
                    self._send.send_nowait(messages.FollowSelectionDue())
                    await self._timed.wait()
                else:
                    self._changed.set()
