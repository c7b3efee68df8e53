"""What the services have in common: the queue, the workspaces, the terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from ticketr import Job, JobQueue
    from ticketr.sync import OnWritten, Side, Store, ThreadRunner
    from ticketr.terminal import Event
    from ticketr.tui.job_request import JobRequest
    from ticketr.tui.messages import Message


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


class FileReader(Protocol):
    """Reads the files of a workspace."""

    async def read(self) -> None:
        """Read all files, and send what they hold."""
        ...


@dataclass(frozen=True, slots=True)
class OpenWorkspace:
    """A workspace that the app works on.

    Attributes:
        name: Its name, which no other one has.
        store: Its files.
        make_job: Makes a job; the callback takes tickets that the job has written. It raises
            `TicketrError` if a setting is missing.
        site: The address of its site, for people.
        project: The key of its project; may be empty.
        address: The address of its site in a browser; empty if it has none.
        prefer: The side that wins where both sides have changed the same; None for a conflict.
    """

    name: str
    store: Store
    make_job: Callable[[JobRequest, OnWritten], Job[object]]
    site: str = ""
    project: str = ""
    address: str = ""
    prefer: Side | None = None


@dataclass(frozen=True)
class Services:
    """What the services have in common.

    Attributes:
        terminal: The terminal.
        queue: The queue that runs the jobs; it may hold other jobs, too.
        workspaces: The workspaces, by their names.
        readers: The reader of each workspace's files, by its name.
        send: Sends a message to the app.
        in_thread: Runs blocking work in a thread.
    """

    terminal: AppTerminal
    queue: JobQueue
    workspaces: Mapping[str, OpenWorkspace]
    readers: Mapping[str, FileReader]
    send: Callable[[Message], None]
    in_thread: ThreadRunner = field(default=trio.to_thread.run_sync)
