"""``ticketr resolve`` and ``ticketr undo``: resolve conflicts and take that back; no request to Jira."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from ticketr._errors import TicketrError
from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json, print_messages
from ticketr.app.cli.help import command
from ticketr.app.cli.options import (
    TAKE_VALUES_TEXT,
    CommonOptions,
    checked_key_option,
    folder_json_options,
    keys_argument,
    take_option,
)
from ticketr.app.cli.ownership import open_owner_marked_state_unlocked
from ticketr.app.cli.status import conflict_line, conflicts_as_json

#: The message for each side.
_DONE_MESSAGE_BY_SIDE = {
    "mine": "{path} has your version of what clashed; the next push brings that to Jira",
    "jira": "{path} has Jira's version of what clashed",
    "both": "{path} has both versions of what clashed between conflict markers; edit it, then sync",
}
#: What to do next, for each side.
_NEXT_STEP_BY_SIDE = {
    "mine": "to bring your version to Jira: ticketr push",
    "jira": "to bring your other edits to Jira: ticketr push",
    "both": "once no marker is left in the file: ticketr sync",
}
#: The message for values that were older than the last pull.
_OLDER_VALUES_NOW_EDITS_MESSAGE = (
    "what was older in {path} is your edit now; the next push brings it to Jira"
)
#: The message for a merge without any conflict left.
_MERGED_WITHOUT_CONFLICT_MESSAGE = (
    "{path} has what both sides have changed; nothing clashed any more"
)


@command(
    examples={
        "ticketr resolve": "List the conflicts.",
        "ticketr resolve DEMO-9 --take mine": "Keep your version of the conflicting parts.",
        "ticketr resolve --all --take jira": "Take Jira's version in every conflict.",
    },
)
@keys_argument
@click.option("--all", "takes_all", is_flag=True, help="Resolve every conflict.")
@take_option
@folder_json_options
def resolve(
    options: CommonOptions,
    *,
    keys: tuple[str, ...],
    takes_all: bool,
    take: str | None,
) -> int:
    """Resolve conflicts. Without a KEY it lists them, and the files that hold conflict markers.

    The KEY of a sub-task stands for its ticket.

    --take decides the conflicting parts alone: your other edits stay edits, and Jira's other
    changes come into the file. Of a ticket without a conflict, --take mine makes edits of what is
    older than the last pull, so that the next push sends it.
    """
    if take is not None and not (keys or takes_all):
        raise click.UsageError(f"say which: 'ticketr resolve KEY --take {take}', or --all for each")
    store = options.open_store_requiring_owner_mark()
    with sync.read_state(store) as state:
        conflicts = state.conflicts.all()
        named = [_conflict_key_or_same(state, key) for key in keys]
    wanted = [conflict.key for conflict in conflicts] if takes_all else named
    resolved: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    if wanted:
        if take is None:
            raise click.UsageError("say --take mine, --take jira or --take both")
        resolved, failed = _resolve_all(store, wanted, take)
    marked = list(sync.first_marker_per_file(store)) if options.as_json or not wanted else []
    if options.as_json:
        done = {entry["key"] for entry in resolved}
        remaining = [conflict for conflict in conflicts if conflict.key not in done]
        markers = [asdict(marker) for marker in marked]
        data = {"conflicts": conflicts_as_json(remaining), "marked": markers}
        echo_json({"folder": str(store.root), **data, "resolved": resolved, "failed": failed})
    elif wanted:
        _print_outcomes(store, resolved, failed)
    else:
        lines = [*map(conflict_line, conflicts), *map(str, marked)]
        for line in lines or ["there is no conflict"]:
            echo(line)
    return exits.FAILURE if failed else exits.DONE


def _conflict_key_or_same(state: sync.State, ticket_or_subtask_key: str) -> str:
    """Return the key of the conflicting ticket that holds a key; any other key as it is."""
    conflict = sync.conflict_of(state, ticket_or_subtask_key)
    return ticket_or_subtask_key if conflict is None else conflict.key


def _resolve_all(
    store: sync.Store, keys: Iterable[str], take: str
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Resolve conflicts one by one; an error of one does not stop the others.

    Returns:
        What was resolved and what failed, as JSON has them.
    """
    resolved, failed = [], []
    with open_owner_marked_state_unlocked(store) as state, store.lock():
        for key in dict.fromkeys(keys):
            try:
                done = sync.resolve(store, state, key, sync.Take(take))
            except TicketrError as error:
                failed.append({"key": key, "reason": _failure_reason(key, error)})
            else:
                resolved.append({**asdict(done), "take": take})
    return resolved, failed


def _failure_reason(key: str, error: TicketrError) -> str:
    """Return why a conflict could not be resolved; markers may be another ticket's."""
    from ticketr.app.tickets import CONFLICT_MARKER, TicketSyntaxError

    if isinstance(error, TicketSyntaxError) and CONFLICT_MARKER.match(error.line_text):
        return f"there are conflict markers in {error.source}: edit it, sync, then resolve {key}"
    return str(error)


def _print_outcomes(
    store: sync.Store, resolved: list[dict[str, Any]], failed: list[dict[str, str]]
) -> None:
    hint = ""
    for done in resolved:
        path, take = done["path"], done["take"]
        is_whole = take == "both" and sync.find_conflict_marker(store, path) is None
        words = (
            _MERGED_WITHOUT_CONFLICT_MESSAGE
            if is_whole
            else _DONE_MESSAGE_BY_SIDE[take]
            if done["can_undo"]
            else _OLDER_VALUES_NOW_EDITS_MESSAGE
        )
        hint = _NEXT_STEP_BY_SIDE["jira" if is_whole else take]
        hint += "; to take this back: ticketr undo" if done["can_undo"] else ""
        aside = f"; the old text is in {done['aside']}" if done["aside"] else ""
        echo(f"{done['key']}: {words.format(path=path)}{aside}")
        for note in done["brought_forward"]:
            echo(f"{note['key']}: {note['reason']}")
    print_messages(*(f"ticketr: {entry['reason']}" for entry in failed))
    if hint:
        print_messages(hint)


@command(
    examples={
        "ticketr undo": "Take the last one back.",
        "ticketr undo --list": "List what can be taken back.",
    },
)
@click.argument("key", required=False, callback=checked_key_option, shell_complete=complete_key)
@click.option("--list", "listed", is_flag=True, help="List what can be taken back; change nothing.")
@folder_json_options
def undo(options: CommonOptions, *, key: str | None, listed: bool) -> None:
    """Take back the last time that a conflict was resolved, or a sync took Jira's version.

    What the app has changed or added in files is taken back as well: a change of several tickets
    in all of them.

    The file, and what is known of the last sync, are as before; the conflict is open again. With a
    KEY, the last of that ticket alone. Nothing is taken back of a ticket that was edited, pushed or
    pulled with changes since.
    """
    store = options.open_store_requiring_owner_mark()
    undone = sync.UndoneChange(()) if listed else _undo_last_change(store, key)
    pairs = undone.steps_and_backup_paths
    with sync.read_state(store) as state:
        steps = sync.read_undo_log(state, key)
        still_open = [step.key for step, _ in pairs if state.conflicts.of(step.key) is not None]
    if options.as_json:
        done = [{**_step_as_json(step), "put_aside": aside} for step, aside in pairs]
        steps_as_json = [_step_as_json(step) for step in steps]
        echo_json({"folder": str(store.root), "undone": done, "steps": steps_as_json})
    elif listed:
        for step in steps:
            when = f"{datetime.fromtimestamp(step.done_at, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
            aside = f"; the old text is in {step.copy_path}" if step.copy_path else ""
            echo(f"{when}  {step.key} ({step.path}): {step.kind.wording}{aside}")
        if not steps:
            echo("there is nothing to undo")
    else:
        for step, aside in pairs:
            where = f"; what stood there is in {aside}" if aside else ""
            is_as = "is gone" if step.kind is sync.Undoable.ADDED else "is as it was before"
            echo(f"{step.key}: {step.path} {is_as} ({step.kind.wording}){where}")
        for text in still_open:
            print_messages(f"to resolve it again: ticketr resolve {text} --take {TAKE_VALUES_TEXT}")
    if undone.failed:
        raise undone.failed[0]


def _undo_last_change(store: sync.Store, key: str | None) -> sync.UndoneChange:
    """Take the last change back; with a key, in that ticket alone."""
    with sync.read_state(store) as state:  # so that a folder without a state gets none
        sync.find_last_step(state, key)
    with open_owner_marked_state_unlocked(store) as state, store.lock():
        step = sync.find_last_step(state, key)
        steps = sync.steps_of_same_change(state, step) if key is None else (step,)
        return sync.undo_and_keep_copies(store, state, steps)


def _step_as_json(step: sync.UndoStep) -> dict[str, str]:
    return {
        "key": step.key,
        "path": step.path,
        "kind": step.kind.stored_name.lower(),
        "done": datetime.fromtimestamp(step.done_at, UTC).isoformat(),
        "aside": step.copy_path,
    }
