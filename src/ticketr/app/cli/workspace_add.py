"""Adds a workspace: completes its settings, checks the login at its site, stores them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
import trio

from ticketr.app import config, jira, sync
from ticketr.app.cli import settings
from ticketr.app.cli.console import ask, confirm, echo
from ticketr.app.jira.transport import Transport

#: A workspace, the token that its site takes, and its user and project there.
CheckedWorkspace: TypeAlias = tuple[
    config.Workspace, config.FoundToken, jira.User, jira.Project | None
]

_STORED_SOURCES = {config.TokenSource.KEYRING, config.TokenSource.FILE, config.TokenSource.PROMPT}
#: The most logins that are tried before the site's refusal is reported.
TRIES = 3
#: Where the token of a workspace is, in words for people.
TOKEN_LOCATIONS = {
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
        cloud_id: The site's ID at Atlassian's gateway.
        scoped: Whether to ask the site for that ID.
    """

    name: str | None = None
    folder: Path | None = None
    site: str | None = None
    email: str | None = None
    project: str | None = None
    jql: str | None = None
    cloud_id: str | None = None
    scoped: bool = False


def add_workspace(request: AddRequest, *, as_message: bool = False) -> None:
    """Add a workspace to the user's config, if its site accepts the login.

    In a terminal the user is asked for missing settings. Nothing is written before the site has
    answered.

    Args:
        request: The arguments.
        as_message: Whether to report on standard error, as for a command with output of its own.

    Raises:
        ConfigError: A setting is missing or cannot be used, or the workspace exists.
        TokenFailed: A source of tokens failed.
        JiraError: The site could not be reached, or refused.
        SettingsFailed: A file could not be written.
    """
    entry = _workspace_entry(request)
    # Before any question: this command does not change what the team shares.
    config.missing_in_file(
        entry.folder, config.WorkspaceFile(entry.folder, entry.site, request.project, request.jql)
    )
    if request.scoped:
        entry = replace(entry, login=replace(entry.login, cloud_id=_find_cloud_id(entry.site)))
    completed = _complete(entry, request)
    workspace, token, user, project = _verify_login(completed, request)
    entry = replace(entry, login=replace(entry.login, email=token.email))
    if workspace != completed:  # the token has scopes
        login = replace(entry.login, cloud_id=workspace.login.cloud_id)
        entry = replace(entry, login=login)
    mapped = go_mapped_fields(entry.folder)
    file = config.WorkspaceFile(entry.folder, entry.site, workspace.project, request.jql, mapped)
    source, is_file_written = store_workspace(entry, file, token)
    lines = [f"{entry.name}: {entry.folder}, {entry.site}, as {user.display_name}"]
    if project is not None:
        lines.append(f"project {project.key}: {project.name}")
    lines.append(TOKEN_LOCATIONS[source])
    if entry.login.cloud_id is not None:
        lines.append(f"requests go to {jira.gateway_site(entry.login.cloud_id, entry.site)}")
    if mapped:
        lines.append(f"fields taken over from {config.GO_FILE}: {len(mapped)}")
    if is_file_written:
        lines.append(f"{entry.folder / config.WORKSPACE_FILE} is for git; it holds no secret")
    for line in lines:
        echo(line, err=as_message)


def _workspace_entry(request: AddRequest) -> config.WorkspaceEntry:
    """Return the entry with the workspace's name, folder, site and login."""
    user_config = config.read_user_config(config.config_folder(os.environ))
    folder = _folder_of(request, user_config)
    known = user_config.at(folder)
    name = workspace_name(request.name, folder, user_config)
    site = _site(request, config.resolve_workspace(os.environ, Path.cwd(), folder=folder))
    email = None if request.email is None else config.checked_email("--email", request.email)
    cloud_id = request.cloud_id and config.checked_cloud_id("--cloud-id", request.cloud_id)
    login = config.LoginEntry(email, cloud_id=cloud_id)
    if known is not None and known.site == site:
        login = login.completed_by(known.login)
    return config.WorkspaceEntry(name, folder, site, login)


def _folder_of(request: AddRequest, user_config: config.UserConfig) -> Path:
    if request.folder is not None:
        return request.folder.resolve()
    if request.name is not None and request.name in user_config.workspaces:
        return user_config.workspaces[request.name].folder
    known = [str(entry.folder.resolve()) for entry in user_config.workspaces.values()]
    return (config.find_root(Path.cwd(), known) or Path.cwd()).resolve()


def _site(request: AddRequest, here: config.Workspace) -> str:
    """Return the site that the user named; a name in a file needs the user's yes."""
    if request.site is not None:
        return config.checked_site("--site", request.site)
    if here.site is not None and here.site_error is None:
        return here.site
    if settings.is_interactive():
        # A site that a file names is shown as the default, which Enter confirms.
        return _ask_until_valid("Address of the Jira site", config.checked_site, default=here.site)
    if here.site_error is not None:
        raise here.site_error
    raise config.MissingSetting(("--site", "JIRA_URL"), settings.SITE_HINT)


def _complete(entry: config.WorkspaceEntry, request: AddRequest) -> config.Workspace:
    """Return the workspace with its account and what to pull."""
    workspace = config.resolve_workspace(
        os.environ, Path.cwd(), proposed=entry, project=request.project
    )
    if request.jql is not None:
        workspace = replace(workspace, jql=config.checked_jql("--jql", request.jql))
    if workspace.login.email is None:
        if not settings.is_interactive():
            raise config.MissingSetting(("--email", "JIRA_EMAIL"), settings.EMAIL_HINT)
        email = _ask_until_valid("E-mail address of your account", config.checked_email)
        workspace = replace(workspace, login=replace(workspace.login, email=email))
    if workspace.project is None and settings.is_interactive():
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


def _verify_login(workspace: config.Workspace, request: AddRequest) -> CheckedWorkspace:
    """Try the login; on a refusal offer the gateway once, then ask for another token."""
    site = workspace.required_site()
    token = settings.find_or_ask_token(workspace)
    if request.email is not None and token.email != request.email:
        problem = f"the login in the environment comes first, and is that of {token.email}"
        raise config.BadSetting("--email", request.email, problem)
    tries = 0
    while True:
        try:
            return _ask_site(workspace, token)
        except jira.AuthenticationFailed as error:
            tries += 1
            if tries == 1 and (offered := _offer_gateway(workspace)) is not None:
                workspace = offered
                continue
            if (
                tries >= TRIES
                or token.source not in _STORED_SOURCES
                or not settings.is_interactive()
            ):
                raise
            echo(str(error), err=True)
        token = settings.ask_for_token(site, token.email or "")


def check_site(workspace: config.Workspace) -> CheckedWorkspace:
    """Ask the site of a workspace for its user and project.

    Raises:
        ConfigError: A setting is missing or cannot be used.
        TokenFailed: A source of tokens failed.
        JiraError: The site could not be reached, or refused.
    """
    workspace = settings.confirm_site(workspace)
    return _ask_site(workspace, settings.find_or_ask_token(workspace))


def _ask_site(workspace: config.Workspace, token: config.FoundToken) -> CheckedWorkspace:
    """Check a login, outside of Trio; see `check_login`."""
    look = partial(
        check_login,
        settings.make_credentials(token, workspace.login.cloud_id),
        site=workspace.required_site(),
        project=workspace.project,
        project_place=workspace.project_place,
        fields=workspace.fields,
    )
    return workspace, token, *trio.run(look)


def _find_cloud_id(site: str) -> str:
    """Ask a site for its cloud ID, without any login.

    Not to be called inside Trio.

    Args:
        site: The site's URL, as the user confirmed it.

    Raises:
        MissingSetting: The site's answer holds no cloud ID.
        JiraError: The site could not be reached.
    """
    try:
        return trio.run(jira.ask_cloud_id, site)
    except (jira.BadAnswer, jira.Rejected, jira.Redirected) as error:
        hint = f"{error.url} tells none ({error.cause}); open it in a browser, or ask who runs the site"
        raise config.MissingSetting(("--cloud-id",), hint) from error


def _offer_gateway(workspace: config.Workspace) -> config.Workspace | None:
    """Ask in a terminal whether to try the gateway, after a site has refused a login.

    Without a yes the token is sent to the site's own address only.

    Returns:
        The workspace with the site's cloud ID. None if it had one, the site has none, there is no
        terminal to ask in, or the answer was no.
    """
    if workspace.login.cloud_id is not None or not settings.is_interactive():
        return None
    site = workspace.required_site()
    try:
        cloud_id = _find_cloud_id(site)
    except (config.MissingSetting, jira.JiraError):  # then the caller reports the refusal
        return None
    gateway = jira.gateway_site(cloud_id, site)
    echo(f"{site} does not take this token.", err=True)
    echo(f"One with scopes is taken at the gateway alone: {gateway}", err=True)
    if not confirm("Does it have scopes, and may it be sent there?"):
        return None
    return replace(workspace, login=replace(workspace.login, cloud_id=cloud_id))


async def check_login(
    credentials: jira.Credentials,
    *,
    site: str,
    project: str | None,
    project_place: str = "",
    fields: tuple[config.WantedField, ...] = (),
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
        BadSetting: The cloud ID is that of another site.
        UnknownProject: The site does not have the project.
        UnknownField: The site lacks one of the fields.
        UnsupportedField: Files cannot hold one of them.
    """
    async with jira.open_jira(credentials, transport=transport) as client:
        user = await client.myself()
        if credentials.site != site:
            await _check_gateway(client, site)
        async with sync.project_errors(client, project, place=project_place, site=site):
            details = await client.project(project) if project else None
        if fields:
            sync.Columns.of(await client.fields(), fields)
        return user, details


async def _check_gateway(client: jira.JiraClient, site: str) -> None:
    """Raise if the gateway leads to another site, as far as it can be asked."""
    try:
        reported_url = (await client.server_info()).base_url
    except jira.Rejected:  # the scopes of the token may not cover this
        return
    try:
        behind = (
            config.checked_site("the site behind the gateway", reported_url)
            if reported_url
            else site
        )
    except config.BadSetting:
        return
    if behind != site:
        cloud_id = client.site.rpartition("/")[2]
        raise config.BadSetting("the cloud ID", cloud_id, f"it is that of {behind}, not of {site}")


def workspace_name(given: str | None, folder: Path, user_config: config.UserConfig) -> str:
    """Return the name of a new workspace, or of the one that the user has in a folder.

    Args:
        given: The name that the user wants; None for that of the folder.
        folder: The workspace's folder.
        user_config: The user's config.

    Raises:
        WorkspaceTaken: The folder or the name belongs to another workspace.
        BadSetting: The name cannot be one.
    """
    known = user_config.at(folder)
    if given is None or (known is not None and given == known.name):
        return user_config.name_for(folder)
    taken = known or user_config.workspaces.get(given)
    if taken is not None:
        raise config.WorkspaceTaken(taken.name, str(taken.folder))
    return config.checked_name("NAME", given)


def go_mapped_fields(folder: Path) -> tuple[config.MappedField, ...]:
    """Return the fields that only the Go program's settings in a folder name.

    Raises:
        ConfigError: A file of settings cannot be used.
    """
    own_file, go_file = config.read_workspace_file(folder), config.read_go_file(folder)
    if go_file is None or (own_file is not None and own_file.fields is not None):
        return ()
    return tuple(field for field in go_file.fields if config.reserved_name(field) is None)


def store_workspace(
    entry: config.WorkspaceEntry, file: config.WorkspaceFile, login: config.FoundToken
) -> tuple[config.TokenSource, bool]:
    """Store a token that was typed, then ``ticketr.toml``, then the workspace in the user's config.

    The token goes into the keyring, or into a file of the user's own config folder.

    Args:
        entry: The workspace.
        file: The settings that its ``ticketr.toml`` is to have.
        login: The login; it is stored if its source is a prompt.

    Returns:
        Where its token is, and whether its ``ticketr.toml`` was written or changed.

    Raises:
        ConfigError: ``ticketr.toml`` says something else, or a file cannot be used.
        TokenFailed: The token could not be stored.
        SettingsFailed: A file could not be written.
    """
    folder = config.config_folder(os.environ)
    config.prepare_config_folder(folder)  # before anything is stored elsewhere
    source = login.source
    if source is config.TokenSource.PROMPT:
        source = config.store_token(folder, login)
    is_file_written = config.write_workspace_file(entry.folder, file)
    config.store_workspace(folder, entry)
    return source, is_file_written
