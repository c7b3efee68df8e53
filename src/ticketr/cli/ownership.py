"""Whose state file a workspace has: one that came with a repository is not taken for the user's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ticketr.cli.settings import is_interactive
from ticketr.config import (
    STATE_FOLDER,
    ForeignState,
    Marks,
    SettingsFailed,
    config_folder,
    new_marks,
    note_marked,
    open_marks,
)
from ticketr.text import clean

if TYPE_CHECKING:
    from pathlib import Path


def own_mark(root: Path) -> str | None:
    """Return the mark that the state file of a workspace bears, or is to bear once it is made.

    A workspace that was the user's before there were marks gets its mark here. In a terminal it
    asks about any other whose state file bears none.

    Returns:
        The mark; None where the state file is the user's and cannot be changed, so bears none.

    Raises:
        ForeignState: The user did not make the state file, or nobody is there to be asked.
        ConfigError: The user's settings cannot be used.
        StateFailed: The state file cannot be used, or not be changed.
    """
    from ticketr.sync import Store, bears_mark, sign_state

    marks, unkept = _marks()
    store = Store(root, STATE_FOLDER, marks.mark)
    is_older = marks.is_older(root)
    if not bears_mark(store):
        if not is_older:
            _ask(ForeignState(str(root), str(store.state_path), unkept))
        if unkept or not os.access(store.own, os.W_OK):
            return None
        sign_state(store)
    if is_older and not unkept:  # from now on it bears its mark, or is to be made with it
        note_marked(config_folder(os.environ), root)
    return store.mark


def trust(root: Path) -> bool:
    """Mark the state file of a workspace as the user's, whoever made it; all in it stays.

    Returns:
        Whether it was not so marked already; also False where there is no state file.

    Raises:
        ConfigError: The user's settings cannot be used.
        SettingsFailed: The user's mark cannot be kept.
        StateFailed: The state file cannot be used or changed.
    """
    from ticketr.sync import Store, bears_mark, sign_state

    folder = config_folder(os.environ)
    store = Store(root, STATE_FOLDER, open_marks(folder).mark)
    if bears_mark(store):
        return False
    sign_state(store)
    note_marked(folder, root)
    return True


def _marks() -> tuple[Marks, str]:
    """Return the user's marks, and why they cannot be kept for the next time; empty if they can.

    Where no folder of settings can be made, a new state file still can be: it bears a mark that
    nobody will know, so it is asked about like anybody else's.
    """
    folder = config_folder(os.environ)
    try:
        return open_marks(folder), ""
    except SettingsFailed as error:
        return new_marks(folder), str(error)


def _ask(doubt: ForeignState) -> None:
    """Ask whether a state file is the user's.

    Raises:
        ForeignState: The answer was no, or nobody is there to be asked.
    """
    if not is_interactive():
        raise doubt
    click.echo(clean(f"{doubt.path} does not bear your mark."), err=True)
    click.echo(
        "If it came with a git repository say no, or its edits would be sent in your name.",
        err=True,
    )
    if not click.confirm("Did you make it?", err=True):
        raise doubt
