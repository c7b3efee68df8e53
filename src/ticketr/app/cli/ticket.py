"""Commands on one ticket: ``ticketr show``, ``edit``, ``open`` and ``new``."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr._errors import TicketrError
from ticketr.app import sync
from ticketr.app.cli import console
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, folder_json_options, folder_options, key_argument
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from ticketr.app.tickets import Ticket, TicketFile


@dataclass(frozen=True, slots=True)
class FoundIssue:
    """An issue in its file.

    Attributes:
        path: The file, relative to the workspace.
        issue: The issue.
        enclosing_ticket: The ticket that it is in: itself, or its parent.
        text: Its text, as in the file.
    """

    path: str
    issue: Ticket
    enclosing_ticket: Ticket
    text: str


@command(
    examples={
        "ticketr show DEMO-9": "Print it.",
        "ticketr show DEMO-9 --json": "Print its parts for a script.",
    }
)
@key_argument
@folder_json_options
def show(options: CommonOptions, *, key: str) -> None:
    """Print a ticket, or a sub-task, exactly as it is in its file. Sends no request."""
    store = options.open_store_requiring_owner_mark()
    issue = _find_issue_or_usage_error(store, key)
    if options.as_json:
        own = _as_json(issue.issue)
        place = {"path": issue.path, "line": issue.issue.line, "text": issue.text}
        parent = issue.enclosing_ticket.key if issue.issue is not issue.enclosing_ticket else None
        tasks = [_as_json(task) for task in issue.issue.tasks]
        console.echo_json(
            {"folder": str(store.root), **own, "parent": parent, "tasks": tasks, **place}
        )
    else:
        text = console.redacted(issue.text)
        click.echo(
            console.redacted_lines(text) if _is_output_terminal() else text.encode(), nl=False
        )


def _is_output_terminal() -> bool:
    return sys.stdout.isatty()


def _as_json(issue: Ticket) -> dict[str, object]:
    return {
        "key": issue.key,
        "title": issue.title,
        "fields": dict(issue.fields),
        "description": issue.description,
        "acceptance_criteria": list(issue.acceptance_criteria),
        "texts": dict(issue.rich_texts),
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


@command(
    examples={
        "ticketr edit DEMO-9": "Open its file, at its line.",
        'EDITOR="code -w" ticketr edit demo-9': "With this editor.",
    }
)
@key_argument
@folder_options
def edit(options: CommonOptions, *, key: str) -> None:
    """Open the file of a ticket in your editor, at the line of the ticket. Sends no request.

    The editor is what VISUAL or EDITOR names, with its arguments, else vi. When it ends, the file
    is read, so that you hear at once of a mistake in it.
    """
    store = options.open_store_requiring_owner_mark()
    issue = _find_issue_or_usage_error(store, key)
    before = store.read_tickets(issue.path)
    run_editor(str((store.root / issue.path).absolute()), line=issue.issue.line)
    store.read_file(issue.path)
    sync.mark_editor_changes_as_edits(store, issue.path, before)


def run_editor(path: str, *, line: int) -> None:
    """Run the user's editor on a file until it ends.

    Args:
        path: The file, absolute.
        line: The line to go to, from 1.

    Raises:
        click.ClickException: It cannot be started, or fails.
    """
    import subprocess

    from ticketr.app.editor import describe_failure, editor_words

    words = editor_words(os.environ, path, line)
    name = f"the editor ({shlex.join(words)})"
    try:
        # The terminal sends Ctrl+C to the editor as well. A handler that does nothing is reset in the
        # editor; a signal that is ignored would stay ignored.
        with console.handle_sigint(lambda *_: None):
            ended = subprocess.run(words, check=False)  # noqa: S603 - what the user has set
    except OSError as error:
        problem = f"cannot be started: {error.strerror}; set VISUAL or EDITOR, as in EDITOR=nano"
        raise click.ClickException(f"{name} {problem}") from error
    if ended.returncode:
        raise click.ClickException(f"{name} {describe_failure(ended.returncode)}")


@command(
    "open",
    examples={
        "ticketr open DEMO-9": "Open it.",
        "ticketr open DEMO-9 --print": "Print the address.",
    },
)
@key_argument
@click.option("--print", "only_print", is_flag=True, help="Print the address instead.")
@folder_options
def open_(options: CommonOptions, *, key: str, only_print: bool) -> None:
    """Open an issue in your browser. It need not have been pulled.

    The browser is what BROWSER names, else that of the system.
    """
    import webbrowser

    from ticketr.app.jira.site import browse_url

    url = browse_url(options.find_workspace().required_confirmed_site(), key)
    if only_print:
        console.echo(url)
    elif not webbrowser.open(url):
        raise click.ClickException(
            f"no browser can be started here (set BROWSER); the address is {url}"
        )


@command(
    examples={
        "ticketr new Pay in instalments": "Write a draft; the next push creates it.",
        "ticketr new -t Bug --parent DEMO-1 No ISBN": "With a type, below an epic.",
        "ticketr new --template feature Name=Search": "Write what a template makes.",
    }
)
@click.argument("title", nargs=-1, metavar="[TITLE|NAME=VALUE]...")
@click.option("-t", "--type", "kind", metavar="NAME", help="The type of the issue, such as Story.")
@click.option("--parent", metavar="KEY", help="The epic that it belongs to.")
@click.option("--template", metavar="NAME", help="Fill in a file of the folder templates.")
@folder_json_options
def new(
    options: CommonOptions,
    *,
    title: tuple[str, ...],
    kind: str | None,
    parent: str | None,
    template: str | None,
) -> None:
    """Write a draft to fill in; the next push creates the issue and writes its key into the file.

    The file is named after the title, in the current folder if that lies in the workspace. A
    template gets the values of its placeholders as NAME=VALUE.
    """
    if template is not None and (kind is not None or parent is not None):
        raise click.UsageError("--type and --parent go with a TITLE; a template has its own")
    resolved = options.find_workspace()
    if template is not None:
        drafts = _fill_template(resolved.root, template, title)
    else:
        drafts = (_make_draft(title, kind or resolved.default_draft_type, parent),)
    inner = "" if options.folder is not None else _current_folder_within(resolved.root)
    path = sync.write_drafts(resolved.root, drafts, inner)
    if options.as_json:
        console.echo_json({"folder": str(resolved.root), "path": str(path)})
    else:  # a script gets the exact bytes of the path
        click.echo(console.redacted_line(str(path)) if sys.stdout.isatty() else os.fsencode(path))


def _make_draft(title: tuple[str, ...], kind: str, parent: str | None) -> Ticket:
    from ticketr.app.tickets import Ticket, is_key

    if not title:
        raise click.UsageError("Missing argument 'TITLE...'.")
    words = clean(" ".join(title)).strip()
    if not words:
        raise click.BadParameter("the title is empty", param_hint="TITLE")
    if parent is not None and not is_key(parent):
        raise click.BadParameter("it has to be a key like PROJ-123", param_hint="--parent")
    fields = {"Type": kind, **({"Parent": parent} if parent else {})}
    return Ticket(title=words, fields=fields)


def _fill_template(root: Path, name: str, words: tuple[str, ...]) -> tuple[Ticket, ...]:
    """Return the drafts of a template, with values that are given as ``NAME=VALUE``."""
    files = sync.find_template_files(root)
    if name not in files:
        known = f"there are {', '.join(files)}" if files else "there are none yet"
        folder = root / sync.TEMPLATE_FOLDER
        raise click.UsageError(clean(f"there is no template {name} in {folder}; {known}"))
    template = sync.read_template(files[name])
    values: dict[str, str] = {}
    for word in words:
        placeholder, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"{clean(word)} is no value; a value looks like Name=Search")
        values[placeholder.strip()] = value
    lines_by_name = {entry.name: entry.line for entry in template.placeholders}
    path = clean(template.path)
    if missing := [key for key in lines_by_name if key not in values]:
        lines = [f"{path}:{lines_by_name[key]}: no value for {key}" for key in missing]
        example = " ".join(f"{key}=..." for key in missing)
        raise click.UsageError("\n".join([*lines, f"give each of them: {example}"]))
    if unknown := [key for key in values if key not in lines_by_name]:
        known = f"it has {', '.join(lines_by_name)}" if lines_by_name else "it has none"
        raise click.UsageError(f"{path} has no placeholder {clean(', '.join(unknown))}; {known}")
    return template.fill(values)


def _current_folder_within(root: Path) -> str:
    """Return the current folder, relative to the workspace; empty where a push finds no files."""
    here = Path.cwd()
    if here == root or not here.is_relative_to(root):
        return ""
    inner = here.relative_to(root).as_posix()
    return inner if sync.is_outside_skipped_folders(inner) else ""


def _find_issue_or_usage_error(store: sync.Store, key: str) -> FoundIssue:
    """Find an issue in the files of a workspace by its key.

    Raises:
        click.UsageError: No file has it.
    """
    own = f"{key}.md"
    others = (name for names in store.walk() for name in names if name != own)
    for name in chain([own], others):
        issue = _find_issue_in_file(store, name, key)
        if issue is not None:
            return issue
    raise click.UsageError(
        f"{key} is in no file of {clean(str(store.root))}; 'ticketr pull' brings what is in Jira"
    )


def _find_issue_in_file(store: sync.Store, path: str, key: str) -> FoundIssue | None:
    """Return an issue in a file; None if it is not there, or not in a file that cannot be read."""
    is_own = path == f"{key}.md"
    try:
        if not is_own and key.encode() not in store.read_bytes(path):  # most need not be parsed
            return None
        file = store.read_file(path)
    except (OSError, TicketrError):
        if is_own and (store.root / path).is_file():  # the issue is in it, most likely
            raise
        return None
    for number, head in enumerate(file.tickets):
        for issue in (head, *head.tasks):
            if issue.key == key:
                return FoundIssue(path, issue, head, _text_of(file, number, issue))
    return None


def _text_of(file: TicketFile, ticket_index: int, issue: Ticket) -> str:
    """Return the text of a ticket, or of a sub-task without what follows it."""
    head, span = file.tickets[ticket_index], file.text_slices[ticket_index]
    text = file.text[span]
    if issue is head:
        return text
    later = [task.line for task in head.tasks if task.line > issue.line]
    lines = text.splitlines(keepends=True)
    end = later[0] - head.line if later else len(lines)
    return "".join(lines[issue.line - head.line : end])
