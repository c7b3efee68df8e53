"""Adds a workspace: completes its settings, checks the login at its site, stores them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import trio

from ticketr.app import config, sync
from ticketr.app.cli import settings
from ticketr.app.cli.console import ask, confirm, echo
from ticketr.app.jira import (
    AuthenticationFailed,
    BadAnswer,
    Credentials,
    JiraClient,
    JiraError,
    Project,
    Redirected,
    Rejected,
    User,
    ask_cloud_id,
    gateway_site,
    open_jira,
)
from ticketr.app.jira.transport import Transport

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
    workspace, token, answer = _verify_login(completed, request)
    entry = replace(entry, login=replace(entry.login, email=token.email))
    if workspace != completed:  # the token has scopes
        login = replace(entry.login, cloud_id=workspace.login.cloud_id)
        entry = replace(entry, login=login)
    mapped = go_mapped_fields(entry.folder)
    file = config.WorkspaceFile(entry.folder, entry.site, workspace.project, request.jql, mapped)
    stored = trio.run(store_workspace, entry, file, token)
    _print_added(entry, stored, answer, mapped=len(mapped), as_message=as_message)


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
    if here.site is not None and here.doubt is None:
        return here.site
    if settings.is_interactive():
        # A site that a file names is shown as the default, which Enter confirms.
        return _ask_until_valid("Address of the Jira site", config.checked_site, default=here.site)
    if here.doubt is not None:
        raise here.doubt
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


def _verify_login(
    workspace: config.Workspace, request: AddRequest
) -> tuple[config.Workspace, config.FoundToken, LoginChecked]:
    """Try the login; on a refusal offer the gateway once, then ask for another token."""
    site = workspace.required_site()
    token = settings.find_or_ask_token(workspace)
    if request.email is not None and token.email != request.email:
        problem = f"the login in the environment comes first, and is that of {token.email}"
        raise config.BadSetting("--email", request.email, problem)
    tries = 0
    while True:
        try:
            return workspace, token, _ask_site(workspace, token)
        except AuthenticationFailed as error:
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


def _print_added(
    entry: config.WorkspaceEntry,
    stored: tuple[config.TokenSource, bool],
    answer: LoginChecked,
    *,
    mapped: int,
    as_message: bool,
) -> None:
    lines = [f"{entry.name}: {entry.folder}, {entry.site}, as {answer.user.display_name}"]
    if answer.project is not None:
        lines.append(f"project {answer.project.key}: {answer.project.name}")
    source, is_file_written = stored
    lines.append(TOKEN_LOCATIONS[source])
    if entry.login.cloud_id is not None:
        lines.append(f"requests go to {gateway_site(entry.login.cloud_id, entry.site)}")
    if mapped:
        lines.append(f"fields taken over from {config.GO_FILE}: {mapped}")
    if is_file_written:
        lines.append(f"{entry.folder / config.WORKSPACE_FILE} is for git; it holds no secret")
    for line in lines:
        echo(line, err=as_message)


def check_site(
    workspace: config.Workspace,
) -> tuple[config.Workspace, config.FoundToken, LoginChecked]:
    """Ask the site of a workspace for its user and project.

    Returns:
        The workspace, the token that the site takes, and the answer.

    Raises:
        ConfigError: A setting is missing or cannot be used.
        TokenFailed: A source of tokens failed.
        JiraError: The site could not be reached, or refused.
    """
    workspace = settings.confirm_site(workspace)
    token = settings.find_or_ask_token(workspace)
    if workspace.project is None and workspace.project_problem is not None:
        raise workspace.project_problem
    return workspace, token, _ask_site(workspace, token)


def _ask_site(workspace: config.Workspace, token: config.FoundToken) -> LoginChecked:
    """Check a login, outside of Trio; see `check_login`."""
    look = partial(
        check_login,
        settings.make_credentials(token, workspace.login.cloud_id),
        site=workspace.required_site(),
        project=workspace.project,
        project_place=workspace.project_place,
        fields=workspace.fields,
    )
    return trio.run(look)


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
        return trio.run(ask_cloud_id, site)
    except (BadAnswer, Rejected, Redirected) as error:
        hint = f"{error.url} tells none ({_reason(error)}); open it in a browser, or ask who runs the site"
        raise config.MissingSetting(("--cloud-id",), hint) from error


def _reason(error: BadAnswer | Rejected | Redirected) -> str:
    match error:
        case BadAnswer():
            return error.problem
        case Rejected():
            return f"status {error.status}"
        case Redirected():
            return "it sends elsewhere"


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
    except (config.MissingSetting, JiraError):  # then the caller reports the refusal
        return None
    gateway = gateway_site(cloud_id, site)
    echo(f"{site} does not take this token.", err=True)
    echo(f"One with scopes is taken at the gateway alone: {gateway}", err=True)
    if not confirm("Does it have scopes, and may it be sent there?"):
        return None
    return replace(workspace, login=replace(workspace.login, cloud_id=cloud_id))


@dataclass(frozen=True, slots=True)
class LoginChecked:
    """The answer of a site to `check_login`.

    Attributes:
        user: The user of the login.
        project: The project; None if none was requested.
    """

    user: User
    project: Project | None


async def check_login(
    credentials: Credentials,
    *,
    site: str,
    project: str | None,
    project_place: str = "",
    fields: tuple[config.WantedField, ...] = (),
    transport: Transport | None = None,
) -> LoginChecked:
    """Ask a site for the user of a login, and for a project.

    Args:
        credentials: The login.
        site: The site's URL in a browser; behind a gateway the login has another one.
        project: The project's key, if any.
        project_place: The setting that names it, for people; empty if it was typed.
        fields: The mapped fields, which the site must have.
        transport: The transport to use instead of httpx.

    Raises:
        JiraError: The site could not be reached, or refused.
        BadSetting: The cloud ID is that of another site.
        UnknownProject: The site does not have the project.
        UnknownField: The site lacks one of the fields.
        UnsupportedField: Files cannot hold one of them.
    """
    async with open_jira(credentials, transport=transport) as jira:
        user = await jira.myself()
        if credentials.site != site:
            await _check_gateway(jira, site)
        async with sync.project_errors(jira, project, place=project_place, site=site):
            answer = LoginChecked(user, await jira.project(project) if project else None)
        if fields:
            sync.Columns.of(await jira.fields(), fields)
        return answer


async def _check_gateway(jira: JiraClient, site: str) -> None:
    """Raise if the gateway leads to another site, as far as it can be asked."""
    try:
        reported_url = (await jira.server_info()).base_url
    except Rejected:  # the scopes of the token may not cover this
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
        cloud_id = jira.site.rpartition("/")[2]
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
    if known is not None:
        if given not in {None, known.name}:
            raise config.WorkspaceTaken(known.name, str(known.folder))
        return known.name
    if given is None:
        return config.free_name(folder.name, user_config)
    if given in user_config.workspaces:
        raise config.WorkspaceTaken(given, str(user_config.workspaces[given].folder))
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


async def store_workspace(
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

    Cancellation:
        Takes effect before the token is stored, or after it: then no workspace is stored.
    """
    folder = config.config_folder(os.environ)
    # Before anything is stored elsewhere.
    await trio.to_thread.run_sync(config.prepare_config_folder, folder)
    source = login.source
    if source is config.TokenSource.PROMPT:
        source = await config.store_token(os.environ, login.site, login.email or "", login.token)

    def write() -> bool:
        is_file_written = config.write_workspace_file(entry.folder, file)
        config.store_workspace(folder, entry)
        return is_file_written

    return source, await trio.to_thread.run_sync(write)
