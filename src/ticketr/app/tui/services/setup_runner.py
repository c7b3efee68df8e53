"""Runs the checks of the first run, one of each field at a time, and keeps its sandbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, final

import trio

from ticketr.app.tui.setup import OpenedWorkspace, Problem, Setup, SetupField

T = TypeVar("T")


@final
class SetupRunner:
    """Runs what the first run asks for: the newest check of each field, and one opening.

    Args:
        setup: Does the work.
        outlasting: Keeps a sandbox that was started, until the jobs have ended, too.
    """

    def __init__(self, setup: Setup, outlasting: trio.Nursery) -> None:
        self.setup = setup
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
