"""``ticketr status`` and ``ticketr diff``: what is here that Jira does not know; nothing is asked."""

from __future__ import annotations

import difflib
import json
import os
from typing import TYPE_CHECKING

import click

from ticketr.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ticketr.sync import Conflict, Creation, LocalSurvey, Work


@click.command(short_help="Say what was edited here since the last sync.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(*, workspace: str | None, folder: Path | None, as_json: bool) -> None:
    """Say what was edited here since the last sync: drafts, edits, conflicts. Asks nobody."""
    from ticketr.cli.offline import open_state, open_store, survey
    from ticketr.text import clean

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    with open_state(store) as state:
        found = survey(store, state)
        conflicts, creations = state.conflicts.all(), state.creations.all()
    told = _as_json(found, conflicts, creations)
    if as_json:
        click.echo(json.dumps({"folder": str(store.root), **told}))
        return
    lines = list(_lines(found, conflicts, creations))
    for line in lines:
        click.echo(clean(line))
    if not lines:
        click.echo(f"nothing to push: {found.count} tickets are as they were at the last sync")


def _as_json(
    found: LocalSurvey, conflicts: Iterable[Conflict], creations: Iterable[Creation]
) -> dict[str, object]:
    return {
        "tickets": found.count,
        "edited": [
            {"key": key, "path": work.local.path, "parts": [each.name for each in changes]}
            for work in found.works
            for key, changes in work.edits.items()
        ],
        "drafts": [
            {"title": title, "path": work.local.path, "parent": work.local.ticket.key}
            for work in found.works
            for title in _draft_titles(work)
        ],
        "conflicts": [
            {"key": each.key, "path": each.path, "parts": list(each.parts)} for each in conflicts
        ],
        "unsettled": [{"title": each.title, "path": each.path} for each in creations],
        "unknown": [{"key": each.ticket.key, "path": each.path} for each in found.unknown],
    }


def _lines(
    found: LocalSurvey, conflicts: Iterable[Conflict], creations: Iterable[Creation]
) -> Iterator[str]:
    for work in found.works:
        for key, changes in work.edits.items():
            yield f"edited    {key} ({work.local.path}): {', '.join(each.name for each in changes)}"
        for title in _draft_titles(work):
            yield f"draft     {title} ({work.local.path})"
    for conflict in conflicts:
        yield f"conflict  {conflict.key} ({conflict.path}): {', '.join(conflict.parts)}"
    for creation in creations:
        yield f"unsettled {creation.title} ({creation.path}): the next push finds out if it exists"
    for local in found.unknown:
        yield f"unknown   {local.ticket.key} ({local.path}): it was never pulled into this folder"


def _draft_titles(work: Work) -> list[str]:
    own = [work.local.ticket.title] if work.head is None else []
    return own + [task.title for task in work.drafts]


@click.command(short_help="Show edits line by line.")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@workspace_options
def diff(*, keys: tuple[str, ...], workspace: str | None, folder: Path | None) -> None:
    """Show edits line by line, from the last sync to the files; of a conflict, Jira's changes too.

    Without a KEY it shows every edited ticket. Asks nobody.
    """
    from ticketr.cli.offline import open_state, open_store, survey

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    with open_state(store) as state:
        found = survey(store, state)
        conflicts = {each.key: each for each in state.conflicts.all()}
        bases = {
            key: known[1].text
            for key in {*keys, *conflicts, *(work.name for work in found.works)}
            if (known := state.base_of_key(key)) is not None
        }
    here = {work.local.ticket.key: work for work in found.works if work.local.ticket.key}
    wanted = keys or tuple(dict.fromkeys([*here, *conflicts]))
    for key in wanted:
        if key not in bases and key not in conflicts:
            raise click.UsageError(f"{key} was never pulled into this folder, or has no own ticket")
        base = bases.get(key, "")
        if key in here:
            _show(base, here[key].local.text, f"{key} at the last sync", here[key].local.path)
        if key in conflicts:
            _show(base, conflicts[key].text, f"{key} at the last sync", f"{key} in Jira")


def _show(old: str, new: str, old_name: str, new_name: str) -> None:
    from ticketr.text import clean

    lines = difflib.unified_diff(
        old.rstrip("\n").split("\n"),
        new.rstrip("\n").split("\n"),
        clean(old_name),
        clean(new_name),
        lineterm="",
    )
    colors = {} if os.environ.get("NO_COLOR") else {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        click.secho(clean(line), fg=colors.get(line[:1]))
