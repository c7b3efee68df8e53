"""Run the app on a virtual clock: keys through a channel, jobs that do what a test wants."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import trio
import trio.testing
from fakes.pulls import URL, Recorder, inline
from fakes.states import FakeScreen

from jira_sandbox import EMAIL, TOKEN, create_app, make_site
from ticketr import JobContext, JobQueue, open_job_queue
from ticketr.app.jira import Credentials
from ticketr.app.sync import OnTicketsWritten, Store
from ticketr.app.tui.app import SECONDS_PER_FRAME, App
from ticketr.app.tui.effects import JobRequest
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace, WorkspaceRegistry
from ticketr.app.tui.setup import (
    AcceptedLogin,
    CloudSite,
    FolderAnswer,
    FolderKind,
    NewWorkspace,
    OpenedWorkspace,
    Problem,
    ProjectChoice,
    Setup,
)
from ticketr.app.tui.styled import Theme


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

    def make_job(request: JobRequest, _: OnTicketsWritten) -> Steps:
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
    opened = WorkspaceRegistry((made,), lambda _: reader, told.append)
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
        await trio.sleep(SECONDS_PER_FRAME * 2)

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
    auto_pull_seconds: float = 0.0,
) -> AsyncGenerator[Run]:
    """Run the app while the block runs, and end it and its jobs at the end of the block.

    Args:
        workspaces: Its workspaces.
        setup: What a first run asks.
        screen: Its terminal.
        pull: Whether it begins with a pull.
        auto_pull_seconds: The seconds between two pulls that nobody has asked for; 0 for none.
    """
    screen = FakeScreen(100, 30) if screen is None else screen
    async with trio.open_nursery() as sandbox_nursery:
        async with open_job_queue(workers=2) as queue:
            app = App(
                cast("Any", screen),
                queue,
                workspaces,
                theme=Theme(),
                in_thread=inline,
                setup=setup,
                sandbox_nursery=sandbox_nursery,
                auto_pull_seconds=auto_pull_seconds,
            )
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
        sandbox_nursery.cancel_scope.cancel()


SITE = CloudSite("https://harbour.example", 120)
DEMO, SHOP = ProjectChoice("DEMO", "Harbour Books"), ProjectChoice("SHOP", "The shop")
NEW = FolderAnswer(FolderKind.MISSING)
LOGIN = AcceptedLogin("Priya Raman", (DEMO, SHOP), 2)


@dataclass
class FakeSetup:
    """A setup; every answer takes a second.

    Attributes:
        root: The folder of every workspace that it opens.
        noted: What was asked, and what of it was cancelled, in order.
    """

    root: Path
    site: CloudSite | Problem = SITE
    login: AcceptedLogin | Problem = LOGIN
    folder: FolderAnswer | Problem = NEW
    added: Problem | None = None
    opened: Problem | None = None
    sandbox: Problem | None = None
    noted: list[str] = field(default_factory=list)

    async def check_is_jira_cloud(self, address: str) -> CloudSite | Problem:
        await self._note(f"site {address}")
        return self.site

    async def check_login(self, site: str, email: str, token: str) -> AcceptedLogin | Problem:
        await self._note(f"login {site} {email} {token}")
        return self.login

    async def classify_folder(self, folder: Path) -> FolderAnswer | Problem:
        await self._note(f"folder {folder}")
        return self.folder

    def suggest_free_folder(self, site: str, project: str = "") -> Path:
        return Path.home() / f"{site.removeprefix('https://').partition('.')[0]}{project.lower()}"

    async def add_workspace(self, wanted: NewWorkspace) -> OpenedWorkspace | Problem:
        await self._note(f"add {wanted.site} {wanted.project} {wanted.folder} {wanted.token}")
        return self.added or self._opened("harbour")

    async def open_folder(self, folder: Path) -> OpenedWorkspace | Problem:
        await self._note(f"open {folder}")
        return self.opened or self._opened("harbour")

    @asynccontextmanager
    async def open_sandbox(self) -> AsyncGenerator[OpenedWorkspace | Problem]:
        await self._note("sandbox")
        try:
            yield self.sandbox or self._opened("demo")
        finally:
            self.noted.append("sandbox ended")

    def _opened(self, title: str) -> OpenedWorkspace:
        self.root.mkdir(exist_ok=True)
        app = create_app(make_site(tickets=3, seed=1), latency=0.1)
        return OpenedWorkspace(
            title,
            {
                "root": self.root,
                "credentials": Credentials(URL, EMAIL, TOKEN),
                "project": "DEMO",
                "transport": Recorder(app),
                "run_sync": inline,
            },
            "the token is in your keyring",
        )

    async def _note(self, asked: str) -> None:
        self.noted.append(asked)
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            self.noted.append(f"{asked} cancelled")
            raise


def as_setup(fake: FakeSetup) -> Setup:
    return fake
