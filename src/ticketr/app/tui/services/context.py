"""What the services have in common: the queue, the workspaces, the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

import trio

from ticketr.app.tui import effects
from ticketr.app.tui.effects import Effect

if TYPE_CHECKING:
    from ticketr import JobQueue
    from ticketr.app.sync import ThreadRunner
    from ticketr.app.tui.messages import Message
    from ticketr.app.tui.services.setting_up import SetupRunner
    from ticketr.app.tui.services.workspaces import FileReader, OpenWorkspace, Workspaces
    from ticketr.terminal import Event


@final
class Newest:
    """The newest request of each kind and workspace.

    Requests are answered by threads side by side. An answer must not replace one to a newer
    request, whose files were read later.
    """

    def __init__(self) -> None:
        self._begun: dict[tuple[type[Effect], str], Effect] = {}

    def begin(self, request: Effect) -> None:
        """Note that a request begins to be answered."""
        self._begun[type(request), effects.workspace_of(request)] = request

    def is_newest(self, request: Effect) -> bool:
        """Return whether no other request of its kind and workspace has begun after it."""
        return self._begun.get((type(request), effects.workspace_of(request))) is request


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

    def hold_escape(self, seconds: float | None) -> None:
        """Hold an Esc so long for the rest of a key; None for the usual time."""
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
    """

    terminal: AppTerminal
    queue: JobQueue
    opened: Workspaces
    send: Callable[[Message], None]
    in_thread: ThreadRunner = field(default=trio.to_thread.run_sync)
    setup: SetupRunner | None = None
    asking: dict[str, trio.CancelScope] = field(default_factory=dict[str, trio.CancelScope])
    newest: Newest = field(default_factory=Newest)

    @property
    def workspaces(self) -> Mapping[str, OpenWorkspace]:
        """The open workspaces, by their names."""
        return self.opened.by_name

    @property
    def readers(self) -> Mapping[str, FileReader]:
        """The reader of each open workspace's files, by its name."""
        return self.opened.readers
