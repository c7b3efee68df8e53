"""Run the app on a virtual clock: keys through a channel, jobs that do what a test wants."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import trio
import trio.testing
from fakes.pulls import inline
from fakes.screens import FakeScreen

from ticketr import JobContext, JobQueue, open_job_queue
from ticketr.app.sync import OnWritten, Store
from ticketr.app.tui.app import FRAME_INTERVAL, App
from ticketr.app.tui.job_request import JobRequest
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.setup_runner import SetupRunner
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace, Workspaces
from ticketr.app.tui.setup import Setup
from ticketr.app.tui.theme import Theme


@dataclass
class Steps:
    """A job of ten steps of a second."""

    name: str

    async def execute(self, context: JobContext) -> None:
        for done in range(10):
            context.report(current=done, total=10, message="Pulling tickets")
            await trio.sleep(1)
        context.report(current=10, total=10, message="Pull complete: 10 tickets")


def workspace(root: Path, name: str = "") -> OpenWorkspace:
    """Return a workspace whose jobs are `Steps`."""
    root.mkdir(exist_ok=True)
    name = name or root.name

    def make_job(request: JobRequest, _: OnWritten) -> Steps:
        return Steps(f"{request.kind.value.capitalize()} {name}")

    return OpenWorkspace(name, Store(root, ".ticketr"), make_job, "jira.example", "DEMO")


def services(
    root: Path,
    told: list[Message],
    *,
    reader: Any = None,
    terminal: Any = None,
    queue: Any = None,
    in_thread: Any = inline,
    **options: Any,
) -> Services:
    """Return what a service works with, for one workspace, `work`.

    Args:
        root: The folder of the workspace.
        told: A list that gets the messages to the app.
        reader: What reads the files of the workspace.
        terminal: The app's terminal.
        queue: The app's queue.
        in_thread: Runs what blocks.
        options: The rest of the workspace.
    """
    made = OpenWorkspace("work", Store(root, ".ticketr"), cast("Any", None), **options)
    opened = Workspaces((made,), lambda _: reader, told.append)
    return Services(terminal, queue, opened, told.append, in_thread=in_thread)


@dataclass
class Run:
    """A running app."""

    app: App
    screen: FakeScreen
    queue: JobQueue
    left: trio.Event = field(default_factory=trio.Event)

    async def settle(self) -> None:
        """Let everything happen that needs no time, and draw a frame."""
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(FRAME_INTERVAL * 2)

    async def press(self, *names: str) -> None:
        """Press keys one after the other, with a frame after each."""
        for name in names:
            self.screen.press(name)
            await self.settle()

    async def type(self, text: str) -> None:
        """Type a text without a rest."""
        self.screen.press(*text)
        await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def running_app(
    workspaces: Sequence[OpenWorkspace | ClosedWorkspace] = (),
    *,
    setup: Setup | None = None,
    screen: FakeScreen | None = None,
    pull: bool = False,
) -> AsyncGenerator[Run]:
    """Run the app while the block runs, and end it and its jobs at the end of the block.

    Args:
        workspaces: Its workspaces.
        setup: What a first run asks.
        screen: Its terminal.
        pull: Whether it begins with a pull.
    """
    screen = FakeScreen(100, 30) if screen is None else screen
    async with trio.open_nursery() as outlasting:
        async with open_job_queue(workers=2) as queue:
            runner = None if setup is None else SetupRunner(setup, outlasting)
            app = App(screen, queue, workspaces, theme=Theme(), in_thread=inline, setup=runner)
            run = Run(app, screen, queue)

            async def until_left() -> None:
                await app.run(pull=pull)
                run.left.set()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(until_left)
                await run.settle()
                yield run
                nursery.cancel_scope.cancel()
            await queue.shutdown(grace=0)
        outlasting.cancel_scope.cancel()
