"""Reads ``config.toml`` in the user's own folder: the workspaces and the logins.

Only the user writes here, so a site that is here is one that the user has confirmed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.config.aliases import read_aliases
from ticketr.app.config.checks import (
    checked_cloud_id,
    checked_email,
    checked_name,
    checked_site,
    nearest,
)
from ticketr.app.config.errors import BadSetting, UnknownWorkspace
from ticketr.app.config.files import read_private
from ticketr.app.config.tomlfile import read_table

if TYPE_CHECKING:
    from ticketr.app.config.tomlfile import Table

CONFIG_FILE = "config.toml"

_KEYS = ("use", "workspaces", "sites", "keys", "aliases")
_LOGIN_KEYS = ("email", "token_command", "cloud_id")
_WORKSPACE_KEYS = ("folder", "site", *_LOGIN_KEYS)


@dataclass(frozen=True, slots=True)
class LoginEntry:
    """A login: an account and how its token is found.

    Attributes:
        email: The account's e-mail address; empty for a token that stands alone, such as a service
            account's.
        token_command: The words of a command that prints the token; none where it is empty. It is
            in no repr, since some people write secrets into commands.
        cloud_id: The site's ID behind api.atlassian.com, which is where scoped tokens go.
    """

    email: str | None = None
    token_command: tuple[str, ...] = field(default=(), repr=False)
    cloud_id: str | None = None

    def completed_by(self, other: LoginEntry) -> LoginEntry:
        """Return this login, completed by another."""
        return LoginEntry(
            other.email if self.email is None else self.email,
            self.token_command or other.token_command,
            self.cloud_id or other.cloud_id,
        )


@dataclass(frozen=True, slots=True)
class WorkspaceEntry:
    """A workspace that the user has added.

    Attributes:
        name: Its name.
        folder: Its root.
        site: The site that the user confirmed for it.
        login: The login for that site.
    """

    name: str
    folder: Path
    site: str
    login: LoginEntry = field(default_factory=LoginEntry)


@dataclass(frozen=True, slots=True)
class UserConfig:
    """The settings in ``config.toml``.

    Attributes:
        in_use: The name of the workspace for a command outside of all workspaces.
        workspaces: Every workspace by its name.
        sites: The login of each site, for every workspace.
        aliases: The user's names for queries.
    """

    in_use: str | None = None
    workspaces: Mapping[str, WorkspaceEntry] = field(default_factory=dict)
    sites: Mapping[str, LoginEntry] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> WorkspaceEntry:
        """Return the workspace of that name.

        Raises:
            UnknownWorkspace: No workspace has this name.
        """
        if name not in self.workspaces:
            raise UnknownWorkspace(name, nearest(name, self.workspaces))
        return self.workspaces[name]

    def at(self, folder: Path) -> WorkspaceEntry | None:
        """Return the workspace with this root; None where there is none."""
        wanted = os.path.realpath(folder)
        for entry in self.workspaces.values():
            if os.path.realpath(entry.folder) == wanted:
                return entry
        return None

    def with_workspace(self, entry: WorkspaceEntry) -> UserConfig:
        """Return this config with a workspace added or replaced."""
        return replace(self, workspaces={**self.workspaces, entry.name: entry})

    def confirmed_sites(self) -> frozenset[str]:
        """Return every site that the user has named here."""
        return frozenset((*(entry.site for entry in self.workspaces.values()), *self.sites))


def read_user_config(folder: Path) -> UserConfig:
    """Read the user's config.

    Returns:
        Its settings; empty ones where there is no such file.

    Raises:
        BadFile: It cannot be used; ``UnknownKey`` is a kind of it.
        BadSetting: A value in it cannot be used.
        NotPrivate: Others can read it, or change it or its folder.
        SettingsFailed: The system refused to read it.
    """
    path = folder / CONFIG_FILE
    text = read_private(path)
    return UserConfig() if text is None else parse_user_config(path, text)


def read_keys(folder: Path) -> Table:
    """Read the table ``[keys]``, which only the app uses.

    Returns:
        The table; an empty table if the file has none.

    Raises:
        BadFile: The file cannot be used.
        NotPrivate: Others can read it, or change it or its folder.
        SettingsFailed: The system refused to read it.
    """
    path = folder / CONFIG_FILE
    return read_table(path, read_private(path) or "").table("keys")


def parse_user_config(path: Path, text: str) -> UserConfig:
    """Read the user's config from its text.

    Raises:
        BadFile: It cannot be used; ``UnknownKey`` is a kind of it.
        BadSetting: A value in it cannot be used.
    """
    table = read_table(path, text)
    table.refuse_unknown(_KEYS)
    workspaces, sites = table.table("workspaces"), table.table("sites")
    return UserConfig(
        in_use=table.checked("use", checked_name),
        workspaces={name: _workspace(name, workspaces.table(name)) for name in workspaces.names()},
        sites={_site(name, sites): _login(sites.table(name)) for name in sites.names()},
        aliases=read_aliases(table.table("aliases")),
    )


def _workspace(name: str, table: Table) -> WorkspaceEntry:
    table.refuse_unknown(_WORKSPACE_KEYS)
    try:
        checked_name("the name of a workspace", name)
    except BadSetting as error:
        raise table.bad(None, str(error)) from None
    folder, site = table.text("folder"), table.checked("site", checked_site)
    if not folder or not site:
        raise table.bad(None, f"the workspace {name!r} needs a folder and a site")
    return WorkspaceEntry(name, Path(folder).expanduser().absolute(), site, _login(table))


def _site(name: str, sites: Table) -> str:
    sites.table(name).refuse_unknown(_LOGIN_KEYS)
    try:
        return checked_site("a site", name)
    except BadSetting as error:
        raise sites.bad(name, str(error)) from None


def _login(table: Table) -> LoginEntry:
    return LoginEntry(
        email=table.checked("email", checked_email),
        token_command=_words(table),
        cloud_id=table.checked("cloud_id", checked_cloud_id),
    )


def _words(table: Table) -> tuple[str, ...]:
    """Read a command; it is never given to a shell."""
    key = "token_command"
    if table.is_list(key):
        words = table.texts(key)
    else:
        try:
            words = tuple(shlex.split(table.text(key) or ""))
        except ValueError as error:  # its words repeat nothing of the text
            raise table.bad(key, f"{key} cannot be split into words: {error}") from None
    if key in table and not words:
        raise table.bad(key, f"{key} is empty")
    return words


def free_name(wanted: str, config: UserConfig) -> str:
    """Return an unused name for a new workspace.

    Args:
        wanted: The name to start from, for instance that of a folder.
        config: The user's config.
    """
    letters = [
        text if text.isascii() and (text.isalnum() or text in "._-") else "-" for text in wanted
    ]
    base = "".join(letters).strip("._-")[:50] or "tickets"
    numbered = (f"{base}-{number}" for number in count(2))
    return next(name for name in chain([base], numbered) if name not in config.workspaces)
