"""``ticketr list`` and ``ticketr stats``: the issues in the files; no request to Jira."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ticketr._errors import TicketrError
from ticketr.app import sync, tickets
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json, print_tab_separated, print_table, redacted_line
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, folder_json_options
from ticketr.cleaning import clean

#: An argument that is one term whose value holds blanks, without quotes: the shell took them away.
_TERM_WITH_UNQUOTED_BLANKS_PATTERN = re.compile(r'\A(-?(?:[^\s"=@]+=|@))([^"=@]* [^"=@]*)\Z')

#: The marks of issues, the most important one first.
_MARK_BY_FILE_STATE = (("broken", "×"), ("conflict", "!"), ("draft", "+"), ("edited", "*"))
#: The most cells of the columns of a table: a mark with a key, the status, the title, the name.
_LIST_MAX_CELLS_BY_COLUMN = (40, 16, None, 20)
#: The most cells of the columns of a table of counts: the field, the value, the count, the points.
_STATS_MAX_CELLS_BY_COLUMN = (20, None, 8, 12)
_DEFAULT_COUNTED_FIELDS = ("Status", "Type", "Assignee")


_filter_argument = click.argument("terms", nargs=-1, metavar="[FILTER]...")


@dataclass(frozen=True, slots=True)
class IssueOrBrokenFile:
    """An issue, or a broken file, in a list.

    Attributes:
        candidate: What filters and orders look at.
        path: Its file, relative to the workspace.
        line: The line of its heading; of a broken file, 1.
    """

    candidate: tickets.FilterableIssue
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class WorkspaceIssues:
    """All issues of a workspace.

    Attributes:
        root: The workspace's folder.
        issues_and_broken_files: The issues, and a line for each broken file.
        error_by_broken_path: The errors of broken files, by their paths.
    """

    root: Path
    issues_and_broken_files: tuple[IssueOrBrokenFile, ...]
    error_by_broken_path: Mapping[str, TicketrError]


@command(
    "list",
    examples={
        "ticketr list": "List every ticket.",
        "ticketr list @amara -- -status=done": "What Amara has not done yet.",
        "ticketr list 'status=\"in progress\" payment'": "Quotes hold what contains blanks.",
        "ticketr list unpushed --sort updated": "What a push would send.",
    },
)
@_filter_argument
@click.option(
    "--sort",
    type=click.Choice(tickets.SORT_NAMES),
    default="key",
    show_default=True,
    help="The order.",
)
@folder_json_options
def list_(options: CommonOptions, *, terms: tuple[str, ...], sort: str) -> int:
    """List the issues in the files that fit every term of a filter. Sends no request.

    \b
    words          occur in the key, title, fields or text
    status=done    the field contains this; status= finds those without
    @amara         the name of the assignee contains this; @me and @mine are yours
    edited, draft, unpushed (either of them), conflict, broken
    -word          not this; put -- before a filter that begins with it

    Quotes hold what contains blanks; case and accents do not matter.

    In a terminal this is a table; elsewhere each line has the key, the status, the title, the
    assignee and the flags, separated by tabs.
    """  # noqa: D301 - the control character keeps click from running the lines together
    wanted, listing = _parse_filter_and_read_issues(options, terms)
    order = tickets.sort_key(sort)
    issues = [issue for issue in listing.issues_and_broken_files if wanted.matches(issue.candidate)]
    issues.sort(key=lambda issue: order(issue.candidate))
    if options.as_json:
        broken = [
            {"path": path, "reason": str(error)}
            for path, error in listing.error_by_broken_path.items()
        ]
        listed = [
            _as_json(issue)
            for issue in issues
            if issue.candidate.key or "broken" not in issue.candidate.file_states
        ]
        echo_json({"folder": str(listing.root), "tickets": listed, "broken": broken})
    else:
        rows = [_row_cells(issue) for issue in issues]
        if _is_output_terminal():
            marked = [
                (f"{_file_state_mark(issue)} {key}", *cells)
                for issue, (key, *cells, _) in zip(issues, rows, strict=True)
            ]
            print_table(marked, _LIST_MAX_CELLS_BY_COLUMN)
        else:
            print_tab_separated(rows)
    if not issues and not options.as_json:
        echo(_no_match_message(wanted), err=True)
    return exits.FAILURE if listing.error_by_broken_path else exits.DONE


def _is_output_terminal() -> bool:
    return sys.stdout.isatty()


def _output_encoding() -> str:
    return sys.stdout.encoding or "ascii"


def _field_text(listed: IssueOrBrokenFile, name: str) -> str:
    return listed.candidate.fields.get(name, "")


def _row_cells(listed: IssueOrBrokenFile) -> tuple[str, ...]:
    flags = ",".join(sorted(listed.candidate.file_states))
    status, assignee = _field_text(listed, "Status"), _field_text(listed, "Assignee")
    return listed.candidate.key, status, listed.candidate.title, assignee, flags


def _as_json(listed: IssueOrBrokenFile) -> dict[str, object]:
    candidate = listed.candidate
    return {
        "key": candidate.key or None,
        "title": candidate.title,
        "status": _field_text(listed, "Status"),
        "assignee": _field_text(listed, "Assignee"),
        "flags": sorted(candidate.file_states),
        "path": listed.path,
        "line": listed.line,
    }


def _file_state_mark(listed: IssueOrBrokenFile) -> str:
    states = listed.candidate.file_states
    mark = next((mark for state, mark in _MARK_BY_FILE_STATE if state in states), " ")
    try:
        mark.encode(_output_encoding())
    except UnicodeError:
        return "x"
    return mark


@command(
    examples={
        "ticketr stats": "Count every ticket.",
        "ticketr stats sprint=7 --by assignee": "How much each person has in sprint 7.",
        "ticketr stats --json": "Count them for a script.",
    },
)
@_filter_argument
@click.option(
    "--by",
    "fields",
    multiple=True,
    metavar="FIELD",
    help="A field to count by; repeat it for more. [default: Status, Type, Assignee]",
)
@folder_json_options
def stats(options: CommonOptions, *, terms: tuple[str, ...], fields: tuple[str, ...]) -> int:
    """Count the issues in the files, and add up their story points. Sends no request.

    With a FILTER, as for `ticketr list`, only the issues that fit it. In a terminal this is a table;
    elsewhere each line has the field, the value, the count and the points, separated by tabs.
    """
    wanted, listing = _parse_filter_and_read_issues(options, terms)
    issues = [
        issue.candidate
        for issue in listing.issues_and_broken_files
        if "broken" not in issue.candidate.file_states
    ]
    candidates = wanted.select(issues)
    totals = {
        name: tickets.issue_and_point_totals_by(candidates, name)
        for name in fields or _DEFAULT_COUNTED_FIELDS
    }
    if options.as_json:
        echo_json(_totals_as_json(str(listing.root), candidates, totals))
    elif not candidates:
        echo(_no_match_message(wanted), err=True)
    else:
        rows = [
            (name, value.value, str(value.issue_count), f"{value.points:.15g}")
            for name, values in totals.items()
            for value in values
        ]
        if _is_output_terminal():
            print_table(rows, _STATS_MAX_CELLS_BY_COLUMN)
        else:
            print_tab_separated(rows)
    for warning in _field_warnings(fields, issues):
        echo(warning, err=True)
    for path in listing.error_by_broken_path:
        echo(f"left out, since it cannot be read: {path}", err=True)
    return exits.FAILURE if listing.error_by_broken_path else exits.DONE


def _field_warnings(
    fields: Sequence[str], issues: Sequence[tickets.FilterableIssue]
) -> Iterator[str]:
    """Yield a warning for each field that no issue has."""
    from ticketr.app.config.checks import nearest

    known = {tickets.fold(name): name for issue in issues for name in issue.fields}
    for name in fields:
        if issues and tickets.fold(name) not in known:
            near = nearest(name, known.values())
            hint = f"; did you mean {near}?" if near else ""
            yield f'no ticket has the field "{name}"{hint}'


def _totals_as_json(
    folder: str,
    candidates: Sequence[tickets.FilterableIssue],
    totals: dict[str, tuple[tickets.GroupSum, ...]],
) -> dict[str, object]:
    by = {
        name: [
            {"value": t.value or None, "tickets": t.issue_count, "points": t.points} for t in values
        ]
        for name, values in totals.items()
    }
    return {
        "folder": folder,
        "tickets": len(candidates),
        "points": sum(map(tickets.points_or_zero, candidates)),
        "by": by,
    }


def _parse_filter_and_read_issues(
    options: CommonOptions, terms: Sequence[str]
) -> tuple[tickets.Filter, WorkspaceIssues]:
    """Return the filter of a command, and all issues of the workspace."""
    store = options.open_store_requiring_owner_mark()
    with sync.read_state(store) as state:
        listing = _list_issues(store, state)
        fields = {
            name for issue in listing.issues_and_broken_files for name in issue.candidate.fields
        }
        fields |= state.site_record.ids_of_fields_in_files().keys() if fields else set()
        names = tickets.UserAndFieldNames(state.site_record.user_name(), frozenset(fields))
    return _parse_terms(terms, names), listing


def _list_issues(store: sync.Store, state: sync.State) -> WorkspaceIssues:
    """Read all issues of a workspace, and compare them with the last sync."""
    survey = sync.LocalSurvey()
    pairs: list[tuple[str, tickets.Ticket]] = []
    for names in store.walk():
        for name in names:
            pairs += ((name, local.ticket) for local in survey.scan_file(store, state, name))
    survey.locate_keys_of_unreadable_files(store, state, state.paths_and_head_keys_by_key())
    if survey.has_drafts:
        survey.refuse_drafts_that_lost_keys(state)
    edited = {key for change in survey.local_changes for key in change.edits}
    clashing = {conflict.key for conflict in state.conflicts.all()}
    updated = {issue.key: issue.updated for issue in state.known_issues_by_id().values()}

    def listed(path: str, issue: tickets.Ticket) -> IssueOrBrokenFile:
        key = issue.key or ""
        flags = [("edited", key in edited), ("conflict", key in clashing)]
        flags.append(("broken", path in survey.broken))
        held = frozenset(name for name, holds in flags if holds)
        candidate = tickets.filterable_issue_of(issue, held, updated=updated.get(key, ""))
        return IssueOrBrokenFile(candidate, path, issue.line)

    issues = [listed(path, issue) for path, ticket in pairs for issue in (ticket, *ticket.tasks)]
    for name, error in survey.broken.items():
        candidate = tickets.FilterableIssue(
            "", clean(str(error)), file_states=frozenset({"broken"})
        )
        issues.append(IssueOrBrokenFile(candidate, name, 1))
    return WorkspaceIssues(store.root, tuple(issues), survey.broken)


def _no_match_message(wanted: tickets.Filter) -> str:
    """Say why a command on the tickets that fit a filter shows none."""
    text = redacted_line(wanted.text)
    return f"no ticket fits {text}" if text else "there is no ticket here"


def _parse_terms(terms: Sequence[str], names: tickets.UserAndFieldNames) -> tickets.Filter:
    """Parse the arguments of a command as one filter.

    Args:
        terms: The arguments. One that is a single term needs no quotes of its own, as in
            ``'status=In Progress'``.
        names: What the filter can name.

    Raises:
        click.BadParameter: It is wrong; the message shows where.
    """
    text = " ".join(_TERM_WITH_UNQUOTED_BLANKS_PATTERN.sub(r'\1"\2"', term) for term in terms)
    try:
        return tickets.parse_filter(text, names)
    except tickets.InvalidFilter as error:
        place = " " * error.position
        words = f"{error.problem}\n  {redacted_line(text)}\n  {place}^"
        raise click.BadParameter(words, param_hint="FILTER") from None
