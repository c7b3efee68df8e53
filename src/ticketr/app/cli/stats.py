"""``ticketr stats``: count the issues in the files by the values of fields; no request to Jira."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_filter
from ticketr.app.cli.console import echo, echo_json, printable
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from ticketr.app.tickets import Candidate, Total

_FIELDS = ("Status", "Type", "Assignee")
#: The most cells of a value and of a bar.
_VALUE_CELLS, _BAR_CELLS = 24, 40


@click.command("stats", cls=Command)
@click.argument("terms", nargs=-1, metavar="[FILTER]...", shell_complete=complete_filter)
@click.option(
    "--by",
    "fields",
    multiple=True,
    metavar="FIELD",
    help="A field to count by; repeat it for more. [default: Status, Type, Assignee]",
)
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_context
def stats(
    context: click.Context,
    *,
    terms: tuple[str, ...],
    fields: tuple[str, ...],
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Count the issues in the files, and add up their story points. Sends no request.

    With a FILTER, as for `ticketr list`, only the issues that fit it. In a terminal each count has
    a bar; elsewhere each line has the field, the value, the count and the points, separated by
    tabs.
    """
    from ticketr.app.cli.local_tickets import list_issues, nothing_fits, parse_terms
    from ticketr.app.cli.ownership import open_store
    from ticketr.app.sync import read_state
    from ticketr.app.tickets import total_by

    root = resolve(workspace=workspace, folder=folder).root
    wanted = parse_terms(terms, root)
    store = open_store(root)
    with read_state(store) as state:
        listing = list_issues(store, state)
    issues = [issue.candidate for issue in listing.issues if "broken" not in issue.candidate.flags]
    candidates = wanted.select(issues)
    totals = {name: total_by(candidates, name) for name in fields or _FIELDS}
    if as_json:
        echo_json(_as_json(str(store.root), candidates, totals))
    elif sys.stdout.isatty():
        for line in _tables(candidates, totals, shutil.get_terminal_size().columns):
            echo(line)
    elif not candidates:
        echo(nothing_fits(wanted), err=True)
    else:
        for name, values in totals.items():
            for value in values:
                cells = (name, value.value, str(value.issues), _points_text(value.points))
                click.echo("\t".join(map(printable, cells)))
    for warning in _unknown(fields, issues):
        echo(warning, err=True)
    for path in listing.broken:
        echo(f"left out, since it cannot be read: {path}", err=True)
    context.exit(exits.FAILED if listing.broken else exits.DONE)


def _unknown(fields: Sequence[str], issues: Sequence[Candidate]) -> Iterator[str]:
    """Yield a warning for each field that no issue has."""
    from ticketr.app.config.checks import nearest
    from ticketr.app.tickets import fold

    known = {fold(name): name for issue in issues for name in issue.fields}
    for name in fields:
        if issues and fold(name) not in known:
            near = nearest(name, known.values())
            hint = f"; did you mean {near}?" if near else ""
            yield f'no ticket has the field "{name}"{hint}'


def _points_text(points: float) -> str:
    return f"{points:.15g}"


def _sum_of_points(candidates: Sequence[Candidate]) -> float:
    from ticketr.app.tickets import points_of

    return sum(map(points_of, candidates))


def _as_json(
    folder: str, candidates: Sequence[Candidate], totals: dict[str, tuple[Total, ...]]
) -> dict[str, object]:
    by = {
        name: [{"value": t.value or None, "tickets": t.issues, "points": t.points} for t in values]
        for name, values in totals.items()
    }
    return {
        "folder": folder,
        "tickets": len(candidates),
        "points": _sum_of_points(candidates),
        "by": by,
    }


def _tables(
    candidates: Sequence[Candidate], totals: dict[str, tuple[Total, ...]], width: int
) -> Iterator[str]:
    """Yield the lines of a table for each field."""
    points = _sum_of_points(candidates)
    tail = f", {_points_text(points)} points" if points else ""
    yield f"{len(candidates)} ticket{'s' * (len(candidates) != 1)}{tail}"
    for name, values in totals.items():
        if values:
            yield ""
            yield printable(name)
            yield from _table_lines(values, width)


def _table_lines(values: Sequence[Total], width: int) -> Iterator[str]:
    from ticketr.text import fit, width as cells_of

    names = [printable(value.value) or "none" for value in values]
    counts = [str(value.issues) for value in values]
    points = [f"{_points_text(value.points)} pts" if value.points else "" for value in values]
    name_cells = min(max(map(cells_of, names)), _VALUE_CELLS)
    count_cells, point_cells = max(map(len, counts)), max(map(len, points))
    used = 2 + name_cells + 2 + count_cells + 2 + point_cells + 2 * bool(point_cells)
    room = max(1, min(_BAR_CELLS, width - used))
    most = max(value.issues for value in values)
    block = _block()
    for name, count, point, value in zip(names, counts, points, values, strict=True):
        bar = block * max(1, round(room * value.issues / most))
        numbers = f"{count:>{count_cells}}  " + (f"{point:>{point_cells}}  " if point_cells else "")
        yield f"  {fit(name, name_cells)}  {numbers}{bar}"


def _block() -> str:
    """Return what bars are made of: a block where the output can have it."""
    try:
        "\u2588".encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return "#"
    return "\u2588"
