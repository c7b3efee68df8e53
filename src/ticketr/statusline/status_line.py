"""The status line of a queue, drawn or told: the part that waits, reads the clock and writes."""

from __future__ import annotations

import logging
import math
import os
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr import JobStatus
from ticketr.statusline.model import StatusModel
from ticketr.statusline.output import TerminalOutput
from ticketr.statusline.paint import painted
from ticketr.statusline.plain import PlainLines
from ticketr.statusline.style import LineStyle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self, TextIO

    from ticketr import JobQueue, JobSnapshot, Updates
    from ticketr.statusline.output import LineOutput

#: Seconds between two frames with news; nobody reads numbers faster. What turns or counts seconds
#: by itself does so in between.
FRAME = 1 / 5
#: What is so nearly due is due.
NEARLY = 1 / 100
#: Seconds a frame may come later if a job's next word can bring it: a timer costs more.
SLACK = 1 / 40
#: Seconds within which a job that has just started may report: what it says is better than its name.
FIRST_WORDS = 1 / 50

_log = logging.getLogger("ticketr.statusline")


def is_drawable(stream: TextIO) -> bool:
    """Tell whether a stream leads to a terminal that can do more than print lines."""
    kind = os.environ.get("TERM", "dumb")
    return hasattr(os, "ttyname") and stream.isatty() and kind not in {"", "dumb", "unknown"}


def _is_unreported(snapshot: JobSnapshot) -> bool:
    return snapshot.progress is None and snapshot.status is JobStatus.RUNNING


def _newest_running(batch: Sequence[JobSnapshot]) -> Iterator[JobSnapshot]:
    """Give the snapshots of a batch, without those that a report of the same job has replaced."""
    reported = {each.id for each in batch if each.progress and each.status is JobStatus.RUNNING}
    for snapshot in batch:
        if not (_is_unreported(snapshot) and snapshot.id in reported):
            yield snapshot


def _unread(updates: Updates[JobSnapshot]) -> list[JobSnapshot]:
    """Take what is unread; nothing if the reader has ended."""
    found: list[JobSnapshot] = []
    with suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            found.append(updates.receive_nowait())
    return found


@final
class StatusLine:
    """Shows how the jobs of a queue are getting on, for the length of an ``async with`` block.

    ::

        async with open_job_queue() as queue, StatusLine(queue):
            await queue.submit(work, 10)

    In a terminal it is one line below all that is printed, drawn at most 10 times a second, with
    news 5 times, and only when it has changed. ``print``, ``logging`` and warnings go above it. A program that
    writes to the terminal past Python's streams, like a child process, does so in
    :meth:`hidden`. Anywhere else the jobs are told in plain lines.

    Left normally, the block waits until no job is pending or running, as the queue does, and the
    last job's outcome stays as an ordinary line. Left by an exception, which comes out as the
    same object, it takes away the line of a job that has not ended.

    Cancellation:
        Takes the line away; the jobs are the queue's matter.

    Args:
        queue: The queue whose jobs are shown.
        stream: Where; standard error if None.
        plain: Whether to tell the jobs in plain lines in a terminal, too.
        style: How to draw; what suits the stream and the environment if None.
        hint: Shown while a job runs: how to cancel it.
        output: Another place to draw in than the stream's terminal.
    """

    def __init__(
        self,
        queue: JobQueue,
        *,
        stream: TextIO | None = None,
        plain: bool = False,
        style: LineStyle | None = None,
        hint: str = "",
        output: LineOutput | None = None,
    ) -> None:
        self._queue = queue
        stream = sys.stderr if stream is None else stream  # None again if it was closed at start
        if style is None:
            style = LineStyle() if stream is None else LineStyle.of(os.environ, stream)
        if output is None and stream is not None and not plain and is_drawable(stream):
            output = TerminalOutput(stream)
        self._stream: TextIO | None = stream
        self._style = style
        self._hint = hint
        self._output = output
        self._lines = PlainLines()
        self._pending: list[JobSnapshot] = []  # read, and not told yet
        self._model = StatusModel()
        self._drawn: str | None = ""  # None: not known, so that it is drawn anew
        self._due = -math.inf  # when the next frame may be drawn
        self._held_until = -math.inf  # for the first report of a job that has just started
        self._changes_at = math.inf  # by time alone
        self._is_dirty = False
        self._hidden = 0
        self._nap = trio.CancelScope()  # what the drawing task waits in
        self._block: AbstractAsyncContextManager[None] | None = None

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        self._block = self._run()
        await self._block.__aenter__()
        return self

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._block is not None
        return await self._block.__aexit__(kind, error, trace)  # noqa: ASYNC102 - the block's matter

    @contextmanager
    def hidden(self) -> Generator[None]:
        """Take the line away for the length of a ``with`` block.

        For what reads from the terminal or writes to it past Python's streams.
        """
        self._hidden += 1
        self._drawn = None
        if self._output is not None:
            self._output.draw("", is_full=False)
        try:
            yield
        finally:
            self._hidden -= 1
            self._draw_anew()

    @asynccontextmanager
    @enable_ki_protection
    async def _run(self) -> AsyncGenerator[None, None]:
        body: BaseException | None = None
        self._open()
        try:
            with self._queue.watch() as updates:
                try:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._run_reader, updates)
                        try:
                            yield
                            await self._queue.wait_idle()
                        except BaseException as error:
                            body = error
                            raise
                        nursery.cancel_scope.cancel()
                finally:
                    if body is None or isinstance(body, Exception):
                        self._drain(updates)
        except BaseExceptionGroup:
            if body is None:
                raise
        finally:
            self._close()
        if body is not None:
            try:
                raise body  # as it is, in no group: nothing else can come out of our tasks
            finally:
                del body  # its traceback holds this frame

    def _open(self) -> None:
        if self._output is None:
            return
        token = trio.lowlevel.current_trio_token()

        def wake() -> None:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(self._draw_anew, idempotent=True)

        self._output.open(wake)

    def _draw_anew(self) -> None:
        self._drawn = None
        self._is_dirty = True
        self._nap.cancel()

    def _close(self) -> None:
        if self._output is not None:
            is_over = self._model.last is not None and not self._model.running
            self._output.close(self._frame(self._output, trio.current_time())[0] if is_over else "")

    @enable_ki_protection  # or Ctrl+C would end this task and not the program
    async def _run_reader(self, updates: Updates[JobSnapshot]) -> None:
        with self._harmless():
            if self._output is None:
                await self._tell_all(updates)
            else:
                await self._show(updates, self._output)

    @contextmanager
    def _harmless(self) -> Generator[None]:
        """Keep what goes wrong with the line from the program."""
        try:
            yield
        except OSError:  # the terminal or the pipe has gone
            pass
        except Exception:  # noqa: BLE001 - a fault of ours, or a job's odd words
            _log.exception("the status line stopped")

    async def _tell_all(self, updates: Updates[JobSnapshot]) -> None:
        """Print what the jobs report, and let each that has just started report before its name."""
        with suppress(trio.EndOfChannel):
            while True:
                self._pending = [await updates.receive(), *_unread(updates)]
                if any(map(_is_unreported, self._pending)):
                    await trio.sleep(FIRST_WORDS)
                self._tell(updates)

    def _tell(self, updates: Updates[JobSnapshot]) -> None:
        batch, self._pending = [*self._pending, *_unread(updates)], []
        for snapshot in _newest_running(batch):
            line = self._lines.line(snapshot, trio.current_time())
            if line is not None and self._stream is not None:
                print(line, file=self._stream, flush=True)

    async def _show(self, updates: Updates[JobSnapshot], output: LineOutput) -> None:
        """Take in what the jobs report, and draw what has changed; otherwise sleep.

        One task does both, and rests for a frame after each look, because each time a task wakes
        costs more than drawing a line.
        """
        with suppress(trio.EndOfChannel):
            while True:
                await self._hear(updates)
                if not self._draw_if_due(output):
                    await output.wait_for_room()
                    # First take in the news, then draw.
                    self._is_dirty, self._due = True, trio.current_time() + FRAME
                await self._rest(updates)
        self._draw_if_due(output)

    async def _hear(self, updates: Updates[JobSnapshot]) -> None:
        """Take in all the news; if there are none, wait for some or for the next frame.

        Raises:
            trio.EndOfChannel: None can follow.
        """
        if not updates.unread:
            with trio.CancelScope(deadline=self._next_time()) as self._nap:
                self._see(await updates.receive())
        for snapshot in _unread(updates):
            self._see(snapshot)

    def _see(self, snapshot: JobSnapshot) -> None:
        now = trio.current_time()
        if not _is_unreported(snapshot):
            self._held_until = -math.inf
        elif not self._model.running:
            self._held_until = now + FIRST_WORDS
        self._model = self._model.see(snapshot, now)
        self._is_dirty = True

    def _drain(self, updates: Updates[JobSnapshot]) -> None:
        """Show what is still unread, once the task that reads has stopped."""
        with self._harmless():
            if self._output is None:
                self._tell(updates)
                return
            for snapshot in _unread(updates):
                self._see(snapshot)
            self._draw_if_due(self._output)

    def _next_time(self) -> float:
        """Give the time of the next frame if no job has news before."""
        if self._is_dirty:
            return max(self._due, self._held_until)
        return max(self._due, self._changes_at)

    async def _rest(self, updates: Updates[JobSnapshot]) -> None:
        """Sleep until the next frame may be drawn, and a little longer if no job reports."""
        if self._due > trio.current_time():
            latest = max(self._due, min(self._due + SLACK, self._changes_at))
            with trio.CancelScope(deadline=latest) as self._nap:
                await updates.rest(self._due)

    def _draw_if_due(self, output: LineOutput) -> bool:
        """Draw what has changed; False if the terminal takes nothing now."""
        now = trio.current_time()
        if now < max(self._due, self._held_until) - NEARLY:
            return True
        self._is_dirty = False
        self._changes_at = self._model.next_change(now, self._style)
        if self._model.running:
            self._due = min(now + FRAME, self._changes_at)
        line, is_full = self._frame(output, now)
        if self._hidden or line == self._drawn:
            return True
        is_drawn = output.draw(line, is_full=is_full)
        if is_drawn:
            self._drawn = line
        return is_drawn

    def _frame(self, output: LineOutput, now: float) -> tuple[str, bool]:
        """Give the line to draw, and whether it reaches to the last column."""
        columns = output.columns()
        line = self._model.line(columns, now, self._style, hint=self._hint)
        is_full = not line.endswith(" ")  # it is as wide as the terminal
        line = line.rstrip()
        return painted(line, self._model) if self._style.color else line, is_full
