"""Sets up workspaces for the app: implements `ticketr.app.tui.setup.Setup`.

What it stores, and where, is what ``ticketr workspace add`` stores: both use the same functions.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, final
from urllib.parse import urlsplit

import trio

from ticketr._errors import TicketrError
from ticketr.app import config, jira, sync
from ticketr.app.cli import settings, workspace_add
from ticketr.app.cli.demo_site import SandboxFailed, open_demo, prepare_demo_folder_and_mark
from ticketr.app.cli.options import session_options
from ticketr.app.cli.ownership import owner_mark_refusing_foreign_state
from ticketr.app.jira.credentials import is_loopback
from ticketr.app.jira.errors import WRONG_LOGIN_REASON
from ticketr.app.jira.transport import Transport
from ticketr.app.tui import setup
from ticketr.app.tui.services.workspaces import site_without_https
from ticketr.text import clean

P = ParamSpec("P")
T = TypeVar("T")

#: The names of values in errors, and the fields that hold them.
_SITE, _EMAIL, _PROJECT = "the site", "the mail address", "the project"
_FIELD_BY_VALUE_NAME: Final = {
    _SITE: setup.SetupField.SITE,
    _EMAIL: setup.SetupField.EMAIL,
    _PROJECT: setup.SetupField.PROJECT,
}
#: The first name of a setting that is missing, and the field that holds its value.
_FIELD_BY_SETTING: Final = {
    config.TOKEN_VARIABLES[0]: setup.SetupField.TOKEN,
    "JIRA_EMAIL": setup.SetupField.EMAIL,
    "JIRA_PROJECT_KEY": setup.SetupField.PROJECT,
}
_CLOUD_HOST_SUFFIX = ".atlassian.net"


def _returns_problems(
    ask: Callable[P, Awaitable[T]],
) -> Callable[P, Coroutine[Any, Any, T | setup.Problem]]:
    """Return a function that returns the problem that an error is for the user, and raises none."""

    @wraps(ask)
    async def answer(*args: P.args, **keywords: P.kwargs) -> T | setup.Problem:
        try:
            return await ask(*args, **keywords)
        except (TicketrError, OSError) as error:
            return _problem_of(error)

    return answer


@final
class TuiWorkspaceSetup:
    """Sets up workspaces without asking anything at the terminal.

    Attributes:
        demo: The folder of the sandbox that was started last; None if none was.

    Args:
        make_transport: Makes the HTTP adapter of each request; the default uses httpx.
    """

    def __init__(self, make_transport: Callable[[], Transport | None] = lambda: None) -> None:
        self._transport = make_transport
        self.demo: Path | None = None

    @_returns_problems
    async def check_is_jira_cloud(self, address: str) -> setup.CloudSite:
        """Ask a site whether it is a Jira Cloud; see `Setup.check_is_jira_cloud`."""
        site = checked_address(address)
        began = trio.current_time()
        await jira.check_cloud(site, transport=self._transport())
        return setup.CloudSite(site, round(1000 * (trio.current_time() - began)))

    @_returns_problems
    async def check_login(self, site: str, email: str, token: str) -> setup.AcceptedLogin:
        """Ask a site for the account of a login, and for its projects; see `Setup.check_login`."""
        typed = _typed_login(checked_address(site), email, token)
        login = settings.make_credentials_and_redact(typed, None)
        async with jira.open_jira(login, transport=self._transport()) as client:
            account = await client.myself()
            projects, total = await client.projects(most=setup.MAX_PROJECTS)
        choices = tuple(
            setup.ProjectChoice(clean(project.key), clean(project.name)) for project in projects
        )
        return setup.AcceptedLogin(clean(account.display_name), choices, total)

    @_returns_problems
    async def classify_folder(self, folder: Path) -> setup.FolderAnswer:
        """Look at a folder; see `Setup.classify_folder`."""
        return await trio.to_thread.run_sync(_classify_folder, folder)

    def suggest_free_folder(self, site: str, project: str = "") -> Path:
        """Return the current folder if it is empty, else a free one below the home folder.

        Args:
            site: The site's address; its name is that of the folder.
            project: The key of the project, for the folder's name if there is one of the site's.
        """
        home = Path.home()
        with suppress(OSError):  # the current folder was deleted
            if (here := Path.cwd()) != home and _is_missing_or_empty(here):
                return here
        around = home / "work" if (home / "work").is_dir() else home
        host = ""
        with suppress(ValueError):  # it is not checked yet
            host = urlsplit(site if "://" in site else f"//{site}").hostname or ""
        name = "jira" if is_loopback(host) else host.partition(".")[0]
        name = re.sub(r"[^a-z0-9-]", "", name.lower()) or "jira"
        names = [name, *([f"{name}-{project.lower()}"] if project.isalnum() else [])]
        numbered = (f"{names[-1]}-{number}" for number in range(2, 1000))
        free = (
            around / name for name in (*names, *numbered) if _is_missing_or_empty(around / name)
        )
        return next(free, around / name)

    @_returns_problems
    async def add_workspace(self, wanted: setup.NewWorkspace) -> setup.OpenedWorkspace:
        """Check and store a workspace; see `Setup.add_workspace`."""
        site = checked_address(wanted.site)
        project = config.checked_project(_PROJECT, wanted.project.strip().upper())
        token = _typed_login(site, wanted.email, wanted.token)
        login = settings.make_credentials_and_redact(token, None)
        entry, file, workspace = await trio.to_thread.run_sync(
            _prepare_new_workspace, wanted.folder, site, login.email, project
        )
        await workspace_add.check_login(
            login, site=site, project=project, fields=workspace.fields, transport=self._transport()
        )
        mark = await trio.to_thread.run_sync(owner_mark_refusing_foreign_state, entry.folder)
        stored = await trio.to_thread.run_sync(workspace_add.store_workspace, entry, file, token)
        written = await trio.to_thread.run_sync(config.read_workspace_file, entry.folder)
        options = session_options(replace(workspace, file=written or file), login, mark)
        return setup.OpenedWorkspace(
            clean(entry.name), options, workspace_add.TOKEN_LOCATION_MESSAGES[stored.token_source]
        )

    @_returns_problems
    async def open_folder(self, folder: Path) -> setup.OpenedWorkspace:
        """Open a folder that is a workspace; see `Setup.open_folder`."""
        workspace = await trio.to_thread.run_sync(_read_existing_workspace, folder)
        hint = "connect to Jira with this folder"
        login = await settings.find_stored_credentials(workspace, hint)
        mark = await trio.to_thread.run_sync(owner_mark_refusing_foreign_state, workspace.root)
        return setup.OpenedWorkspace(clean(workspace.name), session_options(workspace, login, mark))

    @asynccontextmanager
    async def open_sandbox(self) -> AsyncGenerator[setup.OpenedWorkspace | setup.Problem]:
        """Run a Jira stand-in while the block runs; see `Setup.open_sandbox`."""
        async with AsyncExitStack() as stack:
            opened: setup.OpenedWorkspace | setup.Problem
            try:
                root, mark = await trio.to_thread.run_sync(prepare_demo_folder_and_mark)
                options = await stack.enter_async_context(open_demo(root, mark))
            except (TicketrError, OSError) as error:
                opened = _problem_of(error)
            else:
                opened = setup.OpenedWorkspace("demo", options)
                self.demo = root
            yield opened


def _problem_of(error: TicketrError | OSError) -> setup.Problem:
    field: setup.SetupField | None = setup.SetupField.FOLDER
    words = str(error)
    match error:
        case config.BadSetting(name=name) if name in _FIELD_BY_VALUE_NAME:
            field = _FIELD_BY_VALUE_NAME[name]
        case config.SiteNotConfirmed():
            field = setup.SetupField.SITE
        case config.MissingSetting(alternative_names=(first, *_), hint=words):
            field = _FIELD_BY_SETTING.get(first, setup.SetupField.SITE)
        case jira.AuthenticationFailed() | config.TokenFailed():
            field = setup.SetupField.TOKEN
            if type(error) is jira.AuthenticationFailed:  # the form itself takes another token
                words = f"{error.what_went_wrong}: {WRONG_LOGIN_REASON}; type another one"
        case sync.UnknownProject():
            field = setup.SetupField.PROJECT
        case jira.JiraError():
            field = setup.SetupField.SITE
        case config.NotPrivate() | SandboxFailed() | OSError():
            field = None
    return setup.Problem(clean(words), field)


def checked_address(address: str) -> str:
    """Return the address of a site as the user may have typed or copied it.

    ``https://`` may be missing. A page of a Cloud site stands for the site.

    Raises:
        BadSetting: It is not an address.
    """
    text = address.strip()
    with suppress(ValueError):  # which the check below reports
        if text and "://" not in text:
            host = urlsplit(f"//{text}").hostname or ""
            text = f"{'http' if is_loopback(host) else 'https'}://{text}"
        parts = urlsplit(text)
        if (parts.hostname or "").endswith(_CLOUD_HOST_SUFFIX):
            text = f"{parts.scheme}://{parts.netloc}"
    return config.checked_site(_SITE, text)


def _typed_login(site: str, email: str, token: str) -> config.SiteLogin:
    """Return the login that was typed.

    Raises:
        BadSetting: The mail address cannot be one.
        TokenFailed: The token cannot be one.
    """
    address = config.checked_email(_EMAIL, email.strip())
    return config.SiteLogin(site, address, token.strip(), config.TokenSource.PROMPT)


def _is_missing_or_empty(folder: Path) -> bool:
    try:
        return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except OSError:
        return False


def _prepare_new_workspace(
    folder: Path, site: str, email: str, project: str
) -> tuple[config.WorkspaceEntry, config.WorkspaceFile, config.Workspace]:
    """Return the entry of a new workspace, the settings of its file, and it as commands see it.

    Raises:
        ConfigError: ``ticketr.toml`` says something else, or a file cannot be used.
    """
    root = Path(os.path.expanduser(folder)).resolve()  # noqa: PTH111 - never an error
    config.StateFolder(root / config.STATE_FOLDER).check_file_kinds()
    user_config = config.read_user_config(config.config_folder(os.environ))
    name = workspace_add.known_or_new_name(None, root, user_config)
    entry = config.WorkspaceEntry(name, root, site, config.LoginEntry(email))
    mapped = workspace_add.read_go_fields_unless_own(root)
    file = config.WorkspaceFile(root, site, project, None, mapped)
    config.find_missing_settings(root, file)
    workspace = config.resolve_workspace(os.environ, root, proposed=entry, project=project)
    return entry, file, replace(workspace, fields=mapped or workspace.fields)


def _read_existing_workspace(folder: Path) -> config.Workspace:
    """Return the workspace in a folder.

    Raises:
        BadSetting: There is no such folder.
        ConfigError: A file or a setting cannot be used, or is missing.
    """
    root = Path(os.path.expanduser(folder)).absolute()  # noqa: PTH111 - never an error
    if not root.is_dir():
        raise config.BadSetting("the folder", str(root), "there is no such folder")
    workspace = settings.find_workspace(folder=root)
    workspace.required_confirmed_site()
    if workspace.jql is None:
        workspace.required_project("connect to Jira with this folder, and choose a project")
    return workspace


def _classify_folder(folder: Path) -> setup.FolderAnswer:
    """Return what a folder is; no login is looked up, and nothing is written.

    Args:
        folder: The folder; ``~`` is the user's own.

    Raises:
        BadSetting: It is a file, not a folder.
        ConfigError: A file of settings in it cannot be used.
        OSError: It cannot be read.
    """
    root = Path(os.path.expanduser(folder)).absolute()  # noqa: PTH111 - never an error
    if not root.exists():
        return setup.FolderAnswer(setup.FolderKind.MISSING)
    if not root.is_dir():
        raise config.BadSetting("the folder", str(root), "it is a file")
    known = config.read_user_config(config.config_folder(os.environ)).workspace_at(root)
    if known is not None or (root / config.WORKSPACE_FILE).is_file():
        site = settings.find_workspace(folder=root).site or ""
        return setup.FolderAnswer(setup.FolderKind.WORKSPACE, site_without_https(site))
    is_empty = not any(root.iterdir())
    return setup.FolderAnswer(setup.FolderKind.EMPTY if is_empty else setup.FolderKind.OTHER)
