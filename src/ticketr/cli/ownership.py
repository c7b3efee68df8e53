"""Checks that a workspace's state file is the user's, and did not come with a repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ticketr import config
from ticketr.cleaning import clean
from ticketr.cli.questions import confirm
from ticketr.cli.settings import is_interactive

if TYPE_CHECKING:
    from pathlib import Path


def own_mark(root: Path, *, ask: bool = True) -> str | None:
    """Return the mark of a workspace's state file, or the mark that a new one gets.

    A state file that is older than marks, and was the user's, is marked here. For any other
    without a mark the user is asked in a terminal.

    Args:
        root: The workspace's folder.
        ask: Whether the user may be asked.

    Returns:
        The mark; None if the state file is the user's and cannot be changed, so has no mark.

    Raises:
        ForeignState: The state file is not the user's, or there is no terminal to ask in.
        ConfigError: The user's settings cannot be used.
        StateFailed: The state file cannot be changed.
    """
    from ticketr.sync import StateFailed, Store, bears_mark, sign_state

    marks, unkept = _marks()
    store = Store(root, config.STATE_FOLDER, marks.mark)
    is_older = marks.is_older(root)
    try:
        is_own = bears_mark(store)
    except StateFailed:  # it cannot be used by anything; what opens it says so, in JSON too
        return store.mark
    if not is_own:
        if not is_older:
            _confirm_ownership(
                config.ForeignState(str(root), str(store.state_path), unkept), ask=ask
            )
        if unkept or not os.access(store.own, os.W_OK):
            return None
        sign_state(store)
    if is_older and not unkept:  # its state file has a mark now, or gets one when it is created
        config.note_marked(config.config_folder(os.environ), root)
    return store.mark


def trust(root: Path) -> bool:
    """Mark the state file of a workspace as the user's; its content stays.

    Returns:
        Whether a mark was written; False if there was one, or there is no state file.

    Raises:
        ConfigError: The user's settings cannot be used.
        SettingsFailed: The user's mark cannot be kept.
        StateFailed: The state file cannot be used or changed.
    """
    from ticketr.sync import Store, bears_mark, sign_state

    folder = config.config_folder(os.environ)
    store = Store(root, config.STATE_FOLDER, config.open_marks(folder).mark)
    if bears_mark(store):
        return False
    sign_state(store)
    config.note_marked(folder, root)
    return True


def _marks() -> tuple[config.Marks, str]:
    """Return the user's marks, and why they cannot be stored; empty if they can.

    If they cannot be stored, a new state file gets a mark that later runs do not know, so they ask
    about it as about a foreign one.
    """
    folder = config.config_folder(os.environ)
    try:
        return config.open_marks(folder), ""
    except config.SettingsFailed as error:
        return config.new_marks(folder), str(error)


def _confirm_ownership(doubt: config.ForeignState, *, ask: bool) -> None:
    """Ask whether a state file is the user's.

    Raises:
        ForeignState: The answer was no, or there is no terminal to ask in.
    """
    if not ask or not is_interactive():
        raise doubt
    click.echo(clean(f"{doubt.path} does not bear your mark."), err=True)
    click.echo(
        "If it came with a git repository say no, or its edits would be sent in your name.",
        err=True,
    )
    if not confirm("Did you make it?"):
        raise doubt
