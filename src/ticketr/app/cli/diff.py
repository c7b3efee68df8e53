"""``ticketr diff``: local edits, line by line; no request to Jira."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json, is_colored
from ticketr.app.cli.help import Command
from ticketr.app.cli.keys import keys_argument, refuse_unknown
from ticketr.app.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from ticketr.app.sync import LocalSurvey, State


@dataclass(frozen=True, slots=True)
class TicketVersions:
    """The versions of one ticket, as texts.

    Attributes:
        key: The ticket's key.
        path: The ticket's file, relative to the workspace.
        base: The version of the last sync; None if none is known.
        local: The version of the file; None if it was not edited.
        remote: Jira's version; None unless there is a conflict.
    """

    key: str
    path: str
    base: str | None
    local: str | None
    remote: str | None


@click.command(cls=Command)
@keys_argument
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print the whole texts as JSON.")
@click.pass_context
def diff(
    context: click.Context,
    *,
    keys: tuple[str, ...],
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show edits line by line, from the last sync to the files; of a conflict, Jira's changes too.

    Without a KEY it shows every edited ticket. Sends no request.
    """
    from ticketr.app.cli.job_runner import print_messages
    from ticketr.app.cli.local_edits import own_ticket
    from ticketr.app.cli.local_status import open_store, survey
    from ticketr.app.cli.status import MISSING, missing_as_json
    from ticketr.app.sync import read_state

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    with read_state(store) as state:
        local_survey = survey(store, state)
        broken = local_survey.broken
        refuse_unknown(keys, local_survey, state)
        versions = _versions_of(local_survey, state, keys)
        missing = local_survey.missing(state)
        if keys:
            own = {own_ticket(state, key) for key in keys}
            missing = {key: path for key, path in missing.items() if key in own}
    if as_json:
        tickets = [asdict(version) for version in versions]
        problems = [{"path": path, "reason": str(error)} for path, error in broken.items()]
        data = {"tickets": tickets, "broken": problems, "missing": missing_as_json(missing)}
        echo_json({"folder": str(store.root), **data})
    else:
        for version in versions:
            _show(version)
        print_messages(f"{key} ({path}): {MISSING}" for key, path in missing.items())
        print_messages(map(str, broken.values()))
    context.exit(exits.FAILED if broken else exits.DONE)


def _versions_of(survey: LocalSurvey, state: State, keys: Sequence[str]) -> list[TicketVersions]:
    from ticketr.app.cli.local_edits import own_ticket

    here = {
        local_change.local.ticket.key: local_change.local
        for local_change in survey.local_changes
        if local_change.local.ticket.key
    }
    conflicts = {conflict.key: conflict for conflict in state.conflicts.all()}
    versions: list[TicketVersions] = []
    for key in dict.fromkeys(own_ticket(state, key) for key in (keys or [*here, *conflicts])):
        known = state.base_of_key(key)
        local, conflict = here.get(key), conflicts.get(key)
        if known is None and conflict is None:
            raise click.UsageError(f"{key} was never pulled into this folder")
        base = known[1] if known else None
        path = local.path if local else base.path if base else conflict.path if conflict else ""
        if local is None and base is None and conflict is not None:
            local = next(
                (ticket for ticket in survey.never_pulled if ticket.ticket.key == key), None
            )
        versions.append(
            TicketVersions(
                key,
                path,
                base.text if base else None,
                local.text if local else None,
                conflict.text if conflict else None,
            )
        )
    return versions


def _show(ticket: TicketVersions) -> None:
    """Print what each side has changed; without a last sync, the difference of the sides."""
    key, last = ticket.key, f"{ticket.key} at the last sync"
    if ticket.base is None:
        _show_lines(ticket.local or "", ticket.remote or "", ticket.path, f"{key} in Jira")
        return
    if ticket.local is not None:
        _show_lines(ticket.base, ticket.local, last, ticket.path)
    if ticket.remote is not None:
        _show_lines(ticket.base, ticket.remote, last, f"{key} in Jira")


def _show_lines(old: str, new: str, old_name: str, new_name: str) -> None:
    from ticketr.cleaning import clean

    lines = difflib.unified_diff(
        old.rstrip("\n").split("\n"),
        new.rstrip("\n").split("\n"),
        clean(old_name),
        clean(new_name),
        lineterm="",
    )
    colors = {"+": "green", "-": "red", "@": "cyan"} if is_colored() else {}
    for line in lines:
        echo(line, color=colors.get(line[:1]))
