"""The tickets that the user of a command names by their keys."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ticketr.app.cli.completion import complete_key

if TYPE_CHECKING:
    from ticketr.app.cli.job_options import CommonOptions
    from ticketr.app.sync import LocalSurvey, State

R = TypeVar("R")


def keys_argument(command: Callable[..., R]) -> Callable[..., R]:
    """Add the argument ``KEY``, which may be given several times, or not at all."""
    return click.argument(
        "keys", nargs=-1, metavar="[KEY]...", callback=_upper, shell_complete=complete_key
    )(command)


def _upper(_: click.Context, __: click.Parameter, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys in capitals, each once; whether they exist depends on the workspace."""
    return tuple(dict.fromkeys(key.upper() for key in keys))


def checked_key(key: str) -> str:
    """Return the key of an issue in capitals; whether it exists is not looked up.

    Raises:
        click.UsageError: It is malformed.
    """
    from ticketr.app.tickets import is_key
    from ticketr.cleaning import clean

    wanted = key.strip().upper()
    if not is_key(wanted):
        raise click.UsageError(f"{clean(key)} is not a key; a key looks like PROJ-123")
    return wanted


def refuse_every(keys: tuple[str, ...], options: CommonOptions) -> None:
    """Refuse keys together with ``--every``: a key does not say which workspace it is in.

    Raises:
        click.UsageError: Both were given.
    """
    if keys and options.every:
        raise click.UsageError("use --every, or name tickets of one workspace, not both")


def refuse_malformed(keys: tuple[str, ...], root: Path) -> None:
    """Refuse what is not an issue key, with a hint at the keys of a workspace.

    Raises:
        click.UsageError: One of them is malformed.
        ConfigError: See `own_mark`, as for its other errors.
        StateFailed: The state cannot be read.
    """
    from ticketr.app.tickets import is_key

    wrong = next((key for key in keys if not is_key(key)), None)
    if wrong is None:
        return
    from ticketr.app.cli.ownership import open_store
    from ticketr.app.sync import UnknownTicket, read_state

    with read_state(open_store(root)) as state:
        known = tuple(issue.key for issue in state.known().values())
    raise click.UsageError(str(UnknownTicket(wrong, known)))


def refuse_unknown(keys: Collection[str], survey: LocalSurvey, state: State) -> None:
    """Refuse keys that are in no file and were not there at the last sync.

    Raises:
        click.UsageError: One of them is unknown or malformed.
        StateFailed: The state cannot be read.
    """
    from ticketr.app.sync import UnknownTicket, check_keys

    try:
        check_keys(keys, survey, state)
    except UnknownTicket as error:
        raise click.UsageError(str(error)) from error
