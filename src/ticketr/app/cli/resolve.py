"""``ticketr resolve``: resolve conflicts; no request to Jira."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr._errors import TicketrError
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Command
from ticketr.app.cli.job_options import SIDES, SideChoice, keys_argument
from ticketr.app.cli.settings import resolve as resolve_workspace, workspace_options

if TYPE_CHECKING:
    from ticketr.app.sync import Conflict, ConflictMarker, State, Store, UndoneChange, UndoStep


#: The message for each side.
_DONE = {
    "mine": "{path} has your version of what clashed; the next push brings that to Jira",
    "jira": "{path} has Jira's version of what clashed",
    "both": "{path} has both versions of what clashed between conflict markers; edit it, then sync",
}
#: What to do next, for each side.
_NEXT = {
    "mine": "to bring your version to Jira: ticketr push",
    "jira": "to bring your other edits to Jira: ticketr push",
    "both": "once no marker is left in the file: ticketr sync",
}
#: The message for a merge without any conflict left.
_MERGED = "{path} has what both sides have changed; nothing clashed any more"


@dataclass(frozen=True)
class _Outcome:
    """The outcomes of a resolution, as JSON has them."""

    resolved: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)


@click.command(cls=Command)
@keys_argument
@click.option("--all", "every", is_flag=True, help="Settle every conflict.")
@click.option(
    "--take",
    type=SideChoice(),
    help="Your version, Jira's, or both between conflict markers.",
)
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def resolve(
    context: click.Context,
    *,
    keys: tuple[str, ...],
    every: bool,
    take: str | None,
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Settle conflicts. Without a KEY it lists them, and the files that hold conflict markers.

    The KEY of a sub-task stands for its ticket.

    --take decides the conflicting parts alone: your other edits stay edits, and Jira's other
    changes come into the file.
    """
    from ticketr.app.cli.ownership import open_store
    from ticketr.app.sync import find_conflict_markers, read_state
    from ticketr.cleaning import clean

    if take is not None and not (keys or every):
        raise click.UsageError(f"say which: 'ticketr resolve KEY --take {take}', or --all for each")
    store = open_store(resolve_workspace(workspace=workspace, folder=folder).root)
    with read_state(store) as state:
        conflicts = state.conflicts.all()
        named = [_own_key(state, clean(key)) for key in keys]
    wanted = [conflict.key for conflict in conflicts] if every else named
    outcome = _Outcome()
    if wanted:
        if take is None:
            raise click.UsageError("say --take mine, --take jira or --take both")
        outcome = _resolve_all(store, wanted, take)
    settled = {entry["key"] for entry in outcome.resolved}
    remaining = [conflict for conflict in conflicts if conflict.key not in settled]
    marked = list(find_conflict_markers(store)) if as_json or not wanted else []
    if as_json:
        _print_json(store.root, remaining, marked, outcome)
    elif wanted:
        _print_outcome(store, outcome)
    else:
        _print_conflicts(conflicts, marked)
    context.exit(exits.FAILED if outcome.failed else exits.DONE)


def _own_key(state: State, key: str) -> str:
    """Return the key of the conflicting ticket that holds a key; any other key as it is."""
    from ticketr.app.sync import conflict_of

    conflict = conflict_of(state, key)
    return key if conflict is None else conflict.key


def _resolve_all(store: Store, keys: Iterable[str], take: str) -> _Outcome:
    """Resolve conflicts one by one; an error of one does not stop the others."""
    from ticketr.app.cli.ownership import open_state
    from ticketr.app.sync import Take, resolve as resolve_conflict

    outcome = _Outcome()
    with open_state(store) as state, store.lock():
        for key in dict.fromkeys(keys):
            try:
                done = resolve_conflict(store, state, key, Take(take))
            except TicketrError as error:
                outcome.failed.append({"key": key, "reason": _reason(key, error)})
            else:
                outcome.resolved.append({**asdict(done), "take": take})
    return outcome


def _reason(key: str, error: TicketrError) -> str:
    """Return why a conflict could not be resolved; markers may be another ticket's."""
    from ticketr.app.tickets import CONFLICT, TicketSyntaxError

    if isinstance(error, TicketSyntaxError) and CONFLICT.match(error.text):
        return f"there are conflict markers in {error.source}: edit it, sync, then resolve {key}"
    return str(error)


def _print_conflicts(conflicts: Sequence[Conflict], marked: Sequence[ConflictMarker]) -> None:
    from ticketr.app.cli.status import conflict_line

    for line in (*map(conflict_line, conflicts), *map(str, marked)):
        echo(line)
    if not conflicts and not marked:
        echo("there is no conflict")


def _print_outcome(store: Store, outcome: _Outcome) -> None:
    from ticketr.app.cli.job_runner import print_messages
    from ticketr.app.sync import find_conflict_marker

    hint = ""
    for done in outcome.resolved:
        path, take = done["path"], done["take"]
        is_whole = take == "both" and find_conflict_marker(store, path) is None
        words = _MERGED if is_whole else _DONE[take]
        hint = _NEXT["jira" if is_whole else take]
        aside = f"; the old text is in {done['aside']}" if done["aside"] else ""
        echo(f"{done['key']}: {words.format(path=path)}{aside}")
    print_messages(f"ticketr: {entry['reason']}" for entry in outcome.failed)
    if hint:
        print_messages([f"{hint}; to take this back: ticketr undo"])


def _print_json(
    root: Path, conflicts: Iterable[Conflict], marked: Iterable[ConflictMarker], outcome: _Outcome
) -> None:
    listed = [
        {"key": conflict.key, "path": conflict.path, "parts": list(conflict.parts)}
        for conflict in conflicts
    ]
    data = {
        "folder": str(root),
        "conflicts": listed,
        "marked": [asdict(marker) for marker in marked],
        "resolved": outcome.resolved,
        "failed": outcome.failed,
    }
    echo_json(data)


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

    store = open_store(resolve_workspace(workspace=workspace, folder=folder).root)
    key = clean(key.upper()) if key is not None else None
    undone = UndoneChange(()) if listed else _undo_last(store, key)
    with read_state(store) as state:
        steps = undo_steps(state, key)
        keys = [result.step.key for result in undone.done]
        still_open = [text for text in keys if state.conflicts.of(text) is not None]
    if as_json:
        done = [{**_step_as_json(result.step), "put_aside": result.aside} for result in undone.done]
        steps_as_json = [_step_as_json(step) for step in steps]
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


def _undo_last(store: Store, key: str | None) -> UndoneChange:
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


def _step_as_json(step: UndoStep) -> dict[str, str]:
    return {
        "key": step.key,
        "path": step.path,
        "kind": step.kind.name.lower(),
        "done": datetime.fromtimestamp(step.done, UTC).isoformat(),
        "aside": step.aside,
    }
