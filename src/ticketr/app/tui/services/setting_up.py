"""Carries out the checks of the first run, and adds and opens workspaces for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TypeVar

from ticketr.app.tui import messages
from ticketr.app.tui.services.context import Services, SetupRunner
from ticketr.app.tui.services.workspaces import open_workspace
from ticketr.app.tui.setup import Login, NewWorkspace, OpenedWorkspace, Problem, SetupField
from ticketr.text import clean

T = TypeVar("T")


def _runner(services: Services) -> SetupRunner:
    assert services.setup is not None, "an app that adds workspaces has a Setup"
    return services.setup


async def check_site(services: Services, number: int, address: str) -> None:
    """Ask a site whether it is a Jira; the answer repeats the number of the request."""
    runner = _runner(services)
    answer = await runner.newest(SetupField.SITE, partial(runner.setup.check_site, address))
    if answer is not None:
        services.send(messages.SiteChecked(number, answer))


async def check_login(services: Services, number: int, login: Login) -> None:
    """Ask a site for the account of a login."""
    runner = _runner(services)
    ask = partial(runner.setup.check_login, login.site, login.email, login.token)
    answer = await runner.newest(SetupField.TOKEN, ask)
    if answer is not None:
        services.send(messages.LoginChecked(number, answer))


async def check_folder(services: Services, number: int, folder: str) -> None:
    """Look at a folder."""
    runner = _runner(services)
    ask = partial(runner.setup.check_folder, Path(folder))
    answer = await runner.newest(SetupField.FOLDER, ask)
    if answer is not None:
        services.send(messages.FolderChecked(number, answer))


async def suggest_folder(services: Services, site: str, project: str) -> None:
    """Find a folder for a new workspace."""
    setup = _runner(services).setup
    path = await services.in_thread(setup.default_folder, site, project)
    services.send(messages.FolderSuggested(_with_tilde(path)))


def read_login(services: Services, name: str) -> None:
    """Send what a workspace is connected to, without its token, for a form that asks for that."""
    if services.setup is None:
        services.send(messages.Told("This app stores no login; ticketr workspace add does"))
        return
    workspace = services.workspaces[name]
    texts = {
        SetupField.SITE: workspace.address,
        SetupField.EMAIL: workspace.email,
        SetupField.PROJECT: workspace.project,
        SetupField.FOLDER: _with_tilde(workspace.root),
    }
    services.send(messages.LoginRead(texts))


async def add_workspace(services: Services, wanted: NewWorkspace) -> None:
    """Store a new workspace, and show it."""
    runner = _runner(services)
    _show(services, await runner.newest(None, partial(runner.setup.add_workspace, wanted)))


async def open_folder(services: Services, folder: str) -> None:
    """Show the workspace in a folder."""
    runner = _runner(services)
    ask = partial(runner.setup.open_folder, Path(folder))
    _show(services, await runner.newest(None, ask))


async def try_sandbox(services: Services) -> None:
    """Run a sandbox until the jobs have ended, and show its workspace."""
    runner = _runner(services)
    _show(services, await runner.newest(None, runner.open_sandbox))


def cancel_setup(services: Services) -> None:
    """Cancel all that the first run has asked for."""
    _runner(services).cancel()


def _show(services: Services, answer: OpenedWorkspace | Problem | None) -> None:
    match answer:
        case None:
            pass
        case Problem():
            services.send(messages.SetupFailed(answer))
        case OpenedWorkspace():
            workspace = open_workspace(answer.title, answer.options)
            name = services.opened.add(workspace)
            words = clean(answer.stored or f"the tickets are files in {workspace.root}")
            services.send(workspace.opened(name, is_wanted=True, words=words))


def _with_tilde(folder: Path) -> str:
    """Return a folder for people, below ``~`` if it is in the home folder."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
