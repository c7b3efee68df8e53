"""Reads the workspace for the app, a few files at a time on a thread, and tells what it finds."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, final

import trio

from ticketr import TicketrError
from ticketr.sync import read_state, visit_files
from ticketr.text import clean
from ticketr.tui import messages
from ticketr.tui.files import WorkspaceReader, nothing_known, read_clash, read_detail, settle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager

    from ticketr.sync import State, Store, ThreadRunner
    from ticketr.tui.job_kind import JobKind
    from ticketr.tui.messages import Message
    from ticketr.tui.rows import IssueRow


@final
class Loader:
    """Reads files when the app asks for it; whatever goes wrong is a message, and ends nothing.

    Args:
        store: The workspace's files.
        in_thread: How files are read.
        tell: Takes what was found.
    """

    def __init__(
        self, store: Store, in_thread: ThreadRunner, tell: Callable[[Message], None]
    ) -> None:
        self._store = store
        self._in_thread = in_thread
        self._tell = tell
        # The results of a look that began later must not be replaced by those of an earlier one.
        self._turn = trio.Lock()
        self._is_filled = False

    async def load(self) -> None:
        """Show what is in the folder now, and how it differs from the last sync.

        Cancellation:
            Waits for the few files that a thread is at.
        """
        if self._turn.statistics().tasks_waiting:  # who waits for its turn will see as much
            await trio.lowlevel.checkpoint()
            return
        await self._look()

    async def count_writes(self, work: JobKind) -> None:
        """Find what a push or sync would write and take away in Jira.

        Nothing is told of a state that cannot be read.
        """
        look = await self._look(with_losses=True)
        if look is not None:
            self._tell(messages.WritesCounted(work, look.writes, look.lost))

    async def resolve(self, key: str, take: str) -> None:
        """Settle the conflict of a ticket."""
        with self._telling():
            await self._in_thread(settle, self._store, key, take)
        await self._look()

    async def open(self, row: IssueRow) -> None:
        """Read the text of an issue."""
        with self._telling():
            lines = await self._in_thread(read_detail, self._store, row)
            self._tell(messages.DetailLoaded(row, lines))

    async def open_clash(self, row: IssueRow) -> None:
        """Read both versions of a ticket that has a conflict."""
        with self._telling():
            lines = await self._in_thread(read_clash, self._store, row)
            self._tell(messages.ClashLoaded(row, lines))

    async def reread(self, row: IssueRow) -> None:
        """Read the text of the open issue again; what is wrong with its file has been told."""
        with suppress(TicketrError):
            lines = await self._in_thread(read_detail, self._store, row)
            if lines:
                self._tell(messages.DetailReread(row, lines))

    async def _look(self, *, with_losses: bool = False) -> WorkspaceReader | None:
        """Look at every file; None where the last sync cannot be read and the tickets have to do."""
        async with self._turn:
            try:
                return await self._look_against(read_state(self._store), with_losses=with_losses)
            except TicketrError as error:
                await self._look_against(nothing_known())
                self._fail(error)
                return None

    async def _look_against(
        self, last_sync: AbstractContextManager[State], *, with_losses: bool = False
    ) -> WorkspaceReader:
        # What is shown already stays until all is read: rows must not come and go on the way.
        show = _ignore if self._is_filled else self._tell
        async with self._opened(last_sync) as state:
            look = WorkspaceReader(self._store, state)
            await visit_files(self._store, self._in_thread, look.take, show)
            self._tell(await self._in_thread(look.whole))
            if with_losses:
                await self._in_thread(look.find_losses)
        self._is_filled = True
        return look

    @asynccontextmanager
    async def _opened(self, last_sync: AbstractContextManager[State]) -> AsyncGenerator[State]:
        stack = ExitStack()
        state = await self._in_thread(stack.enter_context, last_sync)
        try:
            yield state
        finally:
            with trio.CancelScope(shield=True):  # closing one file is soon done
                await self._in_thread(stack.close)

    @contextmanager
    def _telling(self) -> Generator[None]:
        """Tell the user what could not be done."""
        try:
            yield
        except TicketrError as error:
            self._fail(error)

    def _fail(self, error: TicketrError) -> None:
        self._tell(messages.Failed(clean(str(error))))


def _ignore(_: Message) -> None:
    pass
