"""Stores a workspace that its site has accepted: for ``ticketr workspace add``, and for the app."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import trio

from ticketr.app import config

#: Where the token of a workspace is, in words for people.
WHERE = {
    config.TokenSource.ENVIRONMENT: "the token stays in the environment and is not stored",
    config.TokenSource.COMMAND: "the token is what your token_command prints",
    config.TokenSource.KEYRING: "the token is in your keyring",
    config.TokenSource.FILE: "the token is in tokens.toml, in your own config folder",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored of a workspace.

    Attributes:
        source: Where its token is.
        is_file_written: Whether its ``ticketr.toml`` was written or changed.
    """

    source: config.TokenSource
    is_file_written: bool


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
    own, told = config.read_workspace_file(folder), config.read_go_file(folder)
    if told is None or (own is not None and own.fields is not None):
        return ()
    return tuple(field for field in told.fields if config.reserved_name(field) is None)


async def store_workspace(
    entry: config.WorkspaceEntry, file: config.WorkspaceFile, login: config.FoundToken
) -> Stored:
    """Store a token that was typed, then ``ticketr.toml``, then the workspace in the user's config.

    The token goes into the keyring, or into a file of the user's own config folder.

    Args:
        entry: The workspace.
        file: The settings that its ``ticketr.toml`` is to have.
        login: The login; it is stored if its source is a prompt.

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

    return Stored(source, await trio.to_thread.run_sync(write))
