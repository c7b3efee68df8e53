"""From options and settings to what every job between a workspace and its site is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ticketr.cli.settings import confirmed, resolve, sign_in, workspace_options
from ticketr.config import config_folder, read_user_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ticketr.config import Workspace

Command = TypeVar("Command", bound="Callable[..., object]")

STRATEGIES = ("local", "remote", "merge")


def session_options(command: Command) -> Command:
    """Give a command the options that pull, push and sync share."""
    options = (
        click.option("-p", "--project", metavar="KEY", help="The project; else JIRA_PROJECT_KEY."),
        click.option(
            "--strategy",
            type=click.Choice(STRATEGIES),
            help="Who wins where both sides have changed the same; 'merge' leaves it a conflict.",
        ),
        click.option(
            "--http",
            type=click.Choice(("httpx", "asks")),
            default="httpx",
            help="The package that speaks HTTP.",
        ),
        click.option(
            "--every", is_flag=True, help="Every workspace that you have added, side by side."
        ),
        click.option("--plain", is_flag=True, help="Progress as plain lines, also in a terminal."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    )
    for option in reversed(options):
        command = option(command)
    return workspace_options(command)


def every_session(
    *, workspace: str | None, folder: Path | None, every: bool, **options: Any
) -> dict[str, dict[str, Any]]:
    """Give the arguments of the jobs that a command is to run, by the name of each workspace.

    Args:
        workspace: the name from ``--workspace``.
        folder: the folder from ``--folder``.
        every: whether it is every workspace that the user has added.
        options: the rest, as of `session_settings`.

    Raises:
        click.UsageError: both one workspace and every one was said, or there is none.
        ConfigError: as of `session_settings`; likewise its other errors.
    """
    if not every:
        return {"": session_settings(workspace=workspace, folder=folder, **options)}
    if workspace is not None or folder is not None:
        raise click.UsageError("say --every, or one workspace")
    names = sorted(read_user_config(config_folder(os.environ)).workspaces)
    if not names:
        raise click.UsageError("you have added no workspace yet: 'ticketr workspace add'")
    return {name: session_settings(workspace=name, **options) for name in names}


def session_settings(
    *,
    workspace: str | None = None,
    folder: Path | None = None,
    project: str | None = None,
    jql: str | None = None,
    strategy: str | None = None,
    http: str = "httpx",
) -> dict[str, Any]:
    """Give the arguments of a pull, push or sync.

    Raises:
        ConfigError: something that is needed is nowhere set, or cannot be used.
        TokenFailed: a source that should have a token did not work.
        click.UsageError: asks is to speak HTTP, and cannot be used.
    """
    resolved = confirmed(resolve(workspace=workspace, folder=folder, project=project))
    jql = jql or (resolved.jql if project is None else None)
    if jql is None:
        resolved.required_project("which project, or give a query by --jql")
    return {
        **_fixed(resolved, strategy),
        "credentials": sign_in(resolved),
        "jql": jql,
        "transport": _transport(http),
    }


def _fixed(resolved: Workspace, strategy: str | None) -> dict[str, Any]:
    from ticketr.sync import Side

    chosen = strategy or resolved.strategy
    return {
        "root": resolved.root,
        "project": resolved.project,
        "fields": resolved.fields,
        "story_type": resolved.story_type,
        "subtask_type": resolved.subtask_type,
        "prefer": Side(chosen) if chosen in {"local", "remote"} else None,
        "browse": resolved.site,
    }


def _transport(http: str) -> Any:
    if http == "httpx":
        return None
    from ticketr.jira.transport import AsksMissing, open_transport

    try:
        return open_transport("asks")
    except AsksMissing as error:
        raise click.UsageError(str(error)) from error
