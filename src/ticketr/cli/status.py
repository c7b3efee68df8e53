"""``ticketr status``: local changes that Jira does not have; no request to Jira."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ticketr.cli import exits
from ticketr.cli.help import Command
from ticketr.cli.losses import loss_lines
from ticketr.cli.output import echo, echo_json
from ticketr.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ticketr._errors import TicketrError
    from ticketr.sync import Conflict, Creation, LocalChange, LocalSurvey

#: The most tickets without a last sync that are listed; a new clone may hold thousands.
NAMED = 20

#: The message about a known ticket that is in no file.
MISSING = (
    "it is in no file any more; the next pull writes it again, as absence here deletes nothing in "
    "Jira"
)


@click.command(cls=Command)
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def status(
    context: click.Context, *, workspace: str | None, folder: Path | None, as_json: bool
) -> None:
    """Say what was edited here since the last sync: drafts, edits, conflicts. Sends no request."""
    from ticketr.cli.local_status import open_store, survey
    from ticketr.sync import read_state

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    with read_state(store) as state:
        found = survey(store, state)
        broken = found.broken
        conflicts, creations = state.conflicts.all(), state.creations.all()
        missing = found.missing(state)
        lost = found.losses(state)
    if as_json:
        data = _as_json(found, broken, conflicts, creations)
        data["missing"] = missing_as_json(missing)
        data["losses"] = [asdict(each) for each in lost]
        echo_json({"folder": str(store.root), **data})
    else:
        losses = (f"loss      {line}; it needs --accept-loss" for line in loss_lines(lost))
        lines = [*_lines(found, broken, conflicts, creations), *losses, *_missing(missing)]
        for line in lines or [_empty_message(found)]:
            echo(line)
    context.exit(exits.FAILED if broken else exits.DONE)


def _empty_message(found: LocalSurvey) -> str:
    if not found.count:
        return "there is no ticket here; ticketr pull brings those of Jira, ticketr new begins one"
    return f"nothing to push; tickets that are as they were at the last sync: {found.count}"


def _as_json(
    found: LocalSurvey,
    broken: Mapping[str, TicketrError],
    conflicts: Sequence[Conflict],
    creations: Sequence[Creation],
) -> dict[str, object]:
    return {
        "tickets": found.count,
        "edited": [
            {"key": key, "path": local_change.local.path, "parts": [each.name for each in changes]}
            for local_change in found.local_changes
            for key, changes in local_change.edits.items()
        ],
        "drafts": [
            {
                "title": title,
                "path": local_change.local.path,
                "parent": local_change.local.ticket.key,
            }
            for local_change in found.local_changes
            for title in _draft_titles(local_change)
        ],
        "conflicts": [
            {"key": each.key, "path": each.path, "parts": list(each.parts)} for each in conflicts
        ],
        "unsettled": [{"title": each.title, "path": each.path} for each in creations],
        "unknown": [{"key": each.ticket.key, "path": each.path} for each in found.never_pulled],
        "broken": [{"path": path, "reason": str(error)} for path, error in broken.items()],
    }


def _lines(
    found: LocalSurvey,
    broken: Mapping[str, TicketrError],
    conflicts: Sequence[Conflict],
    creations: Sequence[Creation],
) -> Iterator[str]:
    for local_change in found.local_changes:
        for key, changes in local_change.edits.items():
            yield f"edited    {key} ({local_change.local.path}): {', '.join(each.name for each in changes)}"
        for title in _draft_titles(local_change):
            yield f"draft     {title} ({local_change.local.path})"
    for conflict in conflicts:
        yield f"conflict  {conflict_line(conflict)}"
    for creation in creations:
        yield f"unsettled {creation.title} ({creation.path}): the next push finds out if it exists"
    yield from _unknown(found)
    for error in broken.values():
        yield f"broken    {error}"


def _unknown(found: LocalSurvey) -> Iterator[str]:
    what = "never pulled into this folder; the next pull compares with Jira"
    if len(found.never_pulled) > NAMED:
        yield f"unknown   {len(found.never_pulled)} tickets: {what}"
        return
    for local in found.never_pulled:
        yield f"unknown   {local.ticket.key} ({local.path}): {what}"


def _missing(missing: Mapping[str, str]) -> Iterator[str]:
    if len(missing) > NAMED:
        yield f"missing   {len(missing)} tickets: {MISSING}"
        return
    for key, path in missing.items():
        yield f"missing   {key} ({path}): {MISSING}"


def missing_as_json(missing: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tickets that are in no file any more, each with its former file."""
    return [{"key": key, "path": path} for key, path in missing.items()]


def conflict_line(conflict: Conflict) -> str:
    """Return a conflict's ticket and its parts, without repeating the ticket's own key."""
    return f"{conflict.key} ({conflict.path}): {conflict.parts_text}"


def _draft_titles(local_change: LocalChange) -> list[str]:
    own = [local_change.local.ticket.title] if local_change.head is None else []
    return own + [task.title for task in local_change.drafts]
