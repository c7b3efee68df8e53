"""Reads and changes ``config.toml`` in the user's own folder: the workspaces and the logins.

Only the user writes here, so a site that is here is one that the user has confirmed.

The user's marks are here, too. A git repository can bring a state file in ``.ticketr``, which would
make the repository's changes look like the user's edits, and a history of jobs that never ran. So
each of these files that ticketr makes holds the user's mark: a random text that is kept in the
user's own folder of settings. One mark for all files needs no list of them, and a workspace that is
moved keeps its mark.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ticketr.app.config import checks
from ticketr.app.config.aliases import read_aliases
from ticketr.app.config.errors import UnknownWorkspace
from ticketr.app.config.files import lock_config_folder, read_private, write_private
from ticketr.app.config.tomlfile import delete_entry, edited_toml, read_table

if TYPE_CHECKING:
    import sqlite3

    from ticketr.app.config.tomlfile import Table


CONFIG_FILE = "config.toml"

#: The seconds between two pulls of the app where no setting says otherwise.
DEFAULT_AUTO_PULL_SECONDS = 300.0
#: The limits of the seconds between two pulls of the app.
MIN_AUTO_PULL_SECONDS, MAX_AUTO_PULL_SECONDS = 30, 86_400
_KNOWN_KEYS = ("use", "workspaces", "sites", "keys", "aliases", "app")
_LOGIN_KEYS_BESIDES_SITE = ("email", "token_command", "cloud_id")
_WORKSPACE_KEYS = ("folder", "site", *_LOGIN_KEYS_BESIDES_SITE)


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
        confirmed_site: The site that the user confirmed for it.
        login: The login for that site.
    """

    name: str
    folder: Path
    confirmed_site: str
    login: LoginEntry = field(default_factory=LoginEntry)


@dataclass(frozen=True, slots=True)
class UserConfig:
    """The settings in ``config.toml``.

    Attributes:
        fallback_workspace: The name of the workspace for a command outside of all workspaces.
        workspaces: Every workspace by its name.
        login_by_site: The login of each site, for every workspace.
        aliases: The user's names for queries.
        auto_pull_seconds: The seconds after which the app pulls without being asked; 0 for never.
    """

    fallback_workspace: str | None = None
    workspaces: Mapping[str, WorkspaceEntry] = field(default_factory=dict)
    login_by_site: Mapping[str, LoginEntry] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    auto_pull_seconds: float = DEFAULT_AUTO_PULL_SECONDS

    def workspace_named(self, name: str) -> WorkspaceEntry:
        """Return the workspace of that name.

        Raises:
            UnknownWorkspace: No workspace has this name.
        """
        if name not in self.workspaces:
            raise UnknownWorkspace(name, checks.nearest(name, self.workspaces))
        return self.workspaces[name]

    def workspace_at(self, folder: Path) -> WorkspaceEntry | None:
        """Return the workspace with this root; None where there is none."""
        wanted = os.path.realpath(folder)
        for entry in self.workspaces.values():
            if os.path.realpath(entry.folder) == wanted:
                return entry
        return None

    def known_or_free_name_for(self, folder: Path) -> str:
        """Return the name of the workspace with this root, or an unused one for it."""
        known = self.workspace_at(folder)
        return free_workspace_name(folder.name, self) if known is None else known.name


def read_user_config(folder: Path) -> UserConfig:
    """Read the user's config.

    Returns:
        Its settings; empty ones where there is no such file.

    Raises:
        BadFile: It cannot be used; ``UnknownKey`` is a kind of it.
        BadSetting: A value in it cannot be used.
        NotPrivate: Others can read it, or change it or its folder.
        SettingsAccessFailed: The system refused to read it.
    """
    path = folder / CONFIG_FILE
    text = read_private(path)
    return UserConfig() if text is None else parse_user_config(path, text)


def read_keymap_table(folder: Path) -> Table:
    """Read the table ``[keys]``, which only the app uses.

    Returns:
        The table; an empty table if the file has none.

    Raises:
        BadFile: The file cannot be used.
        NotPrivate: Others can read it, or change it or its folder.
        SettingsAccessFailed: The system refused to read it.
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
    table.refuse_unknown(_KNOWN_KEYS)
    workspaces, sites = table.table("workspaces"), table.table("sites")
    return UserConfig(
        fallback_workspace=table.checked_text("use", checks.checked_workspace_name),
        workspaces={name: _read_workspace(name, workspaces) for name in workspaces.names()},
        login_by_site={
            _checked_site_key(name, sites): _read_login(sites.table(name)) for name in sites.names()
        },
        aliases=read_aliases(table.table("aliases")),
        auto_pull_seconds=_read_auto_pull_seconds(table.table("app")),
    )


def _read_auto_pull_seconds(table: Table) -> float:
    table.refuse_unknown(("refresh",))
    seconds = table.number("refresh")
    if seconds is None:
        return DEFAULT_AUTO_PULL_SECONDS
    if seconds and not MIN_AUTO_PULL_SECONDS <= seconds <= MAX_AUTO_PULL_SECONDS:
        limits = f"from {MIN_AUTO_PULL_SECONDS} to {MAX_AUTO_PULL_SECONDS} seconds, or 0 for never"
        raise table.make_error("refresh", f"refresh must be {limits}")
    return seconds


def _read_workspace(name: str, workspaces: Table) -> WorkspaceEntry:
    table = workspaces.table(name)
    table.refuse_unknown(_WORKSPACE_KEYS)
    workspaces.checked_key_itself(name, "the name of a workspace", checks.checked_workspace_name)
    folder, site = table.text("folder"), table.checked_text("site", checks.checked_site)
    if not folder or not site:
        raise workspaces.make_error(name, f"the workspace {name!r} needs a folder and a site")
    return WorkspaceEntry(name, Path(folder).expanduser().absolute(), site, _read_login(table))


def _checked_site_key(name: str, sites: Table) -> str:
    sites.table(name).refuse_unknown(_LOGIN_KEYS_BESIDES_SITE)
    return sites.checked_key_itself(name, "a site", checks.checked_site)


def _read_login(table: Table) -> LoginEntry:
    return LoginEntry(
        email=table.checked_text("email", checks.checked_email),
        token_command=_read_token_command(table),
        cloud_id=table.checked_text("cloud_id", checks.checked_cloud_id),
    )


def _read_token_command(table: Table) -> tuple[str, ...]:
    """Read a command; it is never given to a shell."""
    key = "token_command"
    if table.is_list(key):
        words = table.texts(key)
    else:
        try:
            words = tuple(shlex.split(table.text(key) or ""))
        except ValueError as error:  # its words repeat nothing of the text
            raise table.make_error(key, f"{key} cannot be split into words: {error}") from None
    if key in table and not words:
        raise table.make_error(key, f"{key} is empty")
    return words


def free_workspace_name(wanted: str, config: UserConfig) -> str:
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


USERS_OWNER_MARK_FILE = "marks.toml"

_OWNER_MARK_TOML_KEY = "mark"
_OWNER_MARK_PATTERN = re.compile(r"[0-9a-f]{64}")
_OWNER_MARK_FILE_HEADER = """\
# The mark by which ticketr knows the state files that you made; keep it to yourself. Without it each
# of your workspaces is refused until you say 'ticketr workspace trust' there.
"""


def read_or_make_owner_mark(folder: Path) -> str:
    """Read the user's mark, 64 hexadecimal digits; make one if the user has none yet.

    Args:
        folder: The user's folder of settings, which is made if it does not exist.

    Raises:
        ConfigError: The file cannot be used.
        SettingsAccessFailed: The system refused.
    """
    mark = read_users_owner_mark(folder)
    if mark is not None:
        return mark
    with lock_config_folder(folder):
        mark = read_users_owner_mark(folder)  # another process may have made it meanwhile
        if mark is None:
            import secrets  # noqa: PLC0415 - a completion reads marks, and has to be quick

            mark = secrets.token_hex(32)
            text = f'{_OWNER_MARK_FILE_HEADER}{_OWNER_MARK_TOML_KEY} = "{mark}"\n'
            write_private(folder / USERS_OWNER_MARK_FILE, text)
    return mark


def has_owner_mark(database: sqlite3.Connection, mark: str) -> bool:
    """Return whether a database has a mark."""
    try:
        rows = database.execute("SELECT 1 FROM mark WHERE value = ?", (mark,)).fetchall()
    except database.OperationalError:  # an older version made it
        return False
    return bool(rows)


def add_owner_mark(database: sqlite3.Connection, mark: str) -> None:
    """Add a mark to a database; it may have several."""
    database.execute("CREATE TABLE IF NOT EXISTS mark (value TEXT PRIMARY KEY) WITHOUT ROWID")
    database.execute("INSERT OR IGNORE INTO mark VALUES (?)", (mark,))


def read_users_owner_mark(config_folder: Path) -> str | None:
    """Read the user's mark; return None if the user has none yet.

    Raises:
        ConfigError: The file cannot be used.
        SettingsAccessFailed: The system refused.
    """
    path = config_folder / USERS_OWNER_MARK_FILE
    text = read_private(path)
    if text is None:
        return None
    table = read_table(path, text)
    mark = table.text(_OWNER_MARK_TOML_KEY) or ""
    if not _OWNER_MARK_PATTERN.fullmatch(mark):
        raise table.make_error(
            _OWNER_MARK_TOML_KEY, "this is not a mark; move the file away, and a new one is made"
        )
    return mark


_CONFIG_FILE_HEADER = """\
# ticketr's settings for this user; docs/workspaces.md tells what can stand here.
"""


def add_or_change_workspace(folder: Path, entry: WorkspaceEntry) -> None:
    """Add a workspace to the user's config, or change its entry.

    What the new entry leaves open stays, unless the old entry named another site. The first
    workspace becomes the one in use.

    Raises:
        ConfigError: The config that is there cannot be used.
        SettingsAccessFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        table = document.setdefault("workspaces", {}).setdefault(entry.name, {})
        if table.get("site") != entry.confirmed_site:
            for key in list(table):
                del table[key]
        values = {
            "folder": str(entry.folder),
            "site": entry.confirmed_site,
            "email": entry.login.email,
            "token_command": list(entry.login.token_command) or None,
            "cloud_id": entry.login.cloud_id,
        }
        table.update({key: value for key, value in values.items() if value is not None})
        document.setdefault("use", entry.name)

    _edit_config(folder, change)


def use_workspace(config_folder: Path, name: str) -> None:
    """Make a workspace the one in use.

    Raises:
        UnknownWorkspace: There is no workspace of that name.
        ConfigError: The config that is there cannot be used.
        SettingsAccessFailed: The system refused to write it.
    """
    _edit_config(config_folder, lambda document: document.update(use=name), needed_workspace=name)


def remove_workspace(folder: Path, name: str) -> None:
    """Take a workspace out of the user's config; nothing in its own folder is touched.

    Raises:
        UnknownWorkspace: There is no workspace of that name.
        ConfigError: The config that is there cannot be used.
        SettingsAccessFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        delete_entry(document, "workspaces", name)
        if document.get("use") == name:
            del document["use"]

    _edit_config(folder, change, needed_workspace=name)


def store_user_alias(folder: Path, name: str, query: str) -> None:
    """Give a query a name, for every workspace of the user.

    Raises:
        ConfigError: The config that is there cannot be used.
        SettingsAccessFailed: The system refused to write it.
    """
    _edit_config(folder, lambda document: document.setdefault("aliases", {}).update({name: query}))


def remove_alias(folder: Path, name: str) -> bool:
    """Take an alias out of the user's config.

    Returns:
        Whether it was there.

    Raises:
        ConfigError: The config that is there cannot be used.
        SettingsAccessFailed: The system refused to write it.
    """
    if name not in read_user_config(folder).aliases:
        return False
    _edit_config(folder, lambda document: delete_entry(document, "aliases", name))
    return True


def _edit_config(
    folder: Path, change: Callable[[dict[str, Any]], None], *, needed_workspace: str | None = None
) -> None:
    """Change the file's text, and check that it can be read before it is written."""
    path = folder / CONFIG_FILE
    with lock_config_folder(folder):
        config = read_user_config(folder)
        if needed_workspace is not None:
            config.workspace_named(needed_workspace)
        text = read_private(path)
        new = edited_toml(path, _CONFIG_FILE_HEADER if text is None else text, change)
        parse_user_config(path, new)
        write_private(path, new)
