"""``ticketr status``: local changes that Jira does not have; no request to Jira."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json, echo_marked, print_message
from ticketr.app.cli.help import Command
from ticketr.app.cli.keys import keys_argument, refuse_unknown
from ticketr.app.cli.losses import loss_lines
from ticketr.app.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from ticketr.app.cli.local_edits import LocalEdits
    from ticketr.app.sync import Conflict, LocalTicket

#: The most tickets without a last sync that are listed; a new clone may hold thousands.
NAMED = 20

#: The message about a known ticket that is in no file.
MISSING = (
    "it is in no file any more; the next pull writes it again, as absence here deletes nothing in "
    "Jira"
)
#: The colour of each mark.
COLORS = {
    "edited": "yellow",
    "draft": "green",
    "conflict": "red",
    "unsettled": "magenta",
    "unknown": "cyan",
    "broken": "red",
    "loss": "magenta",
    "text": "magenta",
    "missing": "cyan",
}


@click.command(cls=Command)
@keys_argument
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def status(
    context: click.Context,
    *,
    keys: tuple[str, ...],
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Say what was edited here since the last sync: drafts, edits, conflicts. Sends no request.

    Without a KEY it lists everything; the KEY of a ticket stands for its sub-tasks, too. Files that
    cannot be read are listed in any case.
    """
    from ticketr.app.cli.local_edits import find_local_edits
    from ticketr.app.cli.local_status import open_store, survey
    from ticketr.app.sync import read_state

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    with read_state(store) as state:
        surveyed = survey(store, state)
        refuse_unknown(keys, surveyed, state)
        edits = find_local_edits(surveyed, state, keys)
    if as_json:
        echo_json({"folder": str(store.root), **_as_json(edits)})
    else:
        lines = list(_lines(edits))
        for mark, line in lines:
            echo_marked(f"{mark:<10}", line, color=COLORS[mark])
        if not lines:
            echo(_empty_message(edits, keys))
        if counts := _counts(mark for mark, _ in lines):
            print_message(counts)
    context.exit(exits.FAILED if edits.broken else exits.DONE)


def _empty_message(edits: LocalEdits, keys: tuple[str, ...]) -> str:
    if keys:
        return f"nothing to push of {', '.join(keys)}"
    if not edits.count:
        return "there is no ticket here; ticketr pull brings those of Jira, ticketr new begins one"
    tickets = "1 ticket is" if edits.count == 1 else f"{edits.count} tickets are"
    return f"nothing to push; {tickets} unchanged since the last sync"


def _as_json(edits: LocalEdits) -> dict[str, object]:
    return {
        "tickets": edits.count,
        "edited": [asdict(ticket) for ticket in edits.edited],
        "drafts": [
            {"title": draft.title, "path": draft.path, "parent": draft.parent}
            for draft in edits.drafts
        ],
        "conflicts": [
            {"key": conflict.key, "path": conflict.path, "parts": list(conflict.parts)}
            for conflict in edits.conflicts
        ],
        "unsettled": [
            {"title": creation.title, "path": creation.path} for creation in edits.creations
        ],
        "unknown": [
            {"key": ticket.ticket.key, "path": ticket.path} for ticket in edits.never_pulled
        ],
        "broken": [{"path": path, "reason": str(error)} for path, error in edits.broken.items()],
        "missing": missing_as_json(edits.missing),
        "losses": [asdict(loss) for loss in edits.losses],
        "literals": [asdict(literal) for literal in edits.literals],
    }


def _lines(edits: LocalEdits) -> Iterator[tuple[str, str]]:
    """Yield the mark and the rest of each line: one for each ticket, and one for its losses."""
    from ticketr.app.cli.local_edits import Draft

    in_conflict = {conflict.key for conflict in edits.conflicts}
    for ticket in edits.changed:
        is_elsewhere = (
            ticket.is_uncertain if isinstance(ticket, Draft) else ticket.key in in_conflict
        )
        if not is_elsewhere:
            yield ticket.mark, ticket.line
    for conflict in edits.conflicts:
        yield "conflict", conflict_line(conflict)
    for creation in edits.creations:
        what = "the next push finds out if it exists"
        yield "unsettled", f"{creation.title} ({creation.path}): {what}"
    yield from _never_pulled_lines(
        ticket for ticket in edits.never_pulled if ticket.ticket.key not in in_conflict
    )
    for error in edits.broken.values():
        yield "broken", str(error)
    for line in loss_lines(edits.losses):
        yield "loss", f"{line}; it needs --accept-loss"
    for literal in edits.literals:
        yield "text", f"{literal.key or literal.title} ({literal.path}): {literal.reason}"
    yield from _missing_lines(
        {key: p for key, p in edits.missing.items() if key not in in_conflict}
    )


def _never_pulled_lines(never_pulled: Iterable[LocalTicket]) -> Iterator[tuple[str, str]]:
    unknown = list(never_pulled)
    what = "never pulled into this folder; the next pull compares with Jira"
    if len(unknown) > NAMED:
        yield "unknown", f"{len(unknown)} tickets: {what}"
        return
    for local in unknown:
        yield "unknown", f"{local.ticket.key} ({local.path}): {what}"


def _missing_lines(missing: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(missing) > NAMED:
        yield "missing", f"{len(missing)} tickets: {MISSING}"
        return
    for key, path in missing.items():
        yield "missing", f"{key} ({path}): {MISSING}"


def _counts(marks: Iterable[str]) -> str:
    """Return how many edits, drafts, conflicts and broken files are listed; empty for none."""
    count = Counter(marks)
    words = {
        "edited": "edited",
        "draft": "draft" if count["draft"] == 1 else "drafts",
        "conflict": "in conflict",
        "broken": "broken",
    }
    return ", ".join(f"{count[mark]} {word}" for mark, word in words.items() if count[mark])


def missing_as_json(missing: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tickets that are in no file any more, each with its former file."""
    return [{"key": key, "path": path} for key, path in missing.items()]


def conflict_line(conflict: Conflict) -> str:
    """Return a conflict's ticket and its parts, without repeating the ticket's own key."""
    return f"{conflict.key} ({conflict.path}): {conflict.parts_text}"
