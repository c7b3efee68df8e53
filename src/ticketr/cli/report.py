"""What a command tells of a job's result: lines for people, JSON for scripts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.cli import exits
from ticketr.cli.output import echo_json, say
from ticketr.jira.site import browse_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from ticketr._errors import TicketrError
    from ticketr.cli.queue_runner import JobOutcome
    from ticketr.sync import Note, PullResult, PushResult, SyncResult

#: Notes about single tickets that are printed before the rest is only counted.
NOTES = 20
#: Keys that are printed in a row.
KEYS = 10
#: Errors of a job that are wrong usage: what was asked for is not installed, or the folder is not
#: one that it may be done in.
_USAGE = ("AsksMissing", "ForeignState", "UnsafePath")


def exit_code(
    ended: JobOutcome[PullResult] | JobOutcome[PushResult] | JobOutcome[SyncResult],
) -> int:
    """Return the exit code for how a pull, push or sync ended."""
    if ended.signal is not None:
        return exits.for_signal(ended.signal)
    if ended.result is None:
        return exits.USAGE if _error(ended) in _USAGE else exits.FAILED
    partly = any(result.failed or result.conflicts for result in _halves(ended.result))
    return exits.PARTLY if partly else exits.DONE


def worst(codes: Iterable[int]) -> int:
    """Return the exit code for several jobs: a signal's, else that of what went most wrong."""
    order = (exits.DONE, exits.PARTLY, exits.FAILED, exits.USAGE)
    return max(codes, key=lambda code: order.index(code) if code in order else len(order))


def print_all_json(told: Mapping[str, dict[str, object]]) -> None:
    """Print the ends of jobs: of the only one itself, of several by the names of workspaces."""
    echo_json(told.get("", {"workspaces": told}))


def _error(
    ended: JobOutcome[PullResult] | JobOutcome[PushResult] | JobOutcome[SyncResult],
) -> str | None:
    """Return the name of the error that ended a job, if one did."""
    error = ended.snapshot.error
    return error.type.rpartition(".")[2] if error is not None else None


def _halves(
    result: PullResult | PushResult | SyncResult,
) -> tuple[PullResult | PushResult, ...]:
    from ticketr.sync import SyncResult

    return (result.pull, result.push) if isinstance(result, SyncResult) else (result,)


def as_object(
    ended: JobOutcome[PullResult] | JobOutcome[PushResult] | JobOutcome[SyncResult],
    root: Path,
    so_far: PullResult | PushResult | SyncResult,
) -> dict[str, object]:
    """Return a job's end as one JSON object; its keys do not change, whatever became of it.

    In ASCII: any output takes it, and nothing in it is obeyed by a terminal.

    Args:
        ended: How it ended.
        root: The workspace's folder.
        so_far: What it had done by then, if it has no result.
    """
    progress, error = ended.snapshot.progress, _error(ended)
    told: dict[str, object] = {
        "status": ended.snapshot.status.value,
        "message": progress.message if progress else "",
        "folder": str(root),
    }
    if error is not None:
        told["error"] = error
    return told | _plain(so_far if ended.result is None else ended.result)


def nothing_pulled() -> PullResult:
    """Return the result of a pull that was not even begun."""
    from ticketr.sync import Tally, pull_result

    return pull_result(Tally())


def as_objects(
    failed: Mapping[str, tuple[Path, TicketrError]], nothing: PullResult | PushResult | SyncResult
) -> dict[str, dict[str, object]]:
    """Return the objects of workspaces whose settings kept their jobs from beginning."""
    return {
        name: not_begun(root, nothing, str(error), type(error).__name__)
        for name, (root, error) in failed.items()
    }


def not_begun(
    root: Path, nothing: PullResult | PushResult | SyncResult, message: str, error: str | None
) -> dict[str, object]:
    """Return the object of a job that was not even begun.

    Args:
        root: The workspace's folder.
        nothing: What it has done.
        message: Why.
        error: The same for scripts; None where somebody has decided so.
    """
    status = JobStatus.FAILED if error else JobStatus.CANCELLED
    told: dict[str, object] = {"status": status.value, "message": message, "folder": str(root)}
    if error:
        told["error"] = error
    return told | _plain(nothing)


def _plain(result: PullResult | PushResult | SyncResult) -> dict[str, object]:
    """Return a result as JSON has it: what was pushed with the address that it has in a browser."""
    from ticketr.sync import PushResult, SyncResult

    told: dict[str, object] = asdict(result)
    if isinstance(result, SyncResult):
        return told | {"push": _plain(result.push)}
    if isinstance(result, PushResult):
        for name, keys in (
            ("created", result.created),
            ("updated", result.updated),
            ("recovered", result.recovered),
        ):
            told[name] = [{"key": key, "url": browse_url(result.site, key)} for key in keys]
    return told


def tell_pull(result: PullResult, *, prune: bool) -> None:
    """Say what a pull did.

    Args:
        result: What it did.
        prune: Whether it was to move files of deleted tickets away.
    """
    merged = _if_any(result.merged, "merged with edits here")
    left = _if_any(result.in_conflict, "in conflict") + _if_any(result.left_alone, "kept")
    left += _if_any(result.unwritten, "failed")
    words = f"{result.new} new, {result.updated} updated{merged}, {result.unchanged} unchanged"
    tell([f"{words}{left}"])
    tell_notes(
        {
            "conflict": result.conflicts,
            "failed": result.failed,
            "kept": result.kept,
            "gone from Jira's answer, kept here": result.gone,
        }
    )
    if result.pruned:
        tell([f"moved to .ticketr/trash: {_some(result.pruned)}"])
    elif not prune and result.prunable:
        tell(["to move the files of deleted tickets away: ticketr pull --prune"])


def tell_push(result: PushResult, *, dry_run: bool = False) -> None:
    """Say what a push did.

    Args:
        result: What it did.
        dry_run: Whether it only found out what there is to do.
    """
    created = f" ({_some(result.created)})" if result.created else ""
    updated = f" ({_some(result.updated)})" if result.updated else ""
    if not dry_run:
        first = _ordered(result.created)[:KEYS]
        tell(f"created {browse_url(result.site, key)}" for key in first)
        left = _if_any(result.in_conflict, "in conflict") + _if_any(len(result.failed), "failed")
        words = f"{len(result.created)} created{created}, {len(result.updated)} updated{updated}"
        tell([f"{words}{left}"])
        if result.recovered:
            tell([f"created by an earlier run and found again: {_some(result.recovered)}"])
    tell_notes({"conflict": result.conflicts, "failed": result.failed, "warning": result.warnings})


def tell_how_to_merge(conflicts: Iterable[Note]) -> None:
    """Say what to do about tickets that Jira has changed, if a push has left some alone."""
    if any(each.code == "moved_on" for each in conflicts):
        tell(["to merge what Jira has changed: ticketr sync; --strategy says who wins a conflict"])


def tell_how_to_resolve(conflicts: Iterable[Note]) -> None:
    """Say what to do about conflicts, if there are any that can be settled here."""
    first = next((each for each in conflicts if each.code == "conflict"), None)
    if first is not None:
        take = "--take local, remote or merge"
        tell(
            [f"to settle a conflict: ticketr diff {first.key}; ticketr resolve {first.key} {take}"]
        )


def _if_any(count: int, word: str) -> str:
    """Go on with a count that is worth a word only if there is one."""
    return f", {count} {word}" if count else ""


def _some(keys: Collection[str]) -> str:
    """Name keys in their order, not more than a line holds."""
    more = f" and {len(keys) - KEYS} more" if len(keys) > KEYS else ""
    return ", ".join(_ordered(keys)[:KEYS]) + more


def _ordered(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda key: (key.rpartition("-")[0], len(key), key))


def tell_notes(groups: Mapping[str, Iterable[Note]]) -> None:
    """Say what should be known of single tickets, not more than a screen holds."""
    lines = [note.in_group(group) for group, notes in groups.items() for note in notes]
    tell(lines[:NOTES])
    if len(lines) > NOTES:
        tell([f"... and {len(lines) - NOTES} more; --json lists them all"])


def tell(lines: Iterable[str]) -> None:
    """Say something on standard error, whatever it holds."""
    for line in lines:
        say(line)
