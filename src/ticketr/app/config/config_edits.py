"""Changes ``config.toml``, and keeps the user's comments and order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ticketr.app.config.files import exclusive, read_private, write_private
from ticketr.app.config.marks import open_marks
from ticketr.app.config.tomlfile import edited
from ticketr.app.config.user_config import (
    CONFIG_FILE,
    WorkspaceEntry,
    parse_user_config,
    read_user_config,
)

_FIRST_LINES = """\
# ticketr's settings for this user; docs/workspaces.md tells what can stand here.
"""


def store_workspace(folder: Path, entry: WorkspaceEntry) -> None:
    """Add a workspace to the user's config, or change its entry.

    What the new entry leaves open stays, unless the old entry named another site. The first
    workspace becomes the one in use.

    Raises:
        ConfigError: The config that is there cannot be used.
        SettingsFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        table = document.setdefault("workspaces", {}).setdefault(entry.name, {})
        if table.get("site") != entry.site:
            for key in list(table):
                del table[key]
        values = {
            "folder": str(entry.folder),
            "site": entry.site,
            "email": entry.login.email,
            "token_command": list(entry.login.token_command) or None,
            "cloud_id": entry.login.cloud_id,
        }
        table.update({key: value for key, value in values.items() if value is not None})
        document.setdefault("use", entry.name)

    # First, so that this workspace does not count as older than the user's mark.
    open_marks(folder)
    _edit(folder, change)


def use_workspace(folder: Path, name: str) -> None:
    """Make a workspace the one in use.

    Raises:
        UnknownWorkspace: There is no workspace of that name.
        ConfigError: The config that is there cannot be used.
        SettingsFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        document["use"] = name

    _edit(folder, change, needed=name)


def remove_workspace(folder: Path, name: str) -> None:
    """Take a workspace out of the user's config; nothing in its own folder is touched.

    Raises:
        UnknownWorkspace: There is no workspace of that name.
        ConfigError: The config that is there cannot be used.
        SettingsFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        del document["workspaces"][name]
        if not document["workspaces"]:
            del document["workspaces"]
        if document.get("use") == name:
            del document["use"]

    _edit(folder, change, needed=name)


def store_alias(folder: Path, name: str, query: str) -> None:
    """Give a query a name, for every workspace of the user.

    Raises:
        ConfigError: The config that is there cannot be used.
        SettingsFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        document.setdefault("aliases", {})[name] = query

    _edit(folder, change)


def remove_alias(folder: Path, name: str) -> bool:
    """Take an alias out of the user's config.

    Returns:
        Whether it was there.

    Raises:
        ConfigError: The config that is there cannot be used.
        SettingsFailed: The system refused to write it.
    """

    def change(document: dict[str, Any]) -> None:
        del document["aliases"][name]
        if not document["aliases"]:
            del document["aliases"]

    if name not in read_user_config(folder).aliases:
        return False
    _edit(folder, change)
    return True


def _edit(
    folder: Path, change: Callable[[dict[str, Any]], None], *, needed: str | None = None
) -> None:
    """Change the file's text, and check that it can be read before it is written."""
    path = folder / CONFIG_FILE
    with exclusive(folder):
        config = read_user_config(folder)
        if needed is not None:
            config.named(needed)
        text = read_private(path)
        new = edited(path, _FIRST_LINES if text is None else text, change)
        parse_user_config(path, new)
        write_private(path, new)
