"""A `Setup` that answers as a test says, after a second, and notes what became of each question."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio
from fakes.pulls import URL, Recorder, inline

from jira_sandbox import EMAIL, TOKEN, create_app, make_site
from ticketr.app.jira import Credentials
from ticketr.app.tui.setup import (
    FolderAnswer,
    FolderKind,
    LoginAnswer,
    NewWorkspace,
    OpenedWorkspace,
    Problem,
    ProjectChoice,
    Setup,
    SiteAnswer,
)

SITE = SiteAnswer("https://harbour.example", 120)
DEMO, SHOP = ProjectChoice("DEMO", "Harbour Books"), ProjectChoice("SHOP", "The shop")
NEW = FolderAnswer(FolderKind.NEW)
LOGIN = LoginAnswer("Priya Raman", (DEMO, SHOP), 2)


@dataclass
class FakeSetup:
    """A setup; every answer takes a second.

    Attributes:
        root: The folder of every workspace that it opens.
        noted: What was asked, and what of it was cancelled, in order.
    """

    root: Path
    site: SiteAnswer | Problem = SITE
    login: LoginAnswer | Problem = LOGIN
    folder: FolderAnswer | Problem = NEW
    added: Problem | None = None
    opened: Problem | None = None
    sandbox: Problem | None = None
    noted: list[str] = field(default_factory=list)

    async def check_site(self, address: str) -> SiteAnswer | Problem:
        await self._note(f"site {address}")
        return self.site

    async def check_login(self, site: str, email: str, token: str) -> LoginAnswer | Problem:
        await self._note(f"login {site} {email} {token}")
        return self.login

    async def check_folder(self, folder: Path) -> FolderAnswer | Problem:
        await self._note(f"folder {folder}")
        return self.folder

    def default_folder(self, site: str, project: str = "") -> Path:
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
