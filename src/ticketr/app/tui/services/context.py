"""What the services have in common: queue, workspaces, terminal, and the newest requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, TypeVarTuple, Unpack, final

import trio

from ticketr import JobQueue, TicketrError
from ticketr.app.sync import ThreadRunner
from ticketr.app.tui.effects import Call
from ticketr.app.tui.messages import Answered, Message, Told
from ticketr.app.tui.services.workspaces import (
    FileReader,
    OpenWorkspace,
    Workspaces,
    without_root,
)
from ticketr.app.tui.setup import OpenedWorkspace, Problem, Setup, SetupField
from ticketr.terminal import Event
from ticketr.text import clean

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(eq=False, repr=False)
class NotDone(TicketrError):
    """Raised when a service cannot do what it was called for.

    Attributes:
        words: Why not.
        written: The text that the user has written meanwhile; None if there is no new one.
    """

    words: str
    written: str | None = None

    def __str__(self) -> str:
        return self.words


@final
class Newest:
    """The newest request of each kind and workspace.

    Requests are answered by threads side by side. An answer must not replace one to a newer
    request, whose files were read later.
    """

    def __init__(self) -> None:
        self._begun: dict[tuple[Callable[..., object], str], object] = {}

    def begin(self, function: Callable[..., object], workspace: str) -> Callable[[], bool]:
        """Note that a request begins to be answered.

        Returns:
            A function that says whether no other request of this kind and workspace has begun since.
        """
        place, request = (function, workspace), object()
        self._begun[place] = request
        return lambda: self._begun[place] is request


@final
class SetupRunner:
    """Runs what the first run asks for: the newest check of each field, and one opening.

    Args:
        setup: Does the work.
        outlasting: Keeps a sandbox that was started, until the jobs have ended, too.
        has_sandbox: Whether a sandbox can be started.
    """

    def __init__(self, setup: Setup, outlasting: trio.Nursery, *, has_sandbox: bool = True) -> None:
        self.setup = setup
        self.has_sandbox = has_sandbox
        self._outlasting = outlasting
        self._running: dict[SetupField | None, trio.CancelScope] = {}

    async def newest(self, place: SetupField | None, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Run a function; cancel the one before of the same field.

        Args:
            place: The field; None for adding or opening a workspace.
            ask: The function.

        Returns:
            Its value; None if it was cancelled by a newer one, or by `cancel`.
        """
        older = self._running.get(place)
        if older is not None:
            older.cancel()
        scope = self._running[place] = trio.CancelScope()
        try:
            with scope:
                return await ask()
        finally:
            if self._running.get(place) is scope:
                del self._running[place]
        return None

    def cancel(self) -> None:
        """Cancel all that runs; a sandbox that has started goes on."""
        for scope in self._running.values():
            scope.cancel()

    async def open_sandbox(self) -> OpenedWorkspace | Problem:
        """Start a sandbox that runs as long as the nursery of `outlasting`.

        Cancellation:
            Ends the sandbox.
        """
        scope = trio.CancelScope()
        send, answers = trio.open_memory_channel["OpenedWorkspace | Problem"](1)
        self._outlasting.start_soon(self._keep_sandbox, scope, send)
        try:
            return await answers.receive()
        except trio.Cancelled:  # it may have started at the same moment
            scope.cancel()
            raise

    async def _keep_sandbox(
        self, scope: trio.CancelScope, send: trio.MemorySendChannel[OpenedWorkspace | Problem]
    ) -> None:
        with scope:
            async with self.setup.open_sandbox() as opened:
                send.send_nowait(opened)
                if isinstance(opened, OpenedWorkspace):
                    await trio.sleep_forever()


class AppTerminal(Protocol):
    """The part of `ticketr.terminal.Terminal` that the app uses."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in cells."""
        ...

    @property
    def is_handed_over(self) -> bool:
        """Whether another program uses the terminal now."""
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

    def drop_keys(self) -> None:
        """Forget what was typed and has not been read."""
        ...

    async def copy(self, text: str) -> None:
        """Put a text on the clipboard of the terminal."""
        ...

    def handed_over(self) -> AbstractAsyncContextManager[None]:
        """Restore the terminal for the block, so that another program uses it."""
        ...


@dataclass(frozen=True)
class Services:
    """What the services have in common.

    Attributes:
        terminal: The terminal.
        queue: The queue that runs the jobs; it may hold other jobs, too.
        opened: The workspaces.
        send: Sends a message to the app.
        in_thread: Runs blocking work in a thread.
        setup: Adds workspaces; None in an app that adds none.
        asking: The scope of the request that a screen of a workspace waits for, by its name.
        newest: The newest requests whose answers replace earlier ones.
        left: It is set when the user leaves.
        refresh: The seconds between two pulls that nobody has asked for; 0 for none.
        may_refresh: Whether one of a workspace would disturb nobody now.
    """

    terminal: AppTerminal
    queue: JobQueue
    opened: Workspaces
    send: Callable[[Message], None]
    in_thread: ThreadRunner = field(default=trio.to_thread.run_sync)
    setup: SetupRunner | None = None
    asking: dict[str, trio.CancelScope] = field(default_factory=dict[str, trio.CancelScope])
    newest: Newest = field(default_factory=Newest)
    left: trio.Event = field(default_factory=trio.Event)
    refresh: float = 0.0
    may_refresh: Callable[[str], bool] = lambda _: False

    async def carry_out(self, asked: Call) -> None:
        """Call an async function, and send what it returns, or why it failed.

        The answer is not sent if the function was called again meanwhile for the workspace, since
        it must not replace that to the later call, which read the files later.
        """
        is_newest = self.newest.begin(asked.function, asked.workspace)
        try:
            answer = await asked.function(self, *asked.args)
        except TicketrError as error:
            words = str(error)
            if asked.workspace in self.workspaces:
                words = without_root(self.workspaces[asked.workspace].store, error)
            answer = Answered(asked, getattr(error, "written", None), clean(words))
        if answer is not None and (is_newest() or asked.failed is not None):
            self.send(answer if isinstance(answer, Message) else Answered(asked, answer))

    async def change(self, name: str, change: Callable[[Unpack[Ts]], Told], *args: *Ts) -> None:
        """Change files of a workspace in a thread, tell what was done, and read the workspace again.

        Cancellation:
            The files are changed first, which takes a moment.
        """
        with trio.CancelScope(shield=True):  # leaving right after Enter must not lose it
            told = await self.in_thread(change, *args)
        self.send(told)
        await self.readers[name].read()

    @property
    def workspaces(self) -> Mapping[str, OpenWorkspace]:
        """The open workspaces, by their names."""
        return self.opened.by_name

    @property
    def readers(self) -> Mapping[str, FileReader]:
        """The reader of each open workspace's files, by its name."""
        return self.opened.readers
