"""What the services have in common: queue, workspaces, terminal, and the newest requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import trio

from ticketr import JobQueue, TicketrError
from ticketr.app import sync
from ticketr.app.tui.effects import ServiceCall
from ticketr.app.tui.messages import CallEnded, Message, Notice
from ticketr.app.tui.services.workspaces import (
    FileReader,
    OpenWorkspace,
    WorkspaceRegistry,
    error_with_relative_paths,
)
from ticketr.app.tui.setup import Setup
from ticketr.terminal import Terminal
from ticketr.text import clean

T = TypeVar("T")


@dataclass(eq=False, repr=False)
class CallFailed(TicketrError):
    """Raised when a service cannot do what it was called for.

    Attributes:
        words: Why not.
        text_written_in_editor: What the user wrote in the editor before that; None if nothing new.
    """

    words: str
    text_written_in_editor: str | None = None

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Services:
    """What the services have in common.

    Attributes:
        terminal: The terminal.
        queue: The queue that runs the jobs; it may hold other jobs, too.
        workspace_registry: The open workspaces, and those that are not open yet.
        send_message: Sends a message to the app.
        in_thread: Runs blocking work in a thread.
        workspace_adder: Adds workspaces; None in an app that adds none.
        sandbox_nursery: Keeps a sandbox that was started until the jobs have ended, too.
        replaceable_scope_by_place: The scopes of requests that a later one in the same place cancels.
        latest_calls: The last call of each function for each workspace.
        leave_requested: It is set when the user leaves.
        auto_pull_seconds: The seconds between two pulls that nobody has asked for; 0 for none.
        may_auto_pull: Whether one of a workspace would disturb nobody now.
    """

    terminal: Terminal
    queue: JobQueue
    workspace_registry: WorkspaceRegistry
    send_message: Callable[[Any], None]
    in_thread: sync.ThreadRunner = field(default=trio.to_thread.run_sync)
    workspace_adder: Setup | None = None
    sandbox_nursery: trio.Nursery | None = None
    replaceable_scope_by_place: dict[Hashable, trio.CancelScope] = field(default_factory=dict)
    latest_calls: dict[tuple[Callable[..., object], str], ServiceCall] = field(default_factory=dict)
    leave_requested: trio.Event = field(default_factory=trio.Event)
    auto_pull_seconds: float = 0.0
    may_auto_pull: Callable[[str], bool] = lambda _: False

    async def carry_out(self, request: ServiceCall) -> None:
        """Call an async function, and send what it returns, or why it failed.

        The answer is not sent if the function was called again meanwhile for the workspace, since
        it must not replace that to the later call, which read the files later.
        """
        place = (request.function, request.required_workspace)
        self.latest_calls[place] = request
        try:
            answer = await request.function(self, *request.args)
        except (TicketrError, OSError) as error:  # OSError: such as a full disk
            words = str(error)
            if workspace := self.workspaces.get(request.required_workspace):
                words = error_with_relative_paths(workspace.store, error)
            answer = CallEnded(
                request, getattr(error, "text_written_in_editor", None), clean(words)
            )
        if answer is not None and (
            self.latest_calls[place] is request or request.step_on_failure is not None
        ):
            self.send_message(answer if isinstance(answer, Message) else CallEnded(request, answer))

    async def run_latest(self, place: Hashable, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask for something, and cancel what is still being asked for in the same place.

        Returns:
            The answer; None after `cancel_request`, or if a later request has taken the place.
        """
        self.cancel_request(place)
        scope = self.replaceable_scope_by_place[place] = trio.CancelScope()
        try:
            with scope:
                return await ask()
        finally:
            if self.replaceable_scope_by_place.get(place) is scope:
                del self.replaceable_scope_by_place[place]
        return None

    def cancel_request(self, place: Hashable) -> None:
        """Cancel what is being asked for in a place."""
        scope = self.replaceable_scope_by_place.pop(place, None)
        if scope is not None:
            scope.cancel()

    async def read(self, name: str, read: Callable[[sync.Store, sync.State], T]) -> T:
        """Read something of a workspace's files and its last sync in a thread."""
        store = self.workspaces[name].store

        def read_all() -> T:
            with sync.read_state(store) as state:
                return read(store, state)

        return await self.in_thread(read_all)

    async def change(
        self, name: str, change: Callable[[sync.Store, sync.State], Notice | None]
    ) -> None:
        """Change files of a workspace in a thread, tell what was done, and read the workspace again.

        Args:
            name: The name of the workspace.
            change: Changes them, and returns what to tell.

        Cancellation:
            The files are changed first, which takes a moment.
        """
        store = self.workspaces[name].store

        def change_locked() -> Notice | None:
            store.make_state_folder()
            with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
                return change(store, state)

        failure: TicketrError | None = None
        with trio.CancelScope(shield=True):  # leaving right after Enter must not lose it
            try:
                if (notice := await self.in_thread(change_locked)) is not None:
                    self.send_message(notice)
            except TicketrError as error:  # the files may differ from what is shown
                failure = error
        await self.readers[name].read_and_compare()
        if failure is not None:
            raise failure

    @property
    def workspaces(self) -> Mapping[str, OpenWorkspace]:
        """The open workspaces, by their names."""
        return self.workspace_registry.by_name

    @property
    def readers(self) -> Mapping[str, FileReader]:
        """The reader of each open workspace's files, by its name."""
        return self.workspace_registry.readers
