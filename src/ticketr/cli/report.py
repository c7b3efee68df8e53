"""What a command tells of a job's result: lines for people, JSON for scripts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ticketr.cli import exits
from ticketr.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ticketr.cli.running import Ended
    from ticketr.sync import Note, PullResult, PushResult, SyncResult

#: Notes about single tickets that are printed before the rest is only counted.
NOTES = 20


def exit_code(ended: Ended[PullResult] | Ended[PushResult] | Ended[SyncResult]) -> int:
    """Give the exit code for how a pull, push or sync ended."""
    if ended.signal is not None:
        return exits.for_signal(ended.signal)
    if ended.result is None:
        return exits.FAILED
    partly = any(result.failed or result.conflicts for result in _halves(ended.result))
    return exits.PARTLY if partly else exits.DONE


def _halves(
    result: PullResult | PushResult | SyncResult,
) -> tuple[PullResult | PushResult, ...]:
    from ticketr.sync import SyncResult

    return (result.pull, result.push) if isinstance(result, SyncResult) else (result,)


def print_json(
    ended: Ended[PullResult] | Ended[PushResult] | Ended[SyncResult], root: Path
) -> None:
    """Print a job's end as one JSON object; its keys do not change.

    All ASCII: any output takes it, and nothing in it is obeyed by a terminal.
    """
    progress, error = ended.snapshot.progress, ended.snapshot.error
    told: dict[str, object] = {
        "status": ended.snapshot.status.value,
        "message": progress.message if progress else "",
        "folder": str(root),
    }
    if error is not None:
        told["error"] = error.type.rpartition(".")[2]
    if ended.result is not None:
        told |= asdict(ended.result)
    click.echo(json.dumps(told))


def tell_pull(result: PullResult) -> None:
    """Say what a pull did."""
    merged = f", {result.merged} merged with edits here" if result.merged else ""
    tell([f"{result.new} new, {result.updated} updated{merged}, {result.unchanged} unchanged"])
    tell_notes(
        {
            "conflict": result.conflicts,
            "failed": result.failed,
            "kept": result.kept,
            "gone from Jira's answer, file kept": result.gone,
        }
    )
    if result.pruned:
        tell([f"moved to .ticketr/trash: {', '.join(result.pruned)}"])
    tell_how_to_resolve(result.conflicts)


def tell_push(result: PushResult) -> None:
    """Say what a push did."""
    created = f" ({', '.join(result.created)})" if result.created else ""
    tell([f"{len(result.created)} created{created}, {len(result.updated)} updated"])
    tell_notes({"conflict": result.conflicts, "failed": result.failed, "warning": result.warnings})


def tell_how_to_resolve(conflicts: Iterable[Note]) -> None:
    """Say what to do about conflicts, if there are any."""
    first = next(iter(conflicts), None)
    if first is not None:
        take = "--take local, remote or merge"
        tell(
            [f"to settle a conflict: ticketr diff {first.key}; ticketr resolve {first.key} {take}"]
        )


def tell_notes(groups: Mapping[str, Iterable[Note]]) -> None:
    """Say what should be known of single tickets, not more than a screen holds."""
    lines = [
        f"{group}: {note.key}{f' ({note.path})' if note.path else ''}: {note.reason}"
        for group, notes in groups.items()
        for note in notes
    ]
    tell(lines[:NOTES])
    if len(lines) > NOTES:
        tell([f"... and {len(lines) - NOTES} more; --json lists them all"])


def tell(lines: Iterable[str]) -> None:
    """Say something on standard error, whatever it holds."""
    from ticketr.cli.running import say

    for line in lines:
        say(clean(line))
