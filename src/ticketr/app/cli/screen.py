"""Opens the full-screen app for a command, with the workspaces that it shows."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeAlias, TypeVar

import trio

from ticketr import Job, JobContext, JobSnapshot, open_job_queue
from ticketr.app import config, sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import print_messages
from ticketr.app.cli.demo_site import has_demo_extra, how_to_continue_demo
from ticketr.app.cli.first_run import TuiWorkspaceSetup
from ticketr.app.cli.history import WorkspaceHistories
from ticketr.app.cli.options import session_options, workspace_arguments
from ticketr.app.cli.ownership import owner_mark_refusing_foreign_state
from ticketr.app.cli.settings import find_stored_credentials, find_workspace
from ticketr.app.jira import Credentials
from ticketr.app.tui.app import App
from ticketr.app.tui.effects import JobRequest
from ticketr.app.tui.jobs_state import QUIET_TAG
from ticketr.app.tui.keymap import KeyMap, keymap_with_user_keys
from ticketr.app.tui.services.workspaces import (
    ClosedWorkspace,
    OpenWorkspace,
    job_for,
    open_workspace,
    site_without_https,
)
from ticketr.app.tui.styled import Theme
from ticketr.statusline import LineStyle
from ticketr.terminal import Terminal, open_terminal, sgr

P = ParamSpec("P")
T = TypeVar("T")
OpenOrClosedWorkspace: TypeAlias = OpenWorkspace | ClosedWorkspace

#: How many jobs run at once, each in a workspace of its own.
WORKERS = 2

_log = logging.getLogger("ticketr")


async def run_screen(workspaces: Sequence[OpenOrClosedWorkspace], *, pull: bool = False) -> int:
    """Run the app in the terminal until the user leaves.

    Jobs that still run then are cancelled, and the last progress of each is printed.

    Args:
        workspaces: The workspaces, the one to show first; none for the first run.
        pull: Whether to start with a pull of the first one.

    Returns:
        The exit code.

    Raises:
        ConfigError: The user's keys cannot be used.
        NotATerminal: There is no terminal to run it in.
        SettingsAccessFailed: The file of the user's keys could not be read.
    """
    keymap = await trio.to_thread.run_sync(read_keymap)
    user_config = await trio.to_thread.run_sync(
        config.read_user_config, config.config_folder(os.environ)
    )
    roots = [workspace.root for workspace in workspaces if workspace.root]
    history = WorkspaceHistories(roots, without=QUIET_TAG)
    first_run = TuiWorkspaceSetup()
    async with trio.open_nursery() as sandbox_nursery:
        async with open_job_queue(
            workers=WORKERS, history=history, on_job_error=_log_job_traceback
        ) as queue:
            async with open_terminal() as terminal:
                style = status_line_style(terminal)
                theme = Theme(partial(sgr, colors=terminal.colors), style)
                app = App(
                    terminal,
                    queue,
                    workspaces,
                    theme=theme,
                    keymap=keymap,
                    setup=first_run,
                    sandbox_nursery=sandbox_nursery,
                    can_start_sandbox=has_demo_extra(),
                    auto_pull_seconds=user_config.auto_pull_seconds,
                )
                await app.run(pull=pull)
            left = {job.id for job in queue.jobs() if not job.status.is_terminal}
            await queue.shutdown(grace=0)
        sandbox_nursery.cancel_scope.cancel()
    for words in cancelled_job_messages(job for job in queue.jobs() if job.id in left):
        print_messages(words)
    if first_run.demo is not None:
        print_messages(how_to_continue_demo(first_run.demo))
    return exits.DONE if app.ended_by is None else exits.for_signal(app.ended_by)


def read_keymap() -> KeyMap:
    """Return the keys of the app, those that the user has changed included.

    Raises:
        ConfigError: A setting of a key, or the file, cannot be used.
        SettingsAccessFailed: The file could not be read.
    """
    return keymap_with_user_keys(config.read_keymap_table(config.config_folder(os.environ)))


def cancelled_job_messages(jobs: Iterable[JobSnapshot]) -> list[str]:
    """Return the last progress message of each of the user's jobs that was cancelled."""
    users = (job for job in jobs if QUIET_TAG not in job.tags)
    cancelled = (job.progress for job in users if job.cancel_requested)
    return [progress.message for progress in cancelled if progress is not None]


def _log_job_traceback(failed: JobSnapshot) -> None:
    """Log a failed job's traceback; the status line shows the error itself."""
    if failed.error is not None:
        _log.debug("the job failed:\n%s", failed.error.traceback)


def status_line_style(terminal: Terminal) -> LineStyle:
    """Return the style of the status line: the terminal's abilities, the user's wishes."""
    wanted = LineStyle.of(os.environ, sys.stdout)
    return replace(wanted, unicode=terminal.unicode, color=terminal.colors)


def find_app_workspaces() -> tuple[OpenOrClosedWorkspace, ...]:
    """Return the workspace that a command is about, and all others of the user's config.

    Not to be called inside Trio.

    Returns:
        The workspaces; none if the current folder is none and the user's config has none.

    Raises:
        ConfigError: A setting of the first one is missing or cannot be used, or the user's config
            cannot be used.
        SettingsAccessFailed: A file of settings could not be read.
        StateFailed: The state file of the first one cannot be changed.
        TokenFailed: A source of tokens failed.
    """
    first = find_workspace()
    if first.is_bare_current_folder:
        return _other_workspaces(config.read_user_config(config.config_folder(os.environ)))
    options = workspace_arguments()
    user_config = config.read_user_config(config.config_folder(os.environ))
    root = options["root"]
    workspace = open_workspace(user_config.known_or_free_name_for(root), options, first.all_aliases)
    return (workspace, *_other_workspaces(user_config, without=root))


def _other_workspaces(
    user_config: config.UserConfig, *, without: Path | None = None
) -> tuple[OpenOrClosedWorkspace, ...]:
    """Return the workspaces of the user's config, except the one in a folder."""
    here = None if without is None else os.path.realpath(without)
    return tuple(
        ClosedWorkspace(
            entry.name,
            partial(_open_workspace_with_late_token, entry.name),
            site_without_https(entry.confirmed_site),
            root=entry.folder,
        )
        for _, entry in sorted(user_config.workspaces.items())
        if os.path.realpath(entry.folder) != here
    )


async def _open_workspace_with_late_token(name: str) -> OpenWorkspace:
    """Open a workspace without looking for its token, which only its jobs need.

    Raises:
        ConfigError: A setting cannot be used, or the state file is not the user's.
        SettingsAccessFailed: A file of settings could not be read.
    """
    workspace, mark = await trio.to_thread.run_sync(_find_workspace_and_mark, name)
    login = Credentials(workspace.site or "", workspace.login.email or "", token="")
    late = _OptionsWithTokenLookup(workspace, session_options(workspace, login, mark))
    return replace(
        open_workspace(name, late.options, workspace.all_aliases),
        make_job=lambda request, on_written: _JobWithTokenLookup(
            f"{request.kind.value.capitalize()} {name}", late, request, on_written
        ),
        ask_jira=late.ask_jira,
        has_login=late.has_looked_up_token,
    )


def _find_workspace_and_mark(name: str) -> tuple[config.Workspace, str]:
    workspace = find_workspace(workspace=name)
    return workspace, owner_mark_refusing_foreign_state(workspace.root)


@dataclass
class _OptionsWithTokenLookup:
    """The options of a workspace's jobs; its token is looked up for the first of them.

    Attributes:
        workspace: The workspace.
        options: The options, without the token until it was looked up.
    """

    workspace: config.Workspace
    options: sync.SessionOptions

    def has_looked_up_token(self) -> bool:
        """Return whether the token was looked up already."""
        return bool(self.options["credentials"].token)

    async def get_with_stored_login(self) -> sync.SessionOptions:
        """Return the options with the token.

        Raises:
            ConfigError: A site, an account, a project or a token is missing, or the token rule
                forbids it.
            TokenFailed: A source of tokens failed.
        """
        if not self.has_looked_up_token():
            self.workspace.required_confirmed_site()
            if self.workspace.jql is None:
                self.workspace.required_project()
            login = await find_stored_credentials(self.workspace, "log in again by the palette")
            self.options = {**self.options, "credentials": login}
        return self.options

    async def ask_jira(self, question: Callable[..., Awaitable[T]], *args: object) -> T:
        """Call a function that takes these options first."""
        return await question(await self.get_with_stored_login(), *args)


@dataclass(frozen=True)
class _JobWithTokenLookup:
    """A job whose options are looked up when it begins; an error there is the job's."""

    name: str
    options: _OptionsWithTokenLookup
    request: JobRequest
    on_written: sync.OnTicketsWritten

    async def execute(self, context: JobContext) -> object:
        """Run the job; the queue calls this.

        Cancellation:
            As that of the job of its kind.
        """
        job: Job[object] = job_for(
            await self.options.get_with_stored_login(), self.request, self.on_written
        )
        return await job.execute(context)
