"""Reads the workspace for the app, a few files at a time in a thread, and sends the results."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, final

import trio

from ticketr import TicketrError
from ticketr.sync import read_state, visit_files
from ticketr.text import clean
from ticketr.tui import messages
from ticketr.tui.files import (
    WorkspaceReader,
    empty_state,
    read_clash,
    read_detail,
    resolve_conflict,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager

    from ticketr.sync import State, Store, ThreadRunner
    from ticketr.tui.job_kind import JobKind
    from ticketr.tui.messages import Message
    from ticketr.tui.rows import ListRow


@final
class Loader:
    """Reads files for the app; an error becomes a message and does not end the app.

    Args:
        store: The workspace's files.
        in_thread: Runs a function that reads files in a thread.
        send_message: Takes the results.
    """

    def __init__(
        self, store: Store, in_thread: ThreadRunner, send_message: Callable[[Message], None]
    ) -> None:
        self._store = store
        self._in_thread = in_thread
        self._send_message = send_message
        # Results of a later reading must not be replaced by those of an earlier one.
        self._lock = trio.Lock()
        self._is_filled = False

    async def load(self) -> None:
        """Read all files, and compare them with the last sync.

        Cancellation:
            Waits for the thread, which reads a few files at a time.
        """
        if self._lock.statistics().tasks_waiting:  # the waiting task will read the same files
            await trio.lowlevel.checkpoint()
            return
        await self._read_files()

    async def count_writes(self, kind: JobKind) -> None:
        """Find what a push or sync would write and remove in Jira.

        If the state cannot be read, only the error is sent.
        """
        reader = await self._read_files(with_losses=True)
        if reader is not None:
            self._send_message(messages.WritesCounted(kind, reader.writes, reader.lost))

    async def resolve(self, key: str, take: str) -> None:
        """Resolve the conflict of a ticket, and read all files again."""
        with self._reporting():
            await self._in_thread(resolve_conflict, self._store, key, take)
        await self._read_files()

    async def open(self, row: ListRow) -> None:
        """Read the text of an issue."""
        with self._reporting():
            lines = await self._in_thread(read_detail, self._store, row)
            self._send_message(messages.DetailLoaded(row, lines))

    async def open_conflict(self, row: ListRow) -> None:
        """Read both versions of a conflicting ticket."""
        with self._reporting():
            lines = await self._in_thread(read_clash, self._store, row)
            self._send_message(messages.ClashLoaded(row, lines))

    async def reread(self, row: ListRow) -> None:
        """Read the text of the open issue again; errors of its file were sent before."""
        with suppress(TicketrError):
            lines = await self._in_thread(read_detail, self._store, row)
            if lines:
                self._send_message(messages.DetailReread(row, lines))

    async def _read_files(self, *, with_losses: bool = False) -> WorkspaceReader | None:
        """Read every file; return None if the last sync cannot be read."""
        async with self._lock:
            try:
                return await self._read_against(read_state(self._store), with_losses=with_losses)
            except TicketrError as error:
                await self._read_against(empty_state())
                self._fail(error)
                return None

    async def _read_against(
        self, last_sync: AbstractContextManager[State], *, with_losses: bool = False
    ) -> WorkspaceReader:
        # Rows that are shown stay until all files are read, so that they do not flicker.
        show = _ignore if self._is_filled else self._send_message
        async with self._opened(last_sync) as state:
            reader = WorkspaceReader(self._store, state)
            await visit_files(self._store, self._in_thread, reader.take, show)
            self._send_message(await self._in_thread(reader.all_files))
            if with_losses:
                await self._in_thread(reader.find_losses)
        self._is_filled = True
        return reader

    @asynccontextmanager
    async def _opened(self, last_sync: AbstractContextManager[State]) -> AsyncGenerator[State]:
        stack = ExitStack()
        state = await self._in_thread(stack.enter_context, last_sync)
        try:
            yield state
        finally:
            with trio.CancelScope(shield=True):  # closing one file is quick
                await self._in_thread(stack.close)

    @contextmanager
    def _reporting(self) -> Generator[None]:
        """Send an error of the block to the app."""
        try:
            yield
        except TicketrError as error:
            self._fail(error)

    def _fail(self, error: TicketrError) -> None:
        self._send_message(messages.Failed(clean(str(error))))


def _ignore(_: Message) -> None:
    pass
