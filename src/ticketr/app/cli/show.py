"""``ticketr show``: print a ticket; no request to Jira."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json, printable_lines, redacted
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from ticketr.app.cli.listing import FoundIssue
    from ticketr.app.tickets import Ticket


@click.command(cls=Command)
@click.argument("key", shell_complete=complete_key)
@click.option("--raw", is_flag=True, help="Print its text exactly as it stands in its file.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(*, key: str, raw: bool, workspace: str | None, folder: Path | None, as_json: bool) -> None:
    """Print a ticket, or a sub-task, as it is in its file. Sends no request."""
    from ticketr.app.cli.listing import require_issue
    from ticketr.app.cli.ownership import open_store

    if raw and as_json:
        raise click.UsageError("say --raw or --json, not both")
    store = open_store(resolve(workspace=workspace, folder=folder).root)
    issue = require_issue(store, key)
    if as_json:
        own = _as_json(issue.issue)
        place = {"path": issue.path, "line": issue.issue.line, "text": issue.text}
        parent = issue.head.key if issue.issue is not issue.head else None
        tasks = [_as_json(task) for task in issue.issue.tasks]
        echo_json({"folder": str(store.root), **own, "parent": parent, "tasks": tasks, **place})
    elif raw:
        text = redacted(issue.text)
        click.echo(printable_lines(text) if _is_terminal() else text.encode(), nl=False)
    else:
        for line in _ticket_lines(issue):
            echo(line)


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _as_json(issue: Ticket) -> dict[str, object]:
    return {
        "key": issue.key,
        "title": issue.title,
        "fields": dict(issue.fields),
        "description": issue.description,
        "acceptance_criteria": list(issue.acceptance_criteria),
        "texts": dict(issue.texts),
        "comments": [
            {
                "id": comment.id or None,
                "author": comment.author,
                "time": comment.time,
                "text": comment.text,
            }
            for comment in issue.comments
        ],
    }


def _ticket_lines(match: FoundIssue) -> Iterator[str]:
    issue = match.issue
    yield f"{issue.key}  {issue.title}"
    if issue is not match.head:
        yield f"below {match.head.key or 'a draft'}  {match.head.title}"
    yield from _field_lines(issue)
    if issue.description:
        yield ""
        yield from issue.description.split("\n")
    if issue.acceptance_criteria:
        yield from ("", "Acceptance criteria")
        for criterion in issue.acceptance_criteria:
            first, *rest = criterion.split("\n")
            yield f"- {first}"
            yield from (f"  {line}".rstrip() for line in rest)
    for name, text in issue.texts.items():
        yield from ("", name)
        yield from (f"  {line}".rstrip() for line in text.split("\n"))
    yield from _comment_lines(issue)
    if issue.tasks:
        yield from ("", "Sub-tasks")
        for task in issue.tasks:
            status = task.fields.get("Status", "")
            yield f"- {task.key or 'draft'}  {task.title}{f'  ({status})' if status else ''}"
    yield from ("", f"{match.path}:{issue.line}")


def _comment_lines(issue: Ticket) -> Iterator[str]:
    if issue.comments:
        yield from ("", "Comments")
    for comment in issue.comments:
        when = f", {comment.time}" if comment.time else ""
        yield "- new:" if comment.is_new else f"- {comment.author}{when}:"
        yield from (f"  {line}".rstrip() for line in comment.text.split("\n"))


def _field_lines(issue: Ticket) -> Iterator[str]:
    if not issue.fields:
        return
    yield ""
    for name, value in issue.fields.items():
        first, *rest = value.split("\n")
        yield f"{name}: {first}".rstrip()
        yield from (f"  {line}".rstrip() for line in rest)
