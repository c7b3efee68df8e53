"""From what the user set to a workspace and a login."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ticketr.cli.output import echo, hide, shown
from ticketr.config import (
    STATE_FOLDER,
    TOKEN_NAMES,
    FoundToken,
    MissingSetting,
    StateFolder,
    TokenFailed,
    TokenSource,
    Workspace,
    WorkspaceEntry,
    config_folder,
    find_token,
    free_name,
    read_environment,
    read_user_config,
    resolve_workspace,
    store_workspace,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jira import Credentials

Command = TypeVar("Command", bound="Callable[..., object]")

SITE_HINT = "the address of your Jira site, like https://you.atlassian.net"
EMAIL_HINT = "the e-mail address of your Atlassian account"
_TOKEN_HINT = "an API token of your Atlassian account (account settings, Security)"  # noqa: S105 - words


def workspace_options(command: Command) -> Command:
    """Give a command ``--workspace`` and ``--folder``, as ``workspace`` and ``folder``."""
    name = click.option("-w", "--workspace", metavar="NAME", help="A workspace by its name.")
    folder = click.option(
        "-C",
        "--folder",
        type=click.Path(path_type=Path),
        help="The folder of the tickets; else the workspace around the current folder.",
    )
    return name(folder(command))


def resolve(
    *, workspace: str | None = None, folder: Path | None = None, project: str | None = None
) -> Workspace:
    """Find out which workspace a command is about; asks nobody and needs no login.

    Args:
        workspace: The name from ``--workspace``.
        folder: The folder from ``--folder``.
        project: The key from ``--project``.

    Raises:
        ConfigError: A file or a setting cannot be used, or there is no such workspace.
        SettingsFailed: A file of settings could not be read.
        UnsafePath: A link or the like has a name of ticketr's own in the workspace.
    """
    found = resolve_workspace(
        os.environ, Path.cwd(), name=workspace, folder=folder, project=project
    )
    StateFolder(found.root / STATE_FOLDER).check()
    return found


def sign_in(workspace: Workspace) -> Credentials:
    """Return the login for a workspace's site; not to be called inside Trio.

    In a terminal it asks: once for each workspace whether a site that only a file names may have
    a login at all, and for a token that is stored nowhere. Elsewhere nothing asks.

    Raises:
        ConfigError: A site, an account or a token is missing, or the token rule forbids it.
        TokenFailed: A source that should have a token did not work.
    """
    workspace = confirmed(workspace)
    return credentials(log_in(workspace), workspace.login.cloud_id)


def confirmed(workspace: Workspace) -> Workspace:
    """Ask in a terminal, if need be, whether the workspace's site may have a login.

    Raises:
        MissingSetting: Nothing names a site.
        SiteNotConfirmed: The user said no, or nobody is there to be asked.
    """
    if workspace.doubt is not None and is_interactive():
        workspace = _confirm(workspace)
    workspace.required_site()
    return workspace


def log_in(workspace: Workspace) -> FoundToken:
    """Find a token for the workspace's site, or ask for one in a terminal.

    Raises:
        ConfigError: An account or a token is missing, or the token rule forbids it.
        TokenFailed: A source that should have a token did not work.
    """
    found = None
    try:
        found = look_up(workspace)
    except TokenFailed as error:
        if not is_interactive():
            raise
        echo(str(error), err=True)
    return found or _ask_for_token(workspace)


def credentials(found: FoundToken, cloud_id: str | None) -> Credentials:
    """Make what the client takes: the login, at the site or at Atlassian's gateway to it.

    Raises:
        MissingSetting: Nothing names the account.
    """
    from ticketr.jira import Credentials

    if found.email is None:
        raise MissingSetting(("JIRA_EMAIL",), f"{EMAIL_HINT}, or 'ticketr workspace add'")
    site = found.site
    if cloud_id is not None:
        from ticketr.jira import gateway_site

        site = gateway_site(cloud_id, site)
    login = Credentials(site, found.email, found.token)
    hide(login.redact)
    return login


def look_up(workspace: Workspace) -> FoundToken | None:
    """Find a token where one may be stored; not to be called inside Trio.

    Raises:
        ConfigError: A site is missing, or the token rule forbids it.
        TokenFailed: A source that should have a token did not work.
    """
    import trio

    workspace.required_site()
    return trio.run(partial(find_token, workspace, os.environ, interactive=is_interactive()))


def is_interactive() -> bool:
    """Return whether somebody is there who can be asked."""
    return os.isatty(0) and os.isatty(2)


def _confirm(workspace: Workspace) -> Workspace:
    """Ask whether a site that only a file names may have a login, and remember a yes."""
    doubt = workspace.doubt
    assert doubt is not None
    echo(f"{doubt.path} names the Jira site {doubt.site}.", err=True)
    if doubt.confirmed:
        echo(f"For this folder you have confirmed {doubt.confirmed} before.", err=True)
    if not click.confirm("Is it yours, and may your login be sent there?", err=True):
        raise doubt
    folder = config_folder(os.environ)
    config = read_user_config(folder)
    known = config.at(workspace.root)
    name = known.name if known else free_name(workspace.name, config)
    store_workspace(folder, WorkspaceEntry(name, workspace.root.resolve(), doubt.site))
    return resolve(folder=workspace.root, project=workspace.project)


def _ask_for_token(workspace: Workspace) -> FoundToken:
    site, email = workspace.required_site(), workspace.login.email
    if email is None:
        raise MissingSetting(("JIRA_EMAIL",), f"{EMAIL_HINT}, or 'ticketr workspace add'")
    if not is_interactive():
        raise MissingSetting(TOKEN_NAMES, _why_no_token(workspace))
    return ask_for_token(site, email)


def ask_for_token(site: str, email: str) -> FoundToken:
    """Ask for a token, without showing what is typed."""
    whose = f" of {email}" if email else ""
    token = click.prompt(shown(f"API token{whose} for {site}"), hide_input=True, err=True)
    return FoundToken(site, email, token.strip(), TokenSource.PROMPT)


def _why_no_token(workspace: Workspace) -> str:
    if read_environment(os.environ).token is None:
        return f"{_TOKEN_HINT}, or 'ticketr workspace add' to store one"
    return (
        f"what is set is not for {workspace.site}: set JIRA_URL too, to say which site it is for, "
        "or 'ticketr workspace add' to store a token for this one"
    )
