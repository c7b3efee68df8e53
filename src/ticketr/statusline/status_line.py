"""The status line of a queue: the part that waits, reads the clock and writes."""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, TextIO, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr import JobStatus
from ticketr.statusline.model import StatusModel
from ticketr.statusline.plain import PlainLineSelector
from ticketr.statusline.style import LineStyle
from ticketr.tty import can_draw

if TYPE_CHECKING:
    from ticketr import JobQueue, JobSnapshot, Updates
    from ticketr.statusline.output import LineOutput


_CYAN = "\x1b[36m"
_COLOR_SEQUENCE_BY_END_STATUS = {
    JobStatus.COMPLETED: "\x1b[32m",
    JobStatus.FAILED: "\x1b[31m",
    JobStatus.CANCELLED: "\x1b[33m",
}
_RESET = "\x1b[m"


def with_colored_start(line: str, model: StatusModel) -> str:
    """Return a line with its bar, spinner or mark coloured.

    Args:
        line: The result of :meth:`StatusModel.line`.
        model: The model that the line shows.
    """
    status = model.shown_status
    if status is None or not line:
        return line
    end = line.find("]") + 1 if line.startswith("[") else 1
    if line[0].isdigit():  # no room for a bar
        return line
    return f"{_COLOR_SEQUENCE_BY_END_STATUS.get(status, _CYAN)}{line[:end]}{_RESET}{line[end:]}"


#: Seconds between two frames with new reports; the spinner and the clock change in between, too.
FRAME_INTERVAL_SECONDS = 1 / 5
#: A frame that is due within so many seconds is drawn at once.
FRAME_TOLERANCE_SECONDS = 1 / 100
#: Seconds to wait for the first report of a new job, whose message is better than the job's name.
FIRST_REPORT_WAIT_SECONDS = 1 / 50

_log = logging.getLogger("ticketr.statusline")


def _is_running_without_report(snapshot: JobSnapshot) -> bool:
    """Return whether a job runs that has reported nothing yet."""
    return snapshot.progress is None and snapshot.status is JobStatus.RUNNING


def _prefer_snapshots_with_report(snapshots: Sequence[JobSnapshot]) -> Iterator[JobSnapshot]:
    """Yield snapshots, except unreported ones of jobs that have another one with a report."""
    reported = {
        snapshot.id
        for snapshot in snapshots
        if snapshot.progress and snapshot.status is JobStatus.RUNNING
    }
    for snapshot in snapshots:
        if not (_is_running_without_report(snapshot) and snapshot.id in reported):
            yield snapshot


def _receive_unread(updates: Updates[JobSnapshot]) -> list[JobSnapshot]:
    """Receive the unread snapshots; none if the reader has ended."""
    snapshots: list[JobSnapshot] = []
    with suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            snapshots.append(updates.receive_nowait())
    return snapshots


@final
class StatusLine:
    """Shows the progress of a queue's jobs for the length of an ``async with`` block.

    ::

        async with open_job_queue() as queue, StatusLine(queue):
            await queue.submit(work, 10)

    In a terminal it is one line below all other output. It is drawn only when it changes: at most
    5 times a second for reports, 10 times a second for the spinner. ``print``, ``logging`` and
    warnings go above it. Output that bypasses Python's streams, as of a child process, needs
    :meth:`hidden`. Elsewhere, progress is printed in plain lines.

    A normal exit from the block waits until no job is pending or running, and leaves the last
    job's outcome as an ordinary line. An exception leaves the block as the same object and erases
    the line of a job that has not ended.

    Cancellation:
        Erases the line. The queue decides what happens to the jobs.

    Args:
        queue: The queue whose jobs are shown.
        stream: The stream to write to; None for standard error.
        plain: Whether to print plain lines in a terminal, too.
        style: The style; None for one that suits the stream and the environment.
        hint: How to cancel a job, shown while one runs.
        output: Another place to draw in than the stream's terminal.
        view: Returns what to show for a job's snapshot; None shows the snapshot itself.
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
        view: Callable[[JobSnapshot], JobSnapshot] | None = None,
    ) -> None:
        self._queue = queue
        stream = sys.stderr if stream is None else stream  # None again if it was closed at start
        if style is None:
            style = LineStyle() if stream is None else LineStyle.of(os.environ, stream)
        can_be_drawn = hasattr(os, "ttyname") and can_draw(os.environ) and not plain
        if output is None and stream is not None and stream.isatty() and can_be_drawn:
            from ticketr.statusline.output import TerminalOutput  # noqa: PLC0415 - not for plain lines

            output = TerminalOutput(stream)
        self._stream: TextIO | None = stream
        self._style = style
        self._hint = hint
        self._view = view
        self._output = output
        self._lines = PlainLineSelector()
        self._pending: list[JobSnapshot] = []  # read, but not printed yet
        self._model = StatusModel()
        self._drawn: str | None = ""  # None: unknown, so the line must be drawn again
        self._due = -math.inf  # the time at which the next frame may be drawn
        self._held_until = -math.inf  # the end of the wait for a new job's first report
        self._changes_at = math.inf  # the time of the next change without a report
        self._is_dirty = False
        self._hidden = 0
        self._wait = trio.CancelScope()  # cancelled to wake the drawing task
        self._block: AbstractAsyncContextManager[None] | None = None

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        self._block = self._run()
        await self._block.__aenter__()
        return self

    @enable_ki_protection
    async def __aexit__(self, *exc: Any) -> bool | None:  # noqa: PYI036 - passed on as they came
        assert self._block is not None
        return await self._block.__aexit__(*exc)  # noqa: ASYNC102 - the block shields what it must

    @contextmanager
    def hidden(self) -> Generator[None]:
        """Hide the line for the length of a ``with`` block.

        Use it for code that reads from the terminal, or bypasses Python's streams.
        """
        self._hidden += 1
        self._drawn = None
        if self._output is not None:
            self._output.try_draw("", fills_width=False)
        try:
            yield
        finally:
            self._hidden -= 1
            self._request_redraw()

    @asynccontextmanager
    @enable_ki_protection
    async def _run(self) -> AsyncGenerator[None, None]:
        body: BaseException | None = None
        self._update_counts()
        self._open_output()
        try:
            with self._queue.watch() as updates:
                try:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._draw_or_print_updates, updates)
                        try:
                            yield
                            await self._queue.wait_idle()
                        except BaseException as error:
                            body = error
                            raise
                        nursery.cancel_scope.cancel()
                finally:
                    if body is None or isinstance(body, Exception):
                        self._show_unread_reports_at_end(updates)
        except BaseExceptionGroup:
            if body is None:
                raise
        finally:
            self._close_output()
        if body is not None:
            try:
                raise body  # not in a group, since the tasks of this block raise nothing else
            finally:
                del body  # its traceback refers to this frame

    def _update_counts(self) -> None:
        self._model = self._model.count(self._queue.statistics(), trio.current_time())

    def _open_output(self) -> None:
        if self._output is None:
            return
        token = trio.lowlevel.current_trio_token()

        def redraw() -> None:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(self._request_redraw, idempotent=True)

        self._output.open(redraw)

    def _request_redraw(self) -> None:
        self._drawn = None
        self._is_dirty = True
        self._wait.cancel()

    def _close_output(self) -> None:
        if self._output is not None:
            batch = self._model.batch
            is_over = not batch.remaining if batch.is_shown_as_batch else not self._model.running
            now = trio.current_time()
            self._output.close(self._line_and_fills_width(self._output, now)[0] if is_over else "")

    @enable_ki_protection  # otherwise Ctrl+C could end this task instead of the program
    async def _draw_or_print_updates(self, updates: Updates[JobSnapshot]) -> None:
        with self._log_errors():
            if self._output is None:
                await self._receive_and_print(updates)
            else:
                await self._receive_and_draw(updates, self._output)

    @contextmanager
    def _log_errors(self) -> Generator[None]:
        """Log errors of the status line, which must not reach the program."""
        try:
            yield
        except OSError:  # the terminal or the pipe is gone
            pass
        except Exception:  # noqa: BLE001 - a bug, or a report that cannot be shown
            _log.exception("the status line stopped")

    async def _receive_and_print(self, updates: Updates[JobSnapshot]) -> None:
        """Print the jobs' reports; give each new job time for a report instead of its name."""
        with suppress(trio.EndOfChannel):
            while True:
                with trio.move_on_at(self._lines.end_due_at(self._model.batch)):
                    self._pending.append(await updates.receive())
                self._pending += _receive_unread(updates)
                if any(map(_is_running_without_report, self._pending)):
                    await trio.sleep(FIRST_REPORT_WAIT_SECONDS)
                self._print_unread(updates)

    def _print_unread(self, updates: Updates[JobSnapshot], *, is_last: bool = False) -> None:
        snapshots = [*map(self._apply_view, (*self._pending, *_receive_unread(updates)))]
        self._pending = []
        now, old = trio.current_time(), self._model.batch
        for snapshot in snapshots:
            self._model = self._model.see(snapshot, now)
        self._update_counts()
        batch = self._model.batch
        if batch.began_at != old.began_at:
            self._print_plain_line(self._lines.batch_line(old, now))  # the end of the batch before
        if batch.is_shown_as_batch:
            self._print_plain_line(self._lines.batch_line(batch, now, is_last=is_last))
            return
        for snapshot in _prefer_snapshots_with_report(snapshots):
            self._print_plain_line(self._lines.line(snapshot, now))

    def _print_plain_line(self, line: str | None) -> None:
        if line is not None and self._stream is not None:
            print(line, file=self._stream, flush=True)

    async def _receive_and_draw(self, updates: Updates[JobSnapshot], output: LineOutput) -> None:
        """Receive the jobs' reports and draw the line when it changes.

        One task does both and sleeps for a frame in between, since waking a task costs more than
        drawing a line.
        """
        with suppress(trio.EndOfChannel):
            while True:
                await self._receive_next_reports(updates)
                if not self._draw_if_due_unless_refused(output):
                    await output.wait_writable()
                    # Receive further reports before the next frame.
                    self._is_dirty, self._due = True, trio.current_time() + FRAME_INTERVAL_SECONDS
                await self._sleep_until_due()
        self._draw_if_due_unless_refused(output)

    async def _receive_next_reports(self, updates: Updates[JobSnapshot]) -> None:
        """Receive all reports; if there are none, wait for one or for the next frame.

        Raises:
            trio.EndOfChannel: No report can follow.
        """
        unread = _receive_unread(updates)
        if not unread:
            at = self._held_until if self._is_dirty else self._changes_at
            with trio.CancelScope(deadline=max(self._due, at)) as self._wait:
                self._update_model(await updates.receive())
            unread = _receive_unread(updates)
        for snapshot in unread:
            self._update_model(snapshot)
        self._update_counts()

    def _apply_view(self, snapshot: JobSnapshot) -> JobSnapshot:
        return snapshot if self._view is None else self._view(snapshot)

    def _update_model(self, snapshot: JobSnapshot) -> None:
        snapshot = self._apply_view(snapshot)
        now = trio.current_time()
        if not _is_running_without_report(snapshot):
            self._held_until = -math.inf
        elif not self._model.running:
            self._held_until = now + FIRST_REPORT_WAIT_SECONDS
        self._model = self._model.see(snapshot, now)
        self._is_dirty = True

    def _show_unread_reports_at_end(self, updates: Updates[JobSnapshot]) -> None:
        """Show the unread reports after the reading task has stopped."""
        with self._log_errors():
            if self._output is None:
                self._print_unread(updates, is_last=True)
                return
            for snapshot in _receive_unread(updates):
                self._update_model(snapshot)
            self._update_counts()
            self._draw_if_due_unless_refused(self._output)

    async def _sleep_until_due(self) -> None:
        """Sleep until the next frame may be drawn."""
        if self._due > trio.current_time():
            with trio.CancelScope(deadline=self._due) as self._wait:
                await trio.sleep_forever()

    def _draw_if_due_unless_refused(self, output: LineOutput) -> bool:
        """Draw the line if it has changed; return False if the terminal accepts nothing now."""
        now = trio.current_time()
        if now < max(self._due, self._held_until) - FRAME_TOLERANCE_SECONDS:
            return True
        self._is_dirty = False
        self._changes_at = self._model.next_change(now, self._style)
        batch = self._model.batch
        if self._model.running or (batch.is_shown_as_batch and batch.remaining):
            self._due = min(now + FRAME_INTERVAL_SECONDS, self._changes_at)
        line, fills_width = self._line_and_fills_width(output, now)
        if self._hidden or line == self._drawn:
            return True
        is_drawn = output.try_draw(line, fills_width=fills_width)
        if is_drawn:
            self._drawn = line
        return is_drawn

    def _line_and_fills_width(self, output: LineOutput, now: float) -> tuple[str, bool]:
        """Return the line to draw, and whether it reaches the last column."""
        columns = output.columns()
        line = self._model.line(columns, now, self._style, hint=self._hint)
        fills_width = not line.endswith(" ")  # it is as wide as the terminal
        line = line.rstrip()
        return with_colored_start(line, self._model) if self._style.color else line, fills_width
