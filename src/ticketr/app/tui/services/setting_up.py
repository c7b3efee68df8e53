"""Carries out the checks of the first run, and adds and opens workspaces for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import trio

from ticketr.app.tui import setup
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import CallFailed, Services
from ticketr.app.tui.services.workspaces import open_workspace
from ticketr.text import clean


def _require_setup(services: Services) -> setup.Setup:
    assert services.workspace_adder is not None, "an app that adds workspaces has a Setup"
    return services.workspace_adder


async def check_site(services: Services, address: str) -> setup.CloudSite | setup.Problem | None:
    """Ask a site whether it is a Jira."""
    ask = partial(_require_setup(services).check_is_jira_cloud, address)
    return await services.run_latest(setup.SetupField.SITE, ask)


async def check_login(
    services: Services, login: setup.Login
) -> setup.AcceptedLogin | setup.Problem | None:
    """Ask a site for the account of a login."""
    ask = partial(_require_setup(services).check_login, login.site, login.email, login.token)
    return await services.run_latest(setup.SetupField.TOKEN, ask)


async def classify_folder(
    services: Services, folder: str
) -> setup.FolderAnswer | setup.Problem | None:
    """Look at a folder."""
    ask = partial(_require_setup(services).classify_folder, Path(folder))
    return await services.run_latest(setup.SetupField.FOLDER, ask)


async def suggest_folder(services: Services, site: str, project: str) -> str:
    """Find a folder for a new workspace."""
    find = _require_setup(services).suggest_free_folder
    return _with_tilde(await services.in_thread(find, site, project))


async def read_login_form_values(services: Services, name: str) -> dict[setup.SetupField, str]:
    """Return what a workspace is connected to, without its token, for a form that asks for that."""
    if services.workspace_adder is None:
        raise CallFailed("This app stores no login; ticketr workspace add does")
    workspace = services.workspaces[name]
    return {
        setup.SetupField.SITE: workspace.site_url,
        setup.SetupField.EMAIL: workspace.email,
        setup.SetupField.PROJECT: workspace.project,
        setup.SetupField.FOLDER: await services.in_thread(_with_tilde, workspace.root),
    }


async def add_and_show_workspace(services: Services, wanted: setup.NewWorkspace) -> object:
    """Store a new workspace, and show it."""
    return await _show_opened(services, partial(_require_setup(services).add_workspace, wanted))


async def open_folder(services: Services, folder: str) -> Message | setup.FolderAnswer | None:
    """Show the workspace in a folder; return what a folder is that is no workspace.

    Raises:
        CallFailed: There is no such folder, or it cannot be opened.
    """
    steps, path = _require_setup(services), Path(folder)

    async def check_and_open() -> setup.OpenedWorkspace | setup.Problem | setup.FolderAnswer:
        answer = await steps.classify_folder(path)
        is_workspace = (
            isinstance(answer, setup.FolderAnswer) and answer.kind is setup.FolderKind.WORKSPACE
        )
        return await steps.open_folder(path) if is_workspace else answer

    answer = await _show_opened(services, check_and_open)
    if isinstance(answer, setup.Problem):
        raise CallFailed(answer.words)
    if isinstance(answer, setup.FolderAnswer) and answer.kind is setup.FolderKind.MISSING:
        raise CallFailed("there is no such folder")
    return answer


async def run_and_show_sandbox(services: Services) -> object:
    """Run a sandbox until the jobs have ended, and show its workspace."""
    assert services.sandbox_nursery is not None, "an app that adds workspaces has a nursery for it"
    return await _show_opened(
        services, partial(services.sandbox_nursery.start, _run_sandbox, services)
    )


async def _run_sandbox(
    services: Services,
    *,
    task_status: trio.TaskStatus[setup.OpenedWorkspace | setup.Problem] = trio.TASK_STATUS_IGNORED,
) -> None:
    async with _require_setup(services).open_sandbox() as opened:
        task_status.started(opened)
        if isinstance(opened, setup.OpenedWorkspace):
            await trio.sleep_forever()


def cancel_setup(services: Services) -> None:
    """Cancel all that the first run has asked for."""
    for place in (*setup.SetupField, None):
        services.cancel_request(place)


async def _show_opened(
    services: Services,
    ask: Callable[[], Awaitable[setup.OpenedWorkspace | setup.Problem | setup.FolderAnswer]],
) -> Message | setup.Problem | setup.FolderAnswer | None:
    answer = await services.run_latest(None, ask)
    if not isinstance(answer, setup.OpenedWorkspace):
        return answer
    workspace = open_workspace(answer.title, answer.options)
    name = services.workspace_registry.add_or_replace(workspace)
    words = clean(answer.token_location or f"the tickets are files in {workspace.root}")
    return workspace.opened_message(name, is_wanted=True, words=words)


def _with_tilde(folder: Path) -> str:
    """Return a folder for people, below ``~`` if it is in the home folder."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
