"""``ticketr undo``: take back what replaced the text of a ticket; no request to Jira."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import resolve, workspace_options
from ticketr.app.cli.sides import SIDES

if TYPE_CHECKING:
    from ticketr.app.sync import Store, UndoneChange, UndoStep


@click.command(cls=Command)
@click.argument("key", required=False, shell_complete=complete_key)
@click.option("--list", "listed", is_flag=True, help="List what can be taken back; change nothing.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def undo(
    *, key: str | None, listed: bool, workspace: str | None, folder: Path | None, as_json: bool
) -> None:
    """Take back the last settling of a conflict, or the last time that a sync took Jira's version.

    What the app has changed or added in files is taken back as well: a change of several tickets
    in all of them.

    The file, and what is known of the last sync, are as before; the conflict is open again. With a
    KEY, the last of that ticket alone. Nothing is taken back of a ticket that was edited, pushed or
    pulled with changes since.
    """
    from ticketr.app.cli.ownership import open_store
    from ticketr.app.sync import UndoneChange, read_state, undo_steps
    from ticketr.cleaning import clean

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    key = clean(key.upper()) if key is not None else None
    undone = UndoneChange(()) if listed else _undo(store, key)
    with read_state(store) as state:
        steps = undo_steps(state, key)
        keys = [result.step.key for result in undone.done]
        still_open = [text for text in keys if state.conflicts.of(text) is not None]
    if as_json:
        done = [{**_as_json(result.step), "put_aside": result.aside} for result in undone.done]
        steps_as_json = [_as_json(step) for step in steps]
        echo_json({"folder": str(store.root), "undone": done, "steps": steps_as_json})
    elif listed:
        for step in steps:
            echo(_step_line(step))
        if not steps:
            echo("there is nothing to undo")
    else:
        _print_undone(undone, still_open)
    if undone.failed:
        raise undone.failed[0]


def _undo(store: Store, key: str | None) -> UndoneChange:
    """Take the last change back; with a key, in that ticket alone."""
    from ticketr.app.cli.ownership import open_state
    from ticketr.app.sync import UndoneChange, last_step, read_state, undo_change, undo_last

    with read_state(store) as state:  # so that a folder without a state gets none
        last_step(state, key)
    with open_state(store) as state, store.lock():
        if key is not None:
            return UndoneChange((undo_last(store, state, key),))
        return undo_change(store, state)


def _print_undone(undone: UndoneChange, still_open: list[str]) -> None:
    from ticketr.app.cli.job_runner import print_messages
    from ticketr.app.sync import UndoKind

    for result in undone.done:
        step = result.step
        aside = f"; what stood there is in {result.aside}" if result.aside else ""
        is_as = "is gone" if step.kind is UndoKind.ADDED else "is as it was before"
        echo(f"{step.key}: {step.path} {is_as} ({step.kind.value}){aside}")
    print_messages(
        f"to settle it again: ticketr resolve {key} --take {SIDES}" for key in still_open
    )


def _step_line(step: UndoStep) -> str:
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
