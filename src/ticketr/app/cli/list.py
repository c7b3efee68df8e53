"""``ticketr list``: list the issues in the files; no request to Jira."""

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
from ticketr.app.tickets import SORT_NAMES

if TYPE_CHECKING:
    from ticketr.app.cli.local_tickets import ListedIssue

#: The marks of issues, the most important one first.
_MARKS = (("broken", "×"), ("conflict", "!"), ("draft", "+"), ("edited", "*"))
_ASCII_MARKS = {"×": "x"}
#: The most cells of a status and of a name in a table, and the fewest of a title.
_STATUS_CELLS, _NAME_CELLS, _TITLE_CELLS = 16, 20, 10


@click.command("list", cls=Command)
@click.argument("terms", nargs=-1, metavar="[FILTER]...", shell_complete=complete_filter)
@click.option(
    "--sort", type=click.Choice(SORT_NAMES), default="key", show_default=True, help="The order."
)
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def list_(
    context: click.Context,
    *,
    terms: tuple[str, ...],
    sort: str,
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """List the issues in the files that fit every term of a filter. Sends no request.

    \b
    words          occur in the key, title, fields or text
    status=done    the field contains this; status= finds those without
    @amara         the name of the assignee contains this
    edited, draft, unpushed (either of them), conflict, broken
    -word          not this; put -- before a filter that begins with it
    use:late       the filter that was saved as late in the app

    Quotes hold what contains blanks; case and accents do not matter.

    In a terminal this is a table; elsewhere each line has the key, the status, the title, the
    assignee and the flags, separated by tabs.
    """  # noqa: D301 - the control character keeps click from running the lines together
    from ticketr.app.cli.local_tickets import list_issues, nothing_fits, parse_terms
    from ticketr.app.cli.ownership import open_store
    from ticketr.app.sync import read_state
    from ticketr.app.tickets import sort_key

    root = resolve(workspace=workspace, folder=folder).root
    wanted = parse_terms(terms, root)
    store = open_store(root)
    with read_state(store) as state:
        listing = list_issues(store, state)
    order = sort_key(sort)
    issues = [issue for issue in listing.issues if wanted.matches(issue.candidate)]
    issues.sort(key=lambda issue: order(issue.candidate))
    if as_json:
        broken = [{"path": path, "reason": str(error)} for path, error in listing.broken.items()]
        tickets = [
            _as_json(issue) for issue in issues if issue.candidate.key or not _is_broken(issue)
        ]
        echo_json({"folder": str(store.root), "tickets": tickets, "broken": broken})
    elif _is_terminal():
        for line in _table(issues, shutil.get_terminal_size().columns):
            echo(line)
    else:
        for listed_issue in issues:
            click.echo("\t".join(map(printable, _row_cells(listed_issue))))
    if not issues and not as_json:
        echo(nothing_fits(wanted), err=True)
    context.exit(exits.FAILED if listing.broken else exits.DONE)


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _encoding() -> str:
    return sys.stdout.encoding or "ascii"


def _is_broken(listed: ListedIssue) -> bool:
    return "broken" in listed.candidate.flags


def _field_text(listed: ListedIssue, name: str) -> str:
    return listed.candidate.fields.get(name, "")


def _row_cells(listed: ListedIssue) -> tuple[str, ...]:
    flags = ",".join(sorted(listed.candidate.flags))
    status, assignee = _field_text(listed, "Status"), _field_text(listed, "Assignee")
    return listed.candidate.key, status, listed.candidate.title, assignee, flags


def _as_json(listed: ListedIssue) -> dict[str, object]:
    candidate = listed.candidate
    return {
        "key": candidate.key or None,
        "title": candidate.title,
        "status": _field_text(listed, "Status"),
        "assignee": _field_text(listed, "Assignee"),
        "flags": sorted(candidate.flags),
        "path": listed.path,
        "line": listed.line,
    }


def _table(issues: Sequence[ListedIssue], width: int) -> Iterator[str]:
    """Yield a line for each issue; the titles get what the other columns leave."""
    from ticketr.text import fit, width as cells_of

    rows = [[_flag_mark(issue), *map(printable, _row_cells(issue)[:4])] for issue in issues]
    if not rows:
        return
    widest = [max(cells_of(row[column]) for row in rows) for column in range(5)]
    key, status = widest[1], min(widest[2], _STATUS_CELLS)
    name = min(widest[4], _NAME_CELLS)
    gaps = 2 * (1 + bool(status) + bool(name))
    title = max(_TITLE_CELLS, min(widest[3], width - 2 - key - status - name - gaps))
    for row in rows:
        cells = [fit(row[1], key), fit(row[2], status), fit(row[3], title), fit(row[4], name)]
        yield f"{row[0]} {'  '.join(cell for cell in cells if cell)}".rstrip()


def _flag_mark(listed: ListedIssue) -> str:
    mark = next((mark for flag, mark in _MARKS if flag in listed.candidate.flags), " ")
    try:
        mark.encode(_encoding())
    except UnicodeError:
        return _ASCII_MARKS[mark]
    return mark
