"""Resolves the workspace of a command and its settings.

Settings have precedence in this order: the command's own options, the workspace's
``ticketr.toml``, the user's config, the environment. The token rule overrides all of them.

The token rule: a token goes only to the site that it was stored for. Two questions, asked in this
order.

*May this site have any login at all?* A site named by JIRA_URL, or by the user's own config for
this very folder, is the user's word. A site that only ``ticketr.toml`` names is not: that file
comes with a git repository, and its author could otherwise have every token sent to a
server of theirs. Such a site gets nothing, not even a token that was stored for it, until the
user has confirmed it for this folder: else a repository could also let its tickets be pushed in
the user's name without the user knowing.

*Which token is for this site?* One from a command, the keyring or the tokens file is under the
site that it is for. One from the environment is for the site in JIRA_URL. Without JIRA_URL it
says no site: it is taken for the workspace's, if the user has confirmed that one and has no other.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.config.aliases import (
    BUILT_IN_ALIASES,
    UsedAlias,
    expand_aliases,
    find_direct_and_nested_aliases,
)
from ticketr.app.config.checks import checked_project, checked_site
from ticketr.app.config.errors import BadSetting, MissingSetting, SiteNotConfirmed
from ticketr.app.config.files import config_folder
from ticketr.app.config.state_folder import STATE_FILE, STATE_FOLDER
from ticketr.app.config.user_config import LoginEntry, UserConfig, WorkspaceEntry, read_user_config
from ticketr.app.config.workspace_file import WORKSPACE_FILE, WorkspaceFile, read_workspace_file

if TYPE_CHECKING:
    from ticketr.app.config.checks import NameOrUserNamedField


URL_VARIABLES = ("JIRA_URL",)
TOKEN_VARIABLES = ("JIRA_API_TOKEN", "JIRA_API_KEY")
PROJECT_VARIABLES = ("JIRA_PROJECT_KEY", "JIRA_PROJECT")


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """The settings in the environment.

    Attributes:
        site: The site's address, without a trailing slash.
        email: The account's e-mail address.
        token: Its API token; never shown.
        project: The project's key, not checked yet.
        project_variable: The name of the variable that has it, for people.
        default_draft_type: The type of a new ticket that names none.
        default_subtask_type: The type of a new sub-task that names none.
    """

    site: str | None = None
    email: str | None = None
    token: str | None = field(default=None, repr=False)
    project: str | None = None
    project_variable: str = ""
    default_draft_type: str | None = None
    default_subtask_type: str | None = None


def read_jira_variables(environ: Mapping[str, str]) -> EnvironmentSettings:
    """Read the settings in the environment, whose variables begin with ``JIRA_``.

    Raises:
        BadSetting: The address cannot be one.
    """
    url_name, url = _first_set_variable(environ, URL_VARIABLES)
    project_name, project = _first_set_variable(environ, PROJECT_VARIABLES)
    return EnvironmentSettings(
        site=checked_site(url_name, url) if url else None,
        email=_first_set_variable(environ, ("JIRA_EMAIL",))[1] or None,
        token=_first_set_variable(environ, TOKEN_VARIABLES)[1] or None,
        project=project or None,
        project_variable=project_name,
        default_draft_type=_first_set_variable(environ, ("JIRA_STORY_TYPE",))[1] or None,
        default_subtask_type=_first_set_variable(environ, ("JIRA_SUBTASK_TYPE",))[1] or None,
    )


def _first_set_variable(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    for name in names:
        if value := environ.get(name, "").strip():
            return name, value
    return names[0], ""


def is_environment_login_for(
    site: str, *, jira_url: str | None, confirmed_site: str | None, config_sites: AbstractSet[str]
) -> bool:
    """Return whether the login in the environment is one for a site.

    Args:
        site: The workspace's site.
        jira_url: The site in JIRA_URL.
        confirmed_site: The site that the user's config has for this folder.
        config_sites: Every site that the user's config names.
    """
    if jira_url is not None:
        return site == jira_url
    return site == confirmed_site and config_sites <= {site}


#: What new tickets and sub-tasks are that name no type.
DEFAULT_DRAFT_TYPE = "Task"
DEFAULT_SUBTASK_TYPE = "Sub-task"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder of tickets and the place in Jira that they belong to.

    It holds no secret. A token is looked up when it is needed, by ``find_token``.

    Attributes:
        name: Its name in the user's config; else that of its folder.
        root: The folder.
        site: The site's address; None where nothing names one.
        site_error: Why no login may go to that site yet; None if one may.
        login: The login for that site.
        environment_login_fits_site: Whether the login in the environment is one for that site.
        project: The project that new tickets belong to, and that is pulled unless there is a query.
        project_place: The setting that names the project, for people; empty where the user has just
            typed it.
        jql: The query to pull by.
        fields: Further fields to keep in the files.
        file: The settings in its ``ticketr.toml``, which has no second place for some.
        is_bare_current_folder: Whether the folder is the current one for want of any workspace: it is
            none, and the user did not name it. Only the environment may say anything of a site then.
        default_draft_type: The type of a new ticket that names none.
        default_subtask_type: The type of a new sub-task that names none.
        all_aliases: The names for queries: of everybody, of the team and of the user.
        team_alias_names: Those of them that the workspace's file defines.
    """

    name: str
    root: Path
    site: str | None = None
    site_error: SiteNotConfirmed | None = None
    login: LoginEntry = field(default_factory=LoginEntry)
    environment_login_fits_site: bool = False
    project: str | None = None
    project_place: str = ""
    jql: str | None = None
    fields: tuple[NameOrUserNamedField, ...] = ()
    is_bare_current_folder: bool = False
    default_draft_type: str = DEFAULT_DRAFT_TYPE
    default_subtask_type: str = DEFAULT_SUBTASK_TYPE
    all_aliases: Mapping[str, str] = field(default_factory=lambda: BUILT_IN_ALIASES, hash=False)
    team_alias_names: frozenset[str] = frozenset()
    file: WorkspaceFile = field(default=WorkspaceFile(Path()), compare=False)

    def aliases_in(self, query: str) -> tuple[UsedAlias, ...]:
        """Return the aliases that a query uses, and those within them."""
        return tuple(
            UsedAlias(name, self._source_of(name), self.all_aliases[name])
            for name in find_direct_and_nested_aliases(query, self.all_aliases)
        )

    def _source_of(self, alias: str) -> str:
        if alias in self.team_alias_names:
            return WORKSPACE_FILE
        is_own = self.all_aliases[alias] != BUILT_IN_ALIASES.get(alias)
        return "your settings" if is_own else "built in"

    def required_confirmed_site(self) -> str:
        """Return the site, if a login may go there.

        Raises:
            MissingSetting: Nothing names one.
            SiteNotConfirmed: The token rule forbids it.
        """
        if self.site is None:
            hint = "the address of your Jira site, like https://you.atlassian.net"
            raise MissingSetting(URL_VARIABLES, f"{hint}, or 'ticketr workspace add'")
        if self.site_error is not None:
            raise self.site_error
        return self.site

    def required_project(self, hint: str = "the key of the project, like DEMO") -> str:
        """Return the project's key.

        Args:
            hint: The advice of the error where nothing names one.

        Raises:
            MissingSetting: Nothing names one.
        """
        if self.project is None:
            raise MissingSetting((PROJECT_VARIABLES[0], "--project"), hint)
        return self.project


def resolve_workspace(
    environ: Mapping[str, str],
    here: Path,
    *,
    name: str | None = None,
    folder: Path | None = None,
    project: str | None = None,
    proposed: WorkspaceEntry | None = None,
) -> Workspace:
    """Return the workspace of a command, with its settings.

    It is, in this order: the one of that name, the one in that folder, the one around the current
    folder, the one in use, or else the current folder itself.

    Args:
        environ: The environment, usually ``os.environ``.
        here: The current folder.
        name: The name of a workspace in the user's config, from ``--workspace``.
        folder: A folder, from ``--folder``.
        project: A project's key, from ``--project``.
        proposed: A workspace to be added to the user's config; it is resolved as if it was there.

    Raises:
        ConfigError: A file or a setting cannot be used, or there is no such workspace.
        SettingsAccessFailed: A file of settings could not be read.
    """
    environment = read_jira_variables(environ)
    config = read_user_config(config_folder(environ))
    if proposed is None:
        root, entry = _find_root_and_entry(config, here, name=name, folder=folder)
    else:
        config = replace(config, workspaces={**config.workspaces, proposed.name: proposed})
        root, entry = proposed.folder, proposed
    workspace = _merge_settings(root, entry, config, environment, project)
    own = (root / WORKSPACE_FILE, root / STATE_FOLDER / STATE_FILE)
    is_bare = folder is None and entry is None and not any(path.is_file() for path in own)
    return replace(workspace, is_bare_current_folder=is_bare)


def resolve_workspace_folder(
    environ: Mapping[str, str],
    here: Path,
    *,
    name: str | None = None,
    folder: Path | None = None,
) -> Path:
    """Return the folder of a command's workspace, as `resolve_workspace` finds it.

    Raises:
        ConfigError: The user's config cannot be used, or there is no such workspace.
        SettingsAccessFailed: The user's config could not be read.
    """
    config = read_user_config(config_folder(environ))
    return _find_root_and_entry(config, here, name=name, folder=folder)[0]


def _find_root_and_entry(
    config: UserConfig, here: Path, *, name: str | None, folder: Path | None
) -> tuple[Path, WorkspaceEntry | None]:
    if name is not None and folder is not None:
        raise BadSetting("--folder", str(folder), "give a folder or --workspace, not both")
    if name is not None:
        return _require_existing_folder(config.workspace_named(name))
    if folder is None:
        known = {os.path.realpath(entry.folder) for entry in config.workspaces.values()}
        folder = find_workspace_root(here, known)
    if folder is None and config.fallback_workspace is not None:
        return _require_existing_folder(config.workspace_named(config.fallback_workspace))
    root = (here if folder is None else folder).absolute()
    return root, config.workspace_at(root)


def _require_existing_folder(entry: WorkspaceEntry) -> tuple[Path, WorkspaceEntry]:
    if not entry.folder.is_dir():  # it might be on a disk that is not there just now
        hint = f"bring it back, or 'ticketr workspace remove {entry.name}'"
        raise BadSetting(f"the folder of {entry.name}", str(entry.folder), f"it is gone: {hint}")
    return entry.folder, entry


def find_workspace_root(start: Path, known: Collection[str] = ()) -> Path | None:
    """Find the root of the workspace around a folder, upwards, as git does.

    Args:
        start: The folder to begin at, usually the current one.
        known: Where workspaces are, by the user's config.

    Returns:
        The nearest folder, from ``start`` upwards, that holds a ``ticketr.toml`` or a ``.ticketr``
        folder, or is a known one; None where none is.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        with suppress(OSError):  # another user's folder, which may not be read
            if (folder / WORKSPACE_FILE).is_file() or (folder / STATE_FOLDER).is_dir():
                return folder
        if known and os.path.realpath(folder) in known:
            return folder
    return None


def _merge_settings(
    root: Path,
    entry: WorkspaceEntry | None,
    config: UserConfig,
    environment: EnvironmentSettings,
    project: str | None,
) -> Workspace:
    """Merge the settings of all sources into a workspace; read those in its folder."""
    file = read_workspace_file(root) or WorkspaceFile(root / WORKSPACE_FILE)
    aliases = {**BUILT_IN_ALIASES, **file.aliases, **config.aliases}
    jql = file.jql
    if jql is not None:
        jql = expand_aliases(f"{file.path}: jql", jql, aliases)
    named, confirmed = environment.site, entry.confirmed_site if entry else None
    site = file.site or confirmed or named
    if named not in {None, site}:  # the other variables are about that other site, too
        environment = EnvironmentSettings(site=named)
    projects = {
        "--project": project,
        f"project in {file.path}": file.project,
        environment.project_variable: environment.project,
    }
    place, key = next(
        ((place, key) for place, key in projects.items() if key is not None), ("", None)
    )
    workspace = Workspace(
        name=entry.name if entry else root.name or str(root),
        root=root,
        site=site,
        project=None if key is None else checked_project(place, key),
        project_place=place,
        jql=jql,
        fields=file.fields or (),
        default_draft_type=environment.default_draft_type or DEFAULT_DRAFT_TYPE,
        default_subtask_type=environment.default_subtask_type or DEFAULT_SUBTASK_TYPE,
        all_aliases=aliases,
        team_alias_names=frozenset(file.aliases.keys() - config.aliases.keys()),
        file=file,
    )
    if site is None:
        return workspace
    if site not in {named, confirmed}:
        error = SiteNotConfirmed(site, str(file.path), confirmed, named)
        return replace(workspace, site_error=error)
    known = {*config.login_by_site, *(other.confirmed_site for other in config.workspaces.values())}
    environment_login_fits_site = is_environment_login_for(
        site, jira_url=named, confirmed_site=confirmed, config_sites=known
    )
    login = entry.login if entry and entry.confirmed_site == site else LoginEntry()
    login = login.completed_by(config.login_by_site.get(site, LoginEntry()))
    if environment_login_fits_site:
        login = login.completed_by(LoginEntry(email=environment.email))
    return replace(workspace, login=login, environment_login_fits_site=environment_login_fits_site)
