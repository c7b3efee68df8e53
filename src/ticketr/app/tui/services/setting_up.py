"""Carries out the checks of the first run, and adds and opens workspaces for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import CallFailed, Services, SetupRunner
from ticketr.app.tui.services.workspaces import open_workspace
from ticketr.app.tui.setup import (
    FolderAnswer,
    Login,
    LoginAnswer,
    NewWorkspace,
    OpenedWorkspace,
    Problem,
    SetupField,
    SiteAnswer,
)
from ticketr.text import clean


def _runner(services: Services) -> SetupRunner:
    assert services.setup is not None, "an app that adds workspaces has a Setup"
    return services.setup


async def check_site(services: Services, address: str) -> SiteAnswer | Problem | None:
    """Ask a site whether it is a Jira."""
    ask = partial(_runner(services).setup.check_site, address)
    return await services.run_latest(SetupField.SITE, ask)


async def check_login(services: Services, login: Login) -> LoginAnswer | Problem | None:
    """Ask a site for the account of a login."""
    setup = _runner(services).setup
    ask = partial(setup.check_login, login.site, login.email, login.token)
    return await services.run_latest(SetupField.TOKEN, ask)


async def check_folder(services: Services, folder: str) -> FolderAnswer | Problem | None:
    """Look at a folder."""
    ask = partial(_runner(services).setup.check_folder, Path(folder))
    return await services.run_latest(SetupField.FOLDER, ask)


async def suggest_folder(services: Services, site: str, project: str) -> str:
    """Find a folder for a new workspace."""
    setup = _runner(services).setup
    return _with_tilde(await services.in_thread(setup.default_folder, site, project))


async def read_login(services: Services, name: str) -> dict[SetupField, str]:
    """Return what a workspace is connected to, without its token, for a form that asks for that."""
    if services.setup is None:
        raise CallFailed("This app stores no login; ticketr workspace add does")
    workspace = services.workspaces[name]
    return {
        SetupField.SITE: workspace.address,
        SetupField.EMAIL: workspace.email,
        SetupField.PROJECT: workspace.project,
        SetupField.FOLDER: await services.in_thread(_with_tilde, workspace.root),
    }


async def add_workspace(services: Services, wanted: NewWorkspace) -> Message | Problem | None:
    """Store a new workspace, and show it."""
    setup = _runner(services).setup
    return await _opened(services, partial(setup.add_workspace, wanted))


async def open_folder(services: Services, folder: str) -> Message | Problem | None:
    """Show the workspace in a folder."""
    setup = _runner(services).setup
    return await _opened(services, partial(setup.open_folder, Path(folder)))


async def try_sandbox(services: Services) -> Message | Problem | None:
    """Run a sandbox until the jobs have ended, and show its workspace."""
    return await _opened(services, _runner(services).open_sandbox)


def cancel_setup(services: Services) -> None:
    """Cancel all that the first run has asked for."""
    for place in (*SetupField, None):
        services.cancel(place)


async def _opened(
    services: Services, ask: Callable[[], Awaitable[OpenedWorkspace | Problem]]
) -> Message | Problem | None:
    answer = await services.run_latest(None, ask)
    if not isinstance(answer, OpenedWorkspace):
        return answer
    workspace = open_workspace(answer.title, answer.options)
    name = services.opened.add(workspace)
    words = clean(answer.stored or f"the tickets are files in {workspace.root}")
    return workspace.opened(name, is_wanted=True, words=words)


def _with_tilde(folder: Path) -> str:
    """Return a folder for people, below ``~`` if it is in the home folder."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
