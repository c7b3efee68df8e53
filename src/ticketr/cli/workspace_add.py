"""``ticketr workspace add``: asks for what is missing, sees that it works, writes it down."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import trio

from ticketr.cli.output import echo
from ticketr.cli.settings import (
    EMAIL_HINT,
    SITE_HINT,
    ask_for_token,
    credentials,
    is_interactive,
    log_in,
)
from ticketr.cli.workspace_gateway import find_cloud_id, offer_gateway
from ticketr.cli.workspace_site import SiteAnswer, check_site
from ticketr.config import (
    GO_FILE,
    WORKSPACE_FILE,
    BadSetting,
    FoundToken,
    LoginEntry,
    MappedField,
    MissingSetting,
    TokenSource,
    UserConfig,
    Workspace,
    WorkspaceEntry,
    WorkspaceFile,
    WorkspaceTaken,
    checked_cloud_id,
    checked_email,
    checked_jql,
    checked_name,
    checked_project,
    checked_site,
    config_folder,
    find_root,
    free_name,
    missing_in_file,
    prepare_config_folder,
    read_go_file,
    read_user_config,
    read_workspace_file,
    reserved_name,
    resolve_workspace,
    store_token,
    store_workspace,
    write_workspace_file,
)
from ticketr.jira import AuthenticationFailed, gateway_site

if TYPE_CHECKING:
    from collections.abc import Callable

_STORED = {TokenSource.KEYRING, TokenSource.FILE, TokenSource.PROMPT}
_WHERE = {
    TokenSource.ENVIRONMENT: "the token stays in the environment and is not stored",
    TokenSource.COMMAND: "the token is what your token_command prints",
    TokenSource.KEYRING: "the token is in your keyring",
    TokenSource.FILE: "the token is in tokens.toml, in your own config folder",
}
#: How often a token that the site does not take is asked for again.
TRIES = 3


@dataclass(frozen=True, slots=True)
class AddRequest:
    """What the command was given.

    Attributes:
        name: The name of the workspace.
        folder: Its folder.
        site: The address of its site.
        email: The account.
        project: The project's key.
        jql: The query to pull by.
        cloud_id: The site's ID behind Atlassian's gateway.
        scoped: Whether the site is to be asked for that ID.
    """

    name: str | None
    folder: Path | None
    site: str | None
    email: str | None
    project: str | None
    jql: str | None
    cloud_id: str | None
    scoped: bool = False


def add_workspace(wanted: AddRequest) -> None:
    """Add a workspace to the user's config once its site has taken the login.

    In a terminal it asks for what is missing. Until the site has answered nothing is written.

    Raises:
        ConfigError: Something is missing or cannot be used, or there is such a workspace.
        TokenFailed: A source that should have a token did not work.
        JiraError: The site could not be asked, or refused.
        SettingsFailed: Something could not be written.
    """
    entry = _entry(wanted)
    # Before anything is asked: what a team has agreed on is not changed from here.
    missing_in_file(
        entry.folder, WorkspaceFile(entry.folder, entry.site, wanted.project, wanted.jql)
    )
    if wanted.scoped:
        entry = replace(entry, login=replace(entry.login, cloud_id=find_cloud_id(entry.site)))
    settled = _complete(entry, wanted)
    workspace, found, seen = _try(settled, wanted)
    entry = replace(entry, login=replace(entry.login, email=found.email))
    if workspace != settled:  # the token turned out to have scopes
        login = replace(entry.login, cloud_id=workspace.login.cloud_id)
        entry = replace(entry, login=login)
    mapped = _mapped(entry.folder)
    file = WorkspaceFile(entry.folder, entry.site, workspace.project, wanted.jql, mapped)
    prepare_config_folder(config_folder(os.environ))  # before anything is left elsewhere
    if found.source is TokenSource.PROMPT:
        kept = trio.run(store_token, os.environ, found.site, found.email or "", found.token)
        found = replace(found, source=kept)
    written = write_workspace_file(entry.folder, file)
    store_workspace(config_folder(os.environ), entry)
    _tell(entry, found, seen, written=written, mapped=len(mapped))


def _entry(wanted: AddRequest) -> WorkspaceEntry:
    """Settle the name, the folder and the site."""
    config = read_user_config(config_folder(os.environ))
    folder = _folder(wanted, config)
    known = config.at(folder)
    name = _name(wanted.name, folder, known, config)
    site = _site(wanted, resolve_workspace(os.environ, Path.cwd(), folder=folder))
    email = None if wanted.email is None else checked_email("--email", wanted.email)
    cloud_id = wanted.cloud_id and checked_cloud_id("--cloud-id", wanted.cloud_id)
    login = LoginEntry(email, cloud_id=cloud_id)
    if known is not None and known.site == site:
        login = login.completed_by(known.login)
    return WorkspaceEntry(name, folder, site, login)


def _folder(wanted: AddRequest, config: UserConfig) -> Path:
    if wanted.folder is not None:
        return wanted.folder.resolve()
    if wanted.name is not None and wanted.name in config.workspaces:
        return config.workspaces[wanted.name].folder
    known = [str(entry.folder.resolve()) for entry in config.workspaces.values()]
    return (find_root(Path.cwd(), known) or Path.cwd()).resolve()


def _name(given: str | None, folder: Path, known: WorkspaceEntry | None, config: UserConfig) -> str:
    if known is not None:
        if given not in {None, known.name}:
            raise WorkspaceTaken(known.name, str(known.folder))
        return known.name
    if given is None:
        return free_name(folder.name, config)
    if given in config.workspaces:
        raise WorkspaceTaken(given, str(config.workspaces[given].folder))
    return checked_name("NAME", given)


def _site(wanted: AddRequest, here: Workspace) -> str:
    """Take the site from the user's own words: a file alone does not settle it."""
    if wanted.site is not None:
        return checked_site("--site", wanted.site)
    if here.site is not None and here.doubt is None:
        return here.site
    if is_interactive():
        # Where a file names one, it stands there to be read, and Enter says yes to it.
        return _ask("Address of the Jira site", checked_site, default=here.site)
    if here.doubt is not None:
        raise here.doubt
    raise MissingSetting(("--site", "JIRA_URL"), SITE_HINT)


def _complete(entry: WorkspaceEntry, wanted: AddRequest) -> Workspace:
    """Settle the account and what to pull."""
    workspace = resolve_workspace(os.environ, Path.cwd(), proposed=entry, project=wanted.project)
    if wanted.jql is not None:
        workspace = replace(workspace, jql=checked_jql("--jql", wanted.jql))
    if workspace.login.email is None:
        if not is_interactive():
            raise MissingSetting(("--email", "JIRA_EMAIL"), EMAIL_HINT)
        email = _ask("E-mail address of your account", checked_email)
        workspace = replace(workspace, login=replace(workspace.login, email=email))
    if workspace.project is None and is_interactive():
        project = _ask("Key of the project", checked_project)
        workspace = replace(workspace, project=project)
    if workspace.jql is None:
        workspace.required_project("the key of the project, or give a query by --jql")
    return workspace


def _mapped(folder: Path) -> tuple[MappedField, ...]:
    """Return the fields that count only because the Go program was told of them."""
    own, told = read_workspace_file(folder), read_go_file(folder)
    if told is None or (own is not None and own.fields is not None):
        return ()
    return tuple(each for each in told.fields if reserved_name(each) is None)


def _ask(what: str, check: Callable[[str, str], str], *, default: str | None = None) -> str:
    """Ask until the answer can be used."""

    def checked(text: str) -> str:
        try:
            return check(what, text.strip())
        except BadSetting as error:
            raise click.BadParameter(error.problem) from None

    answer: str = click.prompt(what, default=default, value_proc=checked, err=True)
    return answer


def _try(workspace: Workspace, wanted: AddRequest) -> tuple[Workspace, FoundToken, SiteAnswer]:
    """Ask the site; where it does not take a login, offer the gateway, then ask for a token."""
    site = workspace.required_site()
    found = log_in(workspace)
    if wanted.email is not None and found.email != wanted.email:
        problem = f"the login in the environment comes first, and is that of {found.email}"
        raise BadSetting("--email", wanted.email, problem)
    tries = 0
    while True:
        login = credentials(found, workspace.login.cloud_id)
        try:
            look = partial(
                check_site,
                login,
                site=site,
                project=workspace.project,
                fields=workspace.fields,
            )
            return workspace, found, trio.run(look)
        except AuthenticationFailed as error:
            tries += 1
            if tries == 1 and (offered := offer_gateway(workspace)) is not None:
                workspace = offered
                continue
            if tries >= TRIES or found.source not in _STORED or not is_interactive():
                raise
            echo(str(error), err=True)
        found = ask_for_token(site, found.email or "")


def _tell(
    entry: WorkspaceEntry, found: FoundToken, seen: SiteAnswer, *, written: bool, mapped: int
) -> None:
    lines = [f"{entry.name}: {entry.folder}, {entry.site}, as {seen.user.display_name}"]
    if seen.project is not None:
        lines.append(f"project {seen.project.key}: {seen.project.name}")
    lines.append(_WHERE[found.source])
    if entry.login.cloud_id is not None:
        lines.append(f"requests go to {gateway_site(entry.login.cloud_id, entry.site)}")
    if mapped:
        lines.append(f"fields taken over from {GO_FILE}: {mapped}")
    if written:
        lines.append(f"{entry.folder / WORKSPACE_FILE} is for git; it holds no secret")
    for line in lines:
        echo(line)
