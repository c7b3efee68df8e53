"""``ticketr bulk``: change or delete many issues in Jira at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ticketr.app import config, sync
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key, complete_status
from ticketr.app.cli.console import NOTHING_SENT, confirm, echo, echo_json
from ticketr.app.cli.help import Command
from ticketr.app.cli.options import (
    CommonOptions,
    checked_key,
    job_settings,
    json_option,
    plain_option,
    resolve_options,
    workspace_options,
)
from ticketr.app.cli.settings import is_interactive

if TYPE_CHECKING:
    from ticketr.app.cli.job_runner import JobOutcome


@click.command(
    cls=Command,
    examples={
        'ticketr bulk --jql "@sprint AND labels = web" --set Priority=High': "Set a field.",
        "ticketr bulk DEMO-1 DEMO-2 --set Labels+=urgent": "Add a label.",
        'ticketr bulk --jql "fixVersion = 1.0" --transition Done': "Move them to a status.",
        "ticketr bulk DEMO-7 DEMO-8 --move DEMO-1": "Move them under an epic.",
    },
    exits=exits.PER_TICKET,
)
@click.argument("keys", nargs=-1, metavar="[KEY]...", shell_complete=complete_key)
@click.option("--jql", metavar="QUERY", help="Change what a query finds; @NAME is an alias.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field; += and -= add and remove labels, components and versions.",
)
@click.option(
    "--transition",
    metavar="STATUS",
    default="",
    help="Move them to a status.",
    shell_complete=complete_status,
)
@click.option("--move", "parent", metavar="KEY", default="", help="Move them under a parent.")
@click.option("--delete", is_flag=True, help="Delete them, with their sub-tasks, for ever.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say which issues it would change.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@plain_option
@json_option
@workspace_options
@click.pass_context
def bulk(
    context: click.Context,
    options: CommonOptions,
    *,
    keys: tuple[str, ...],
    jql: str | None,
    settings: tuple[str, ...],
    transition: str,
    parent: str,
    delete: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Change issues in Jira, named by their keys or found by a query: fields, status or parent.

    It shows the issues and asks. The files stay as they are; the next pull brings the changes.
    Your unpushed edits of these tickets stay, too.
    """
    from ticketr.app.cli.job_runner import run_job

    if bool(keys) == bool(jql):
        raise click.UsageError("name the issues, or give a query by --jql")
    if sum(map(bool, (settings, transition, parent, delete))) != 1:
        raise click.UsageError("give one of --set, --transition, --move and --delete")
    change = sync.BulkChange(
        _read_settings(settings), transition, checked_key(parent) if parent else "", delete
    )
    options = replace(options, needs_project=False)
    resolved = resolve_options(options)
    aliases = resolved.aliases_in(jql or "")
    if delete and yes:
        _refuse_team_aliases(aliases)
    arguments = job_settings(resolved, options, jql)
    query = arguments["jql"] or "" if jql else ""
    wanted = tuple(dict.fromkeys(map(checked_key, keys)))
    for alias in aliases:
        echo(str(alias), err=True)
    finding = run_job(
        sync.FindIssuesJob(**arguments, query=query, keys=wanted), plain=options.plain
    )
    as_json = options.as_json
    if finding.result is None:
        _print_result(finding, sync.BulkResult(), change, aliases, as_json=as_json)
        context.exit(finding.exit_code())
    issues = finding.result
    if dry_run or not issues:
        _print_issues(issues, change, aliases, as_json=as_json)
        context.exit(exits.DONE)
    if not yes:
        _confirm(issues, change, arguments.get("browse") or arguments["credentials"].site)
    job = sync.BulkJob(**arguments, issues=issues, change=change)
    ended = run_job(job, plain=options.plain)
    result = job.so_far()
    _print_result(ended, result, change, aliases, as_json=as_json)
    context.exit(ended.exit_code(is_partial=bool(result.failed)))


def _refuse_team_aliases(aliases: Sequence[config.UsedAlias]) -> None:
    """Refuse to delete, without a question, what a file chooses that others may have written.

    Raises:
        click.UsageError: One of the aliases is defined in ticketr.toml.
    """
    for alias in aliases:
        if alias.source == config.WORKSPACE_FILE:
            raise click.UsageError(
                f"--delete with --yes takes no alias of {config.WORKSPACE_FILE}, which others may have "
                f"written:\n{alias}\nLeave --yes out and look at the plan, or write its query "
                "after --jql"
            )


def _read_settings(texts: Sequence[str]) -> tuple[sync.FieldSetting, ...]:
    from ticketr.app.config.checks import folded

    settings = tuple(map(_read_setting, texts))
    names = [folded(setting.name) for setting in settings]
    for setting in settings:
        if names.count(folded(setting.name)) > 1:
            raise click.BadParameter(
                f"{setting.name} is given more than once; give one value, or a list as in "
                "Labels+=urgent,web",
                param_hint="--set",
            )
    return settings


def _read_setting(text: str) -> sync.FieldSetting:

    setting = sync.FieldSetting.read(text)
    if setting is None:
        raise click.BadParameter(f"{text!r} is not like Priority=High", param_hint="--set")
    return setting


def _change_words(count: int, issues: Sequence[sync.BulkIssue], change: sync.BulkChange) -> str:
    """Say what is done to how many issues."""
    taken = {subtask for issue in issues for subtask in issue.subtasks if change.delete}
    subtasks = len(taken - {issue.id for issue in issues})
    more = f" with {subtasks} sub-task{'s' * (subtasks != 1)}" if subtasks else ""
    return f"{change}: {count} ticket{'s' * (count != 1)}{more}"


def _alias_records(aliases: Sequence[config.UsedAlias]) -> list[dict[str, str]]:
    return [alias._asdict() for alias in aliases]


def _print_issues(
    issues: Sequence[sync.BulkIssue],
    change: sync.BulkChange,
    aliases: Sequence[config.UsedAlias],
    *,
    as_json: bool,
) -> None:
    if as_json:
        listed = [
            {"key": issue.key, "title": issue.title, "status": issue.status} for issue in issues
        ]
        echo_json({"change": str(change), "aliases": _alias_records(aliases), "tickets": listed})
        return
    for issue in issues:
        echo(f"{issue.key}  {issue.status}  {issue.title}")
    echo(_change_words(len(issues), issues, change), err=True)


def _confirm(issues: Sequence[sync.BulkIssue], change: sync.BulkChange, site: str) -> None:
    """Ask before issues are changed; without a terminal, refuse many, and to delete any.

    Raises:
        click.UsageError: No terminal is there to ask in.
        click.exceptions.Exit: The answer was no.
    """
    what = _change_words(len(issues), issues, change)
    if not is_interactive():
        if len(issues) <= config.CONFIRM_ABOVE and not change.delete:
            return
        raise click.UsageError(
            f"this would {what} in {site}; look at them with --dry-run, and say --yes if that is "
            "what you want"
        )
    for issue in issues[: config.CONFIRM_ABOVE]:
        echo(f"{issue.key}  {issue.status}  {issue.title}", err=True)
    if len(issues) > config.CONFIRM_ABOVE:
        echo(f"and {len(issues) - config.CONFIRM_ABOVE} more; --dry-run lists all", err=True)
    warning = " This cannot be undone." if change.delete else ""
    if not confirm(f"In {site}, {what}.{warning} Go on?"):
        echo(NOTHING_SENT, err=True)
        click.get_current_context().exit(exits.DONE)


def _print_result(
    ended: JobOutcome[object],
    result: sync.BulkResult,
    change: sync.BulkChange,
    aliases: Sequence[config.UsedAlias],
    *,
    as_json: bool,
) -> None:
    if as_json:
        failed = [
            {"key": note.key, "code": note.code.value, "reason": note.reason}
            for note in result.failed
        ]
        echo_json(
            {
                "status": ended.snapshot.status.value,
                "message": ended.message,
                "aliases": _alias_records(aliases),
                "changed": list(result.done),
                "already": list(result.already),
                "failed": failed,
                "unknown": list(result.unknown),
            }
        )
        return
    for note in result.failed:
        echo(f"failed: {note.key}: {note.reason}", err=True)
    if result.already:
        echo(f"already {result.state}, left alone: {', '.join(result.already)}", err=True)
    if result.unknown:
        verb = "delete" if change.delete else "change"
        echo(f"Jira may {verb} them yet: {', '.join(result.unknown)}", err=True)
    if result.done:
        hint = "ticketr pull --prune" if change.delete else "ticketr pull"
        echo(f"to see it in the files: {hint}", err=True)
