"""Adds a workspace: completes its settings, checks the login at its site, stores them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import trio

from ticketr.app import config, jira, sync
from ticketr.app.cli import settings
from ticketr.app.cli.console import ask, echo
from ticketr.app.jira.transport import Transport

_TOKEN_SOURCES_TO_ASK_AGAIN = {
    config.TokenSource.KEYRING,
    config.TokenSource.FILE,
    config.TokenSource.PROMPT,
}
#: The most logins that are tried before the site's refusal is reported.
MAX_LOGIN_TRIES = 3
#: Where the token of a workspace is, in words for people.
TOKEN_LOCATION_MESSAGES = {
    config.TokenSource.ENVIRONMENT: "the token stays in the environment and is not stored",
    config.TokenSource.COMMAND: "the token is what your token_command prints",
    config.TokenSource.KEYRING: "the token is in your keyring",
    config.TokenSource.FILE: "the token is in tokens.toml, in your own config folder",
}


@dataclass(frozen=True, slots=True)
class AddRequest:
    """The arguments of the command; None for those that were not given.

    Attributes:
        name: The workspace's name.
        folder: The workspace's folder.
        site: The site's URL.
        email: The account's e-mail address.
        project: The project's key.
        jql: The query to pull by.
        has_scoped_token: Whether to ask the site for its ID at Atlassian's gateway.
    """

    name: str | None = None
    folder: Path | None = None
    site: str | None = None
    email: str | None = None
    project: str | None = None
    jql: str | None = None
    has_scoped_token: bool = False


def add_workspace(request: AddRequest) -> None:
    """Add a workspace to the user's config, if its site accepts the login.

    In a terminal the user is asked for missing settings. Nothing is written before the site has
    answered.

    Raises:
        ConfigError: A setting is missing or cannot be used, or the workspace exists.
        TokenFailed: A source of tokens failed.
        JiraError: The site could not be reached, or refused.
        SettingsAccessFailed: A file could not be written.
    """
    entry = _make_workspace_entry(request)
    folder, site = entry.folder, entry.confirmed_site
    # Before any question: this command does not change what the team shares.
    wanted = config.WorkspaceFile(folder, site, request.project, request.jql)
    config.find_missing_settings(folder, wanted)
    if request.has_scoped_token:
        cloud_id = trio.run(jira.ask_cloud_id, site)
        entry = replace(entry, login=replace(entry.login, cloud_id=cloud_id))
    mapped = read_go_fields_unless_own(folder)
    workspace = _complete_workspace(entry, request)
    workspace = replace(workspace, fields=mapped or workspace.fields)
    token, user, project = _find_accepted_login(workspace, request)
    entry = replace(entry, login=replace(entry.login, email=token.email))
    file = config.WorkspaceFile(folder, site, workspace.project, request.jql, mapped)
    stored = store_workspace(entry, file, token)
    lines = [f"{entry.name}: {folder}, {site}, as {user.display_name}"]
    if project is not None:
        lines.append(f"project {project.key}: {project.name}")
    lines.append(TOKEN_LOCATION_MESSAGES[stored.token_source])
    if entry.login.cloud_id is not None:
        lines.append(f"requests go to {jira.gateway_site(entry.login.cloud_id, site)}")
    if mapped:
        lines.append(f"fields taken over from {config.GO_SETTINGS_FILE}: {len(mapped)}")
    if stored.changed_workspace_file is not None:
        lines.append(f"{stored.changed_workspace_file} is for git; it holds no secret")
    for line in lines:
        echo(line)


def _make_workspace_entry(request: AddRequest) -> config.WorkspaceEntry:
    """Return the entry with the workspace's name, folder, site and login."""
    user_config = config.read_user_config(config.config_folder(os.environ))
    if request.folder is not None:
        folder = request.folder.resolve()
    elif request.name is not None and request.name in user_config.workspaces:
        folder = user_config.workspaces[request.name].folder
    else:
        roots = [str(entry.folder.resolve()) for entry in user_config.workspaces.values()]
        folder = (config.find_workspace_root(Path.cwd(), roots) or Path.cwd()).resolve()
    known = user_config.workspace_at(folder)
    name = known_or_new_name(request.name, folder, user_config)
    site = _choose_site(request, config.resolve_workspace(os.environ, Path.cwd(), folder=folder))
    email = None if request.email is None else config.checked_email("--email", request.email)
    login = config.LoginEntry(email)
    if known is not None and known.confirmed_site == site:
        login = login.completed_by(known.login)
    return config.WorkspaceEntry(name, folder, site, login)


def _choose_site(request: AddRequest, here: config.Workspace) -> str:
    """Return the site that the user named; a name in a file needs the user's yes."""
    if request.site is not None:
        return config.checked_site("--site", request.site)
    if here.site is not None and here.site_error is None:
        return here.site
    if settings.can_ask_user():
        # A site that a file names is shown as the default, which Enter confirms.
        return _ask_until_valid("Address of the Jira site", config.checked_site, default=here.site)
    if here.site_error is not None:
        raise here.site_error
    raise config.MissingSetting(("--site", "JIRA_URL"), settings.SITE_HINT)


def _complete_workspace(entry: config.WorkspaceEntry, request: AddRequest) -> config.Workspace:
    """Return the workspace with its account and what to pull."""
    workspace = config.resolve_workspace(
        os.environ, Path.cwd(), proposed=entry, project=request.project
    )
    if request.jql is not None:
        workspace = replace(workspace, jql=config.checked_jql("--jql", request.jql))
    if workspace.login.email is None:
        if not settings.can_ask_user():
            raise config.MissingSetting(("--email", "JIRA_EMAIL"), settings.EMAIL_HINT)
        email = _ask_until_valid("E-mail address of your account", config.checked_email)
        workspace = replace(workspace, login=replace(workspace.login, email=email))
    if workspace.project is None and settings.can_ask_user():
        project = _ask_until_valid("Key of the project", config.checked_project)
        workspace = replace(workspace, project=project, project_place="")
    if workspace.jql is None:
        workspace.required_project("the key of the project, or give a query by --jql")
    return workspace


def _ask_until_valid(
    what: str, check: Callable[[str, str], str], *, default: str | None = None
) -> str:
    """Ask until the answer is valid."""

    def checked(text: str) -> str:
        try:
            return check(what, text.strip())
        except config.BadSetting as error:
            raise click.BadParameter(error.problem) from None

    return ask(what, default=default, check=checked)


def _find_accepted_login(
    workspace: config.Workspace, request: AddRequest
) -> tuple[config.SiteLogin, jira.User, jira.Project | None]:
    """Try the login; on a refusal, ask for another token in a terminal."""
    can_ask = settings.can_ask_user()
    try:
        token = settings.find_token(workspace)
    except config.MissingSetting:
        if not can_ask:
            raise
        token = _ask_for_token(workspace)
    if request.email is not None and token.email != request.email:
        problem = f"the login in the environment comes first, and is that of {token.email}"
        raise config.BadSetting("--email", request.email, problem)
    tries = 1
    while True:
        try:
            return token, *check_workspace_login(workspace, token)
        except jira.AuthenticationFailed as error:
            if (
                tries == MAX_LOGIN_TRIES
                or not can_ask
                or token.source not in _TOKEN_SOURCES_TO_ASK_AGAIN
            ):
                raise
            echo(str(error), err=True)
        tries += 1
        token = _ask_for_token(workspace)


def _ask_for_token(workspace: config.Workspace) -> config.SiteLogin:
    site, email = workspace.required_confirmed_site(), workspace.login.email or ""
    whose = f" of {email}" if email else ""
    token = ask(f"API token{whose} for {site}", is_secret=True)
    return config.SiteLogin(site, email, token.strip(), config.TokenSource.PROMPT)


def check_workspace_login(
    workspace: config.Workspace, token: config.SiteLogin
) -> tuple[jira.User, jira.Project | None]:
    """Check a login, outside of Trio; see `check_login`."""
    look = partial(
        check_login,
        settings.make_credentials_and_redact(token, workspace.login.cloud_id),
        site=workspace.required_confirmed_site(),
        project=workspace.project,
        project_place=workspace.project_place,
        fields=workspace.fields,
    )
    return trio.run(look)


async def check_login(
    credentials: jira.Credentials,
    *,
    site: str,
    project: str | None,
    project_place: str = "",
    fields: tuple[config.NameOrUserNamedField, ...] = (),
    transport: Transport | None = None,
) -> tuple[jira.User, jira.Project | None]:
    """Ask a site for the user of a login, and for a project.

    Args:
        credentials: The login.
        site: The site's URL in a browser; behind a gateway the login has another one.
        project: The project's key, if any.
        project_place: The setting that names it, for people; empty if it was typed.
        fields: The mapped fields, which the site must have.
        transport: The transport to use instead of httpx.

    Returns:
        The user, and the project if a key was given.

    Raises:
        JiraError: The site could not be reached, or refused.
        UnknownProject: The site does not have the project.
        UnknownFieldInSettings: The site lacks one of the fields.
        UnsupportedFieldInSettings: Files cannot hold one of them.
    """
    async with jira.open_jira(credentials, transport=transport) as client:
        user = await client.myself()
        details = None
        if project:
            try:
                details = await client.project(project)
            except (jira.BadRequest, jira.NotFound):
                await sync.raise_if_project_is_cause(  # noqa: ASYNC120 - a cancellation wins
                    client, project, place=project_place, site=site
                )
                raise
        if fields:
            sync.Columns.of(await client.fields(), fields)
        return user, details


def known_or_new_name(given: str | None, folder: Path, user_config: config.UserConfig) -> str:
    """Return the name of a new workspace, or of the one that the user has in a folder.

    Args:
        given: The name that the user wants; None for that of the folder.
        folder: The workspace's folder.
        user_config: The user's config.

    Raises:
        WorkspaceTaken: The folder or the name belongs to another workspace.
        BadSetting: The name cannot be one.
    """
    known = user_config.workspace_at(folder)
    if given is None or (known is not None and given == known.name):
        return user_config.known_or_free_name_for(folder)
    taken = known or user_config.workspaces.get(given)
    if taken is not None:
        raise config.WorkspaceTaken(taken.name, str(taken.folder))
    return config.checked_workspace_name("NAME", given)


def read_go_fields_unless_own(folder: Path) -> tuple[config.UserNamedField, ...]:
    """Return the fields that only the Go program's settings in a folder name.

    Raises:
        ConfigError: A file of settings cannot be used.
    """
    own_file, fields = config.read_workspace_file(folder), config.read_go_fields(folder)
    if own_file is not None and own_file.fields is not None:
        return ()
    return tuple(field for field in fields if config.conflicting_reserved_name(field) is None)


@dataclass(frozen=True, slots=True)
class StoredWorkspace:
    """What became of a login and of the workspace's ``ticketr.toml``.

    Attributes:
        token_source: Where the token is.
        changed_workspace_file: The ``ticketr.toml`` if it was written or changed; None if not.
    """

    token_source: config.TokenSource
    changed_workspace_file: Path | None


def store_workspace(
    entry: config.WorkspaceEntry, file: config.WorkspaceFile, login: config.SiteLogin
) -> StoredWorkspace:
    """Store a token that was typed, then ``ticketr.toml``, then the workspace in the user's config.

    The token goes into the keyring, or into a file of the user's own config folder.

    Args:
        entry: The workspace.
        file: The settings that its ``ticketr.toml`` is to have.
        login: The login; it is stored if its source is a prompt.

    Raises:
        ConfigError: ``ticketr.toml`` says something else, or a file cannot be used.
        TokenFailed: The token could not be stored.
        SettingsAccessFailed: A file could not be written.
    """
    folder = config.config_folder(os.environ)
    # Nothing is stored elsewhere if this folder cannot be used.
    with config.lock_config_folder(folder):
        pass
    source = login.source
    if source is config.TokenSource.PROMPT:
        source = config.store_token(folder, login)
    is_changed = config.write_missing_settings(entry.folder, file)
    config.add_or_change_workspace(folder, entry)
    return StoredWorkspace(source, entry.folder / config.WORKSPACE_FILE if is_changed else None)
