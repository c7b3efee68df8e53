"""Resolves a command's workspace and login from options, files and the environment."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from ticketr.app import config, jira
from ticketr.app.cli.console import add_redactor

SITE_HINT = "the address of your Jira site, like https://you.atlassian.net"
EMAIL_HINT = "the e-mail address of your Atlassian account"
_TOKEN_HINT = "an API token of your Atlassian account (account settings, Security)"  # noqa: S105 - words


def find_workspace(
    *, workspace: str | None = None, folder: Path | None = None, project: str | None = None
) -> config.Workspace:
    """Return the workspace that a command is about; without questions and without a login.

    Raises:
        ConfigError: A file or a setting cannot be used, or there is no such workspace.
        SettingsAccessFailed: A file of settings could not be read.
        WrongFileKind: A link or the like has a name of ticketr's own in the workspace.
    """
    settings = config.resolve_workspace(
        os.environ, Path.cwd(), name=workspace, folder=folder, project=project
    )
    config.StateFolder(settings.root / config.STATE_FOLDER).check_file_kinds()
    return settings


def find_credentials(workspace: config.Workspace) -> jira.Credentials:
    """Return the login for a workspace's site, without asking the user.

    Not to be called inside Trio.

    Raises:
        ConfigError: A site, an account or a token is missing, or the token rule forbids it.
        TokenFailed: A source of tokens failed.
    """
    return make_credentials_and_redact(find_token(workspace), workspace.login.cloud_id)


def find_token(workspace: config.Workspace) -> config.SiteLogin:
    """Return the token for a workspace's site.

    Not to be called inside Trio.

    Raises:
        ConfigError: A site or a token is missing, or the token rule forbids it.
        TokenFailed: A source of tokens failed.
    """
    import trio

    find = partial(config.find_token, workspace, os.environ, command_may_prompt=can_ask_user())
    token = trio.run(find)
    if token is not None:
        return token
    if workspace.login.email is None:
        raise config.MissingSetting(("JIRA_EMAIL",), f"{EMAIL_HINT}, or 'ticketr workspace add'")
    hint = f"{_TOKEN_HINT}, or 'ticketr workspace add' to store one"
    if config.read_jira_variables(os.environ).token is not None:
        hint = (
            f"what is set is not for {workspace.site}: set JIRA_URL too, to say which site it is "
            "for, or 'ticketr workspace add' to store a token for this one"
        )
    raise config.MissingSetting(config.TOKEN_VARIABLES, hint)


def make_credentials_and_redact(login: config.SiteLogin, cloud_id: str | None) -> jira.Credentials:
    """Return the credentials for the site, or for Atlassian's gateway to it.

    From now on the output redacts them.

    Raises:
        MissingSetting: No setting names the account.
    """
    if login.email is None:
        raise config.MissingSetting(("JIRA_EMAIL",), f"{EMAIL_HINT}, or 'ticketr workspace add'")
    site = login.site if cloud_id is None else jira.gateway_site(cloud_id, login.site)
    credentials = jira.Credentials(site, login.email, login.token)
    add_redactor(credentials.redact)
    return credentials


async def find_stored_credentials(workspace: config.Workspace, hint: str) -> jira.Credentials:
    """Return the stored login of a workspace, without asking the user.

    Args:
        workspace: The workspace.
        hint: What to do if no token is stored.

    Raises:
        ConfigError: A site, an account or a token is missing, or the token rule forbids it.
        TokenFailed: A source of tokens failed.
    """
    token = await config.find_token(workspace, os.environ)
    if token is None:
        words = f"no token is stored for {workspace.site}; {hint}"
        raise config.MissingSetting(config.TOKEN_VARIABLES, words)
    return make_credentials_and_redact(token, workspace.login.cloud_id)


def can_ask_user() -> bool:
    """Return whether standard input and error are a terminal, so that questions can be asked."""
    return os.isatty(0) and os.isatty(2)


class Unconfirmed(click.UsageError):
    """Raised when many writes would need a yes, and nobody can be asked."""


def refuse_many_or_delete(
    writes: int, what: str, site: str, preview: str, *, is_deletion: bool = False
) -> None:
    """Refuse many writes, or a deletion, without ``--yes`` where nobody can be asked.

    Args:
        writes: How many issues are written.
        what: What is done to them.
        site: The site's address.
        preview: The option or command that shows what would be written.
        is_deletion: Whether issues are deleted.

    Raises:
        Unconfirmed: They are many, or it is a deletion.
    """
    if writes > config.CONFIRM_ABOVE_WRITES or is_deletion:
        raise Unconfirmed(
            f"this would {what} in {site}; look at them with {preview}, and say --yes if that is what "
            "you want"
        )
