"""The full-screen app: the one way round.

Keys, sizes, files and jobs become messages on one channel; `state.update` answers each with a new
state and effects; `views.screen` draws the state; the screen writes what has changed. No view
knows a job, no job knows the screen.
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
from ticketr.tui.state import JIRA_JOB_TAG, REFUSED, AppState, update
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

#: Seconds between two frames that no key has asked for.
FRAME = 1 / 15
#: Messages answered between two checkpoints.
PORTION = 50


class AppTerminal(Protocol):
    """What the app needs of a terminal."""

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
        """Take nothing on the screen for granted in the next draw."""
        ...


@final
class App:
    """One run of the app.

    Args:
        terminal: The screen and its keys.
        queue: Runs the jobs; others may use it too.
        store: The workspace's files.
        make_job: Makes a job, given what it is to do, whom to tell about tickets, and what it may
            take away in Jira.
        theme: Colours and characters.
        title: What the first row says.
        run_sync: How files are read.
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
        #: The signal that ended the app; None if the user left by a key.
        self.ended_by: signal.Signals | None = None
        self._terminal = terminal
        self._queue = queue
        self._store = store
        self._make_job = make_job
        self._theme = theme
        # Without a bound: whoever sends must not wait, and the one reader never waits for them.
        self._send, self._inbox = trio.open_memory_channel[messages.Message](math.inf)
        self._loader = Loader(store, run_sync, self._send.send_nowait)
        self._changed = trio.Event()
        self._urgent = trio.Event()
        self._busy = trio.Event()

    async def run(self, *, pull: bool = False) -> None:
        """Run until the user leaves.

        Args:
            pull: Whether to begin with a pull.

        Cancellation:
            Leaves; the queue's jobs are the queue's matter.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._paint)
            nursery.start_soon(self._tick)
            nursery.start_soon(self._forward_events)
            await nursery.start(self._forward_jobs)
            nursery.start_soon(self._loader.load)
            if pull:
                self._start(JobKind.PULL)
            await self._answer_all(nursery)
            nursery.cancel_scope.cancel()

    async def _answer_all(self, nursery: trio.Nursery) -> None:
        answered = 0
        while True:
            message: Message = await self._next_message()
            for effect in self._answer(message):
                if isinstance(effect, effects.Leave):
                    return
                self._carry_out(effect, nursery)
            answered += 1
            if answered % PORTION == 0:
                await trio.lowlevel.checkpoint()

    async def _next_message(self) -> Message:
        """Return the next message; without a checkpoint if it is here, so a burst is one frame."""
        try:
            return self._inbox.receive_nowait()
        except trio.WouldBlock:
            return await self._inbox.receive()

    def _answer(self, message: Message) -> tuple[Effect, ...]:
        self.state, asked = update(self.state, message, trio.current_time())
        self._changed.set()
        if _is_urgent(message):
            self._urgent.set()
        if self.state.status.named_job is not None:
            self._busy.set()
        return asked

    def _carry_out(self, effect: Effect, nursery: trio.Nursery) -> None:
        match effect:
            case effects.StartJob(work, accepted):
                self._start(work, accepted)
            case effects.CountWrites(work):
                nursery.start_soon(self._loader.count_writes, work)
            case effects.Resolve(key, take):
                nursery.start_soon(self._loader.resolve, key, take)
            case effects.Reload():
                nursery.start_soon(self._loader.load)
            case effects.CancelJob(job_id):
                self._queue.cancel(job_id, reason="the user pressed Esc")
            case effects.LoadDetail(row):
                nursery.start_soon(self._loader.open, row)
            case effects.LoadClash(row):
                nursery.start_soon(self._loader.open_clash, row)
            case effects.RereadDetail(row):
                nursery.start_soon(self._loader.reread, row)
            case effects.Redraw():
                self._terminal.redraw()

    def _start(self, work: JobKind, accepted: frozenset[Loss] = frozenset()) -> None:
        try:
            self._queue.submit_nowait(
                self._make_job(work, self._tell_written, accepted),
                tags=[JIRA_JOB_TAG],
                key=str(self._store.root),
                on_conflict=OnConflict.REJECT,
            )
        except DuplicateJob:  # two keys in one burst: the state has not heard of the first yet
            self._send.send_nowait(messages.Failed(REFUSED))
        except TicketrError as error:
            self._send.send_nowait(messages.Failed(str(error)))

    def _tell_written(self, tickets: Sequence[tuple[Ticket, str]]) -> None:
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
                            self._send.send_nowait(messages.CameBack())
                        case Quit(signal=number):
                            self._leave(number)
                        case HungUp():
                            self._leave(signal.SIGHUP)

    def _leave(self, number: signal.Signals) -> None:
        if number != signal.SIGINT:  # Ctrl+C is a key like q
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
        """Draw what has changed: at once if somebody waits for it, else at most every `FRAME`."""
        while True:
            self._changed = trio.Event()
            rows = screen(self.state, trio.current_time(), self._theme)
            await self._terminal.draw(rows)
            await self._changed.wait()
            with trio.move_on_after(FRAME):
                await self._urgent.wait()
            self._urgent = trio.Event()

    async def _tick(self) -> None:
        """Move the clock on the screen while a job runs; otherwise sleep for good."""
        while True:
            await self._busy.wait()
            while self.state.status.named_job is not None:
                now = trio.current_time()
                await trio.sleep_until(self.state.status.next_change(now, self._theme.line_style))
                self._changed.set()
            self._busy = trio.Event()


def _is_urgent(message: Message) -> bool:
    """Return whether somebody waits to see the answer: to a key, or to how a job has ended."""
    match message:
        case messages.KeyPressed() | messages.Resized():
            return True
        case messages.JobChanged(snapshot):
            return snapshot.status.is_terminal
        case _:
            return False
