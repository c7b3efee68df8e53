"""The full-screen app: a loop from messages to states, effects and frames.

Keys, sizes, files and jobs become messages on one channel. `state.update` turns each message into
a new state and effects, `views.screen` draws the state, and the terminal writes what has changed.
Views know no jobs, and jobs know no screen.
"""

from __future__ import annotations

import math
import signal
from typing import TYPE_CHECKING, Protocol, final

import trio

from ticketr import DuplicateJob, OnConflict, TicketrError
from ticketr.terminal import HungUp, Key, Quit, Resize, Resumed
from ticketr.tui import effects, messages
from ticketr.tui.job_kind import JobKind
from ticketr.tui.loading import Loader
from ticketr.tui.rows import rows_of
from ticketr.tui.state import JIRA_JOB_TAG, JOB_IS_RUNNING, AppState, update
from ticketr.tui.views import screen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticketr import Job, JobQueue
    from ticketr.sync import Loss, OnWritten, Store, ThreadRunner
    from ticketr.terminal import Event
    from ticketr.tickets import Ticket
    from ticketr.tui.effects import Effect
    from ticketr.tui.messages import Message
    from ticketr.tui.theme import Theme

#: Seconds between two frames, unless the user waits for one.
FRAME_INTERVAL = 1 / 15
#: Messages handled between two checkpoints.
MESSAGES_PER_CHECKPOINT = 50


class AppTerminal(Protocol):
    """The part of `ticketr.terminal.Terminal` that the app uses."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in cells."""
        ...

    async def events(self, send: trio.MemorySendChannel[Event]) -> None:
        """Send keys, sizes and signals until cancelled."""
        ...

    async def draw(self, rows: Sequence[str]) -> None:
        """Show these rows."""
        ...

    def redraw(self) -> None:
        """Write every row in the next draw."""
        ...


@final
class App:
    """One run of the app.

    Attributes:
        state: The current state.
        ended_by: The signal that ended the app; None if the user left by a key.

    Args:
        terminal: The screen and its keys.
        queue: The queue that runs the jobs; it may hold other jobs, too.
        store: The workspace's files.
        make_job: Makes a job of its kind, a callback for written tickets, and the losses in Jira
            that the job may cause.
        theme: Colours and characters.
        title: The title in the first row.
        run_sync: Runs a function that reads files in a thread.
    """

    def __init__(
        self,
        terminal: AppTerminal,
        queue: JobQueue,
        store: Store,
        make_job: Callable[[JobKind, OnWritten, frozenset[Loss]], Job[object]],
        *,
        theme: Theme,
        title: str,
        run_sync: ThreadRunner = trio.to_thread.run_sync,
    ) -> None:
        width, height = terminal.size
        self.state = AppState(width=width, height=height, title=title)
        self.ended_by: signal.Signals | None = None
        self._terminal = terminal
        self._queue = queue
        self._store = store
        self._make_job = make_job
        self._theme = theme
        # Unbounded: senders must not wait, and the receiver never waits for them.
        self._send, self._inbox = trio.open_memory_channel[messages.Message](math.inf)
        self._loader = Loader(store, run_sync, self._send.send_nowait)
        self._changed = trio.Event()
        self._urgent = trio.Event()
        self._busy = trio.Event()

    async def run(self, *, pull: bool = False) -> None:
        """Run until the user leaves.

        Args:
            pull: Whether to start with a pull.

        Cancellation:
            Ends the app; the jobs stay in the queue.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._paint)
            nursery.start_soon(self._tick)
            nursery.start_soon(self._forward_events)
            await nursery.start(self._forward_jobs)
            nursery.start_soon(self._loader.load)
            if pull:
                self._start(JobKind.PULL)
            await self._handle_messages(nursery)
            nursery.cancel_scope.cancel()

    async def _handle_messages(self, nursery: trio.Nursery) -> None:
        answered = 0
        while True:
            message: Message = await self._next_message()
            for effect in self._handle(message):
                if isinstance(effect, effects.Leave):
                    return
                self._carry_out(effect, nursery)
            answered += 1
            if answered % MESSAGES_PER_CHECKPOINT == 0:
                await trio.lowlevel.checkpoint()

    async def _next_message(self) -> Message:
        """Return the next message, without a checkpoint if there is one: a burst is one frame."""
        try:
            return self._inbox.receive_nowait()
        except trio.WouldBlock:
            return await self._inbox.receive()

    def _handle(self, message: Message) -> tuple[Effect, ...]:
        self.state, asked = update(self.state, message, trio.current_time())
        self._changed.set()
        if _is_urgent(message):
            self._urgent.set()
        if self.state.status.named_job is not None:
            self._busy.set()
        return asked

    def _carry_out(self, effect: Effect, nursery: trio.Nursery) -> None:
        match effect:
            case effects.StartJob(kind, accepted):
                self._start(kind, accepted)
            case effects.CountWrites(kind):
                nursery.start_soon(self._loader.count_writes, kind)
            case effects.Resolve(key, take):
                nursery.start_soon(self._loader.resolve, key, take)
            case effects.Reload():
                nursery.start_soon(self._loader.load)
            case effects.CancelJob(job_id):
                self._queue.cancel(job_id, reason="the user pressed Esc")
            case effects.LoadDetail(row):
                nursery.start_soon(self._loader.open, row)
            case effects.LoadClash(row):
                nursery.start_soon(self._loader.open_conflict, row)
            case effects.RereadDetail(row):
                nursery.start_soon(self._loader.reread, row)
            case effects.Redraw():
                self._terminal.redraw()

    def _start(self, kind: JobKind, accepted: frozenset[Loss] = frozenset()) -> None:
        try:
            self._queue.submit_nowait(
                self._make_job(kind, self._show_written, accepted),
                tags=[JIRA_JOB_TAG],
                key=str(self._store.root),
                on_conflict=OnConflict.REJECT,
            )
        except DuplicateJob:  # two keys in one burst: the state does not know the first job yet
            self._send.send_nowait(messages.Failed(JOB_IS_RUNNING))
        except TicketrError as error:
            self._send.send_nowait(messages.Failed(str(error)))

    def _show_written(self, tickets: Sequence[tuple[Ticket, str]]) -> None:
        rows = tuple(rows_of(ticket, path) for ticket, path in tickets)
        self._send.send_nowait(messages.TicketsFound(rows))

    async def _forward_events(self) -> None:
        send, events = trio.open_memory_channel["Event"](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._terminal.events, send)
            with events:
                async for event in events:
                    match event:
                        case Key(name=name):
                            self._send.send_nowait(messages.KeyPressed(name))
                        case Resize():
                            self._send.send_nowait(messages.Resized(*self._terminal.size))
                        case Resumed():
                            self._send.send_nowait(messages.Resized(*self._terminal.size))
                            self._send.send_nowait(messages.Continued())
                        case Quit(signal=number):
                            self._leave(number)
                        case HungUp():
                            self._leave(signal.SIGHUP)

    def _leave(self, number: signal.Signals) -> None:
        if number != signal.SIGINT:  # Ctrl+C is a key, like q
            self.ended_by = number
        self._send.send_nowait(messages.LeaveAsked())

    async def _forward_jobs(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with self._queue.watch() as updates:
            task_status.started()
            async for snapshot in updates:
                self._send.send_nowait(messages.JobChanged(snapshot))

    async def _paint(self) -> None:
        """Draw changes: at once if the user waits for them, else at most every `FRAME_INTERVAL`."""
        while True:
            self._changed = trio.Event()
            rows = screen(self.state, trio.current_time(), self._theme)
            await self._terminal.draw(rows)
            await self._changed.wait()
            with trio.move_on_after(FRAME_INTERVAL):
                await self._urgent.wait()
            self._urgent = trio.Event()

    async def _tick(self) -> None:
        """Redraw the status line's times while a job runs."""
        while True:
            await self._busy.wait()
            while self.state.status.named_job is not None:
                now = trio.current_time()
                await trio.sleep_until(self.state.status.next_change(now, self._theme.line_style))
                self._changed.set()
            self._busy = trio.Event()


def _is_urgent(message: Message) -> bool:
    """Return whether the user waits for a frame: after a key, a resize or the end of a job."""
    match message:
        case messages.KeyPressed() | messages.Resized():
            return True
        case messages.JobChanged(snapshot):
            return snapshot.status.is_terminal
        case _:
            return False
