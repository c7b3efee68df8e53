"""The help of commands, with examples and exit codes, and commands that are imported when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, final

import click
from click.shell_completion import CompletionItem

from ticketr.app.cli import exits
from ticketr.app.cli.go_commands import REPLACEMENT_BY_GO_COMMAND

#: The commands of ``ticketr``, in the groups of its help: the place of each, as ``module:name``, and
#: what it does. The list of commands is printed without importing one.
COMMAND_GROUPS = {
    "Daily": {
        "pull": ("pull_push:pull", "Bring tickets from Jira into Markdown files."),
        "push": ("pull_push:push", "Bring what you edited to Jira."),
        "sync": ("pull_push:sync_", "Pull, merge and push in one go."),
        "status": ("status:status", "Say what was edited here since the last sync."),
        "diff": ("status:diff", "Show edits line by line."),
        "show": ("ticket:show", "Print a ticket."),
        "list": ("listing:list_", "List the tickets that fit a filter."),
        "edit": ("ticket:edit", "Open a ticket in your editor."),
        "open": ("ticket:open_", "Open a ticket in your browser."),
        "new": ("ticket:new", "Write a draft to fill in."),
        "assign": ("bulk:assign", "Assign tickets in Jira, and in their files."),
        "move": ("bulk:move", "Move tickets to a status in Jira, and in their files."),
        "comment": ("worklog:comment", "Add a comment to an issue in Jira."),
        "resolve": ("resolve:resolve", "Resolve a conflict."),
        "undo": ("resolve:undo", "Take back what was last resolved or changed in files."),
    },
    "More": {
        "bulk": ("bulk:bulk", "Change or delete many issues in Jira at once."),
        "attachments": ("attachments:attachments", "List, download and upload attachments."),
        "worklog": ("worklog:worklog", "Record work on an issue."),
        "jobs": ("history:jobs", "List the jobs that have ended."),
        "alias": ("alias:alias", "List names for queries, or give a query a name."),
        "schema": ("schema:schema", "List the fields that the project's issues can have."),
        "stats": ("listing:stats", "Count tickets and points by status, type and assignee."),
    },
    "Set-up": {
        "workspace": ("workspace:workspace", "Add, list, choose and check workspaces."),
        "completion": ("completion:completion", "Print the completion script of a shell."),
        "demo": ("demo:demo", "Pull made-up tickets; no Jira account is needed."),
        "sandbox": ("sandbox:sandbox", "Serve a Jira stand-in with made-up tickets."),
    },
}
_IMPORT_PATH_AND_SUMMARY_BY_COMMAND = {
    name: command for group in COMMAND_GROUPS.values() for name, command in group.items()
}


class Command(click.Command):
    """A command whose help ends with examples and exit codes.

    Args:
        examples: Command lines, each with what it does.
        exits: The exit codes, with their meanings; those of a command that sends no request if
            they are not given.
    """

    def __init__(
        self,
        *args: Any,
        examples: Mapping[str, str],
        exits: Mapping[str, str] = exits.LOCAL_COMMAND_EXITS,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.examples = examples
        self.exits = exits

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; say what replaces a command or an option of the Go program."""
        _refuse_go_command(ctx, next(iter(args), ""))
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            _refuse_go_command(ctx, error.option_name)
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the exit codes."""
        with formatter.section("Examples"):
            for line, words in self.examples.items():
                formatter.write(f"  {line}\n      {words}\n")
        with formatter.section("Exit codes"):
            formatter.write_dl([*self.exits.items()])


def command(name: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes a `Command` of a function; see `click.command`."""
    return click.command(name, cls=Command, **options)


class Group(Command, click.Group):
    """A group of commands; its help and its completion import none of them."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing one."""
        groups = {"Commands": sorted(self.commands)}
        if isinstance(self.commands, LazyCommands):
            groups = {name: list(commands) for name, commands in COMMAND_GROUPS.items()}
        column = max(map(len, self.commands))  # the same in all groups
        for title, names in groups.items():
            with formatter.section(title):
                rows = [(name.ljust(column), self._summary_of(name)) for name in names]
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, without importing one, or an option."""
        names = [name for name in sorted(self.commands) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=self._summary_of(name)) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def _summary_of(self, name: str) -> str:
        if isinstance(self.commands, LazyCommands):
            return _IMPORT_PATH_AND_SUMMARY_BY_COMMAND[name][1]
        return self.commands[name].get_short_help_str(100)


def _refuse_go_command(ctx: click.Context, word: str) -> None:
    """Raise a usage error for a command or an option of the Go program."""
    if words := REPLACEMENT_BY_GO_COMMAND.get(f"{ctx.command_path} {word}"):
        ctx.fail(f"'{word}' was in the Go program Ticketr; now: {words}")


@final
class LazyCommands(Mapping[str, click.Command]):
    """The commands of ``ticketr``, by their names; each is imported when it is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        module, _, attribute = _IMPORT_PATH_AND_SUMMARY_BY_COMMAND[name][0].partition(":")
        command: click.Command = getattr(import_module(f"ticketr.app.cli.{module}"), attribute)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_IMPORT_PATH_AND_SUMMARY_BY_COMMAND)

    def __len__(self) -> int:
        return len(_IMPORT_PATH_AND_SUMMARY_BY_COMMAND)
