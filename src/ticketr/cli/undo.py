"""``ticketr undo``: take back what replaced the text of a ticket; no request to Jira."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ticketr.cli.completing import complete_key
from ticketr.cli.help import Command
from ticketr.cli.output import echo, echo_json
from ticketr.cli.settings import resolve, workspace_options
from ticketr.cli.sides import SIDES

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.sync import Store, Undone, UndoStep


@click.command(cls=Command)
@click.argument("key", required=False, shell_complete=complete_key)
@click.option("--list", "listed", is_flag=True, help="List what can be taken back; change nothing.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def undo(
    *, key: str | None, listed: bool, workspace: str | None, folder: Path | None, as_json: bool
) -> None:
    """Take back the last settling of a conflict, or the last time that a sync took Jira's version.

    A change of fields, or a sub-task, that was written by the app is taken back as well.

    The file, and what is known of the last sync, are as before; the conflict is open again. With a
    KEY, the last of that ticket. Nothing is taken back of a ticket that was edited, pushed or
    pulled with changes since.
    """
    from ticketr.cleaning import clean
    from ticketr.cli.local_status import open_store
    from ticketr.sync import read_state, undo_steps

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    key = clean(key.upper()) if key is not None else None
    done = None if listed else _undo(store, key)
    with read_state(store) as state:
        steps = undo_steps(state, key)
        is_open = done is not None and state.conflicts.of(done.step.key) is not None
    if as_json:
        undone = None if done is None else {**_as_json(done.step), "put_aside": done.aside}
        steps_as_json = [_as_json(each) for each in steps]
        echo_json({"folder": str(store.root), "undone": undone, "steps": steps_as_json})
    elif done is not None:
        _print_undone(done, is_open=is_open)
    else:
        for each in steps:
            echo(_line(each))
        if not steps:
            echo("there is nothing to undo")


def _undo(store: Store, key: str | None) -> Undone:
    from ticketr.cli.local_status import open_state
    from ticketr.sync import last_step, read_state, undo_last

    with read_state(store) as state:  # so that a folder without a state gets none
        last_step(state, key)
    with open_state(store) as state, store.lock():
        return undo_last(store, state, key)


def _print_undone(done: Undone, *, is_open: bool) -> None:
    from ticketr.cli.report import print_messages

    step = done.step
    aside = f"; what stood there is in {done.aside}" if done.aside else ""
    echo(f"{step.key}: {step.path} is as it was before ({step.kind.value}){aside}")
    if is_open:
        print_messages([f"to settle it again: ticketr resolve {step.key} --take {SIDES}"])


def _line(step: UndoStep) -> str:
    when = f"{datetime.fromtimestamp(step.done, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    aside = f"; the old text is in {step.aside}" if step.aside else ""
    return f"{when}  {step.key} ({step.path}): {step.kind.value}{aside}"


def _as_json(step: UndoStep) -> dict[str, str]:
    return {
        "key": step.key,
        "path": step.path,
        "kind": step.kind.name.lower(),
        "done": datetime.fromtimestamp(step.done, UTC).isoformat(),
        "aside": step.aside,
    }
