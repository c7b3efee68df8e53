"""Commands that change issues in Jira at once: ``ticketr bulk``, ``assign`` and ``move``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ticketr.app import config, sync
from ticketr.app.cli import completion, exits
from ticketr.app.cli.console import NOTHING_SENT_MESSAGE, confirm, echo, echo_json, print_messages
from ticketr.app.cli.help import command
from ticketr.app.cli.options import (
    CommonOptions,
    checked_key,
    checked_key_option,
    folder_json_options,
    job_arguments,
    keys_argument,
    plain_option,
    require_workspace_and_site,
    with_options,
)
from ticketr.app.cli.settings import can_ask_user, refuse_many_or_delete

if TYPE_CHECKING:
    from ticketr.app.cli.job_runner import JobOutcome

F = TypeVar("F", bound=Callable[..., Any])
#: Why an issue is left alone whose edit in a file would clash with the change in Jira.
_UNPUSHED_EDIT_REASON = (
    "its file has an edit of {name} ({after}) that is not pushed; push it first, or undo it"
)


def _jira_change_options(command: F) -> F:
    """Add the options that commands share which change issues in Jira."""
    return with_options(
        command,
        (
            click.option(
                "-n", "--dry-run", is_flag=True, help="Only say which issues it would change."
            ),
            click.option("-y", "--yes", "skips_confirmation", is_flag=True, help="Do not ask."),
            plain_option,
            folder_json_options,
        ),
    )


@command(
    examples={
        'ticketr bulk --jql "@sprint AND labels = web" --set Priority=High': "Set a field.",
        "ticketr bulk DEMO-1 DEMO-2 --set Labels+=urgent": "Add a label.",
        'ticketr bulk --jql "fixVersion = 1.0" --transition Done': "Move them to a status.",
        "ticketr bulk DEMO-7 DEMO-8 --move DEMO-1": "Move them under an epic.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@keys_argument
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
    shell_complete=completion.complete_status,
)
@click.option(
    "--move",
    "parent",
    metavar="KEY",
    default="",
    callback=checked_key_option,
    help="Move them under a parent.",
)
@click.option("--delete", is_flag=True, help="Delete them, with their sub-tasks, for ever.")
@_jira_change_options
def bulk(
    options: CommonOptions,
    *,
    keys: tuple[str, ...],
    jql: str | None,
    settings: tuple[str, ...],
    transition: str,
    parent: str,
    delete: bool,
) -> int:
    """Change issues in Jira, named by their keys or found by a query: fields, status or parent.

    It shows the issues and asks, changes them in Jira, and pulls them into the files that have
    them. Your unpushed edits of these tickets stay; an issue is left alone if one of them is of the
    same field.
    """
    if bool(keys) == bool(jql):
        raise click.UsageError("name the issues, or give a query by --jql")
    if sum(map(bool, (settings, transition, parent, delete))) != 1:
        raise click.UsageError("give one of --set, --transition, --move and --delete")
    change = sync.BulkChange(_parse_field_settings(settings), transition, parent, delete)
    return _confirm_and_change(options, change, keys, jql)


@command(
    examples={
        "ticketr assign DEMO-9": "Take it yourself.",
        'ticketr assign DEMO-7 DEMO-8 "Amara Okafor"': "Give two tickets to somebody.",
        "ticketr assign DEMO-9 -": "Nobody has it any more.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="KEY... [me|NAME|-]",
    shell_complete=completion.complete_key_or_person,
)
@_jira_change_options
def assign(options: CommonOptions, *, words: tuple[str, ...]) -> int:
    """Assign issues in Jira: to you, to somebody by name or e-mail address, or with - to nobody.

    It shows the issues and asks, sends the change to Jira at once, and pulls the issues, so that
    their files have it. What else you have edited in them is not sent.
    """
    keys, person = _split_keys(words)
    name = "" if person == "-" else person or "me"
    change = sync.BulkChange((sync.FieldSetting("Assignee", name),))
    return _confirm_and_change(options, change, keys)


@command(
    examples={
        "ticketr move DEMO-9 In Progress": "Begin with it.",
        "ticketr move DEMO-7 DEMO-8 done --yes": "End two, without a question.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="KEY... STATUS",
    shell_complete=completion.complete_key_or_status,
)
@_jira_change_options
def move(options: CommonOptions, *, words: tuple[str, ...]) -> int:
    """Move issues to a status in Jira, by the transition that leads there.

    It shows the issues and asks, sends the change to Jira at once, and pulls the issues, so that
    their files have it. What else you have edited in them is not sent.
    """
    keys, status = _split_keys(words)
    if not status:
        raise click.UsageError(f"name a status after the key, as in: ticketr move {keys[-1]} Done")
    return _confirm_and_change(options, sync.BulkChange(status=status), keys)


def _split_keys(words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Split keys from the text behind them, whose blanks need no quotes."""
    from ticketr.app.tickets import is_key

    at = next((at for at, word in enumerate(words) if not is_key(word.strip().upper())), len(words))
    keys = dict.fromkeys(map(checked_key, words[: max(at, 1)]))
    return tuple(keys), " ".join(words[max(at, 1) :]).strip()


def _confirm_and_change(
    options: CommonOptions, change: sync.BulkChange, keys: Sequence[str], jql: str | None = None
) -> int:
    """Change issues, named by their keys or found by a query, and return the exit code."""
    from ticketr.app.cli.job_runner import exit_code, run_job, worst_exit_code

    options = replace(options, needs_project=False)
    resolved = require_workspace_and_site(options)
    aliases = resolved.aliases_in(jql or "")
    if change.delete and options.skips_confirmation:
        _refuse_deletion_by_team_alias(aliases)
    arguments = job_arguments(resolved, options, jql)
    query = arguments["jql"] or "" if jql else ""
    for alias in aliases:
        echo(str(alias), err=True)
    find_job = sync.FindIssuesJob(**arguments, search_jql=query, keys=keys)
    finding = run_job(find_job, plain=options.plain_progress)
    as_json = options.as_json
    if finding.result is None:
        _print_result(finding, sync.BulkResult(), change, aliases, as_json=as_json)
        return finding.exit_code()
    known, clashing = _find_pulled_and_clashing(arguments, change)
    refused = tuple(clashing[issue.key] for issue in finding.result if issue.key in clashing)
    issues = tuple(issue for issue in finding.result if issue.key not in clashing)
    if options.dry_run or not issues:
        _print_issues(issues, refused, change, aliases, as_json=as_json)
        return exits.PARTLY if refused else exits.DONE
    if not as_json:
        print_messages(*(f"failed: {note}" for note in refused))
    if not options.skips_confirmation:
        _confirm_change(
            issues, change, arguments.get("browser_site") or arguments["credentials"].site
        )
    job = sync.BulkJob(**arguments, issues=issues, change=change)
    ended = run_job(job, plain=options.plain_progress)
    result = job.so_far()
    codes = [ended.exit_code(is_partial=bool(refused or result.failed))]
    keys = [key for key in (*result.done, *result.unneeded) if key in known]
    pulled: Sequence[str] = ()
    if keys and not change.delete and ended.signal is None:
        pulling = run_job(sync.PullJob(**arguments, keys=keys), plain=options.plain_progress)
        codes.append(exit_code(pulling))
        pulled = keys if pulling.result is not None else ()
    _print_result(ended, result, change, aliases, as_json=as_json, refused=refused, pulled=pulled)
    return worst_exit_code(codes)


def _find_pulled_and_clashing(
    arguments: sync.SessionOptions, change: sync.BulkChange
) -> tuple[Collection[str], dict[str, sync.Note]]:
    """Return the keys that were pulled here, and a note on each issue with an edit of what changes.

    The edit and the change would become a conflict, unless both say the same.
    """
    from ticketr.app.config.checks import folded

    store = sync.Store(arguments["root"], config.STATE_FOLDER, arguments.get("state_owner_mark"))
    with sync.read_state(store) as state:
        known = {issue.key for issue in state.known_issues_by_id().values()}
        user = state.site_record.user_name()
    plan = sync.read_push_plan(store) if known and not change.delete else sync.PushPlan()
    wanted = {folded(name): folded(text) for name, text in _new_field_texts(change, user)}
    notes: dict[str, sync.Note] = {}
    for entry in plan.entries:
        for edit in entry.changes:
            after = folded(edit.new)
            if entry.key and wanted.get(folded(edit.name), after) != after:
                reason = _UNPUSHED_EDIT_REASON.format(name=edit.name, after=edit.new or "empty")
                notes[entry.key] = sync.Note(entry.key, entry.path, reason, sync.Code.CONFLICT)
    return known, notes


def _new_field_texts(change: sync.BulkChange, user: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each field that changes, and its text after that."""
    if change.status:
        yield "Status", change.status
    if change.parent_key:
        yield "Parent", change.parent_key
    for setting in change.settings:
        is_me = setting.text.lower() in {"me", "@me"}
        # What a list will hold is not known here; no field has this text.
        is_set = setting.action is sync.ListAction.REPLACE
        yield setting.name, user if is_me else setting.text if is_set else str(setting)


def _refuse_deletion_by_team_alias(aliases: Sequence[config.UsedAlias]) -> None:
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


def _parse_field_settings(texts: Sequence[str]) -> tuple[sync.FieldSetting, ...]:
    from ticketr.app.config.checks import folded

    settings: dict[str, sync.FieldSetting] = {}
    for text in texts:
        setting = sync.FieldSetting.read(text)
        if setting is None:
            raise click.BadParameter(f"{text!r} is not like Priority=High", param_hint="--set")
        if known := settings.get(folded(setting.name)):
            raise click.BadParameter(
                f"{known.name} is given more than once; give one value, or a list as in "
                "Labels+=urgent,web",
                param_hint="--set",
            )
        settings[folded(setting.name)] = setting
    return tuple(settings.values())


def _describe_change(issues: Sequence[sync.BulkIssue], change: sync.BulkChange) -> str:
    """Say what is done to how many issues."""
    count = len(issues)
    taken = {subtask for issue in issues for subtask in issue.subtask_ids if change.delete}
    subtasks = len(taken - {issue.id for issue in issues})
    more = f" with {subtasks} sub-task{'s' * (subtasks != 1)}" if subtasks else ""
    return f"{change}: {count} ticket{'s' * (count != 1)}{more}"


def _aliases_as_json(aliases: Sequence[config.UsedAlias]) -> list[dict[str, str]]:
    return [alias._asdict() for alias in aliases]


def _print_issues(
    issues: Sequence[sync.BulkIssue],
    refused: Sequence[sync.Note],
    change: sync.BulkChange,
    aliases: Sequence[config.UsedAlias],
    *,
    as_json: bool,
) -> None:
    if as_json:
        listed = [
            {"key": issue.key, "title": issue.title, "status": issue.status} for issue in issues
        ]
        record = {"change": str(change), "aliases": _aliases_as_json(aliases), "tickets": listed}
        echo_json({**record, "failed": [*map(asdict, refused)]})
        return
    for issue in issues:
        echo(f"{issue.key}  {issue.status}  {issue.title}")
    print_messages(*(f"failed: {note}" for note in refused))
    echo(_describe_change(issues, change), err=True)


def _confirm_change(issues: Sequence[sync.BulkIssue], change: sync.BulkChange, site: str) -> None:
    """Ask before issues are changed; without a terminal, refuse many, and to delete any.

    Raises:
        click.UsageError: No terminal is there to ask in.
        click.exceptions.Exit: The answer was no.
    """
    what = _describe_change(issues, change)
    if not can_ask_user():
        refuse_many_or_delete(len(issues), what, site, "--dry-run", is_deletion=change.delete)
        return
    for issue in issues[: config.CONFIRM_ABOVE_WRITES]:
        echo(f"{issue.key}  {issue.status}  {issue.title}", err=True)
    if len(issues) > config.CONFIRM_ABOVE_WRITES:
        echo(f"and {len(issues) - config.CONFIRM_ABOVE_WRITES} more; --dry-run lists all", err=True)
    warning = " This cannot be undone." if change.delete else ""
    if not confirm(f"In {site}, {what}.{warning} Go on?"):
        echo(NOTHING_SENT_MESSAGE, err=True)
        click.get_current_context().exit(exits.DONE)


def _print_result(
    ended: JobOutcome[object],
    result: sync.BulkResult,
    change: sync.BulkChange,
    aliases: Sequence[config.UsedAlias],
    *,
    as_json: bool,
    refused: Sequence[sync.Note] = (),
    pulled: Sequence[str] = (),
) -> None:
    if as_json:
        echo_json(
            {
                **ended.as_json(),
                "aliases": _aliases_as_json(aliases),
                "changed": list(result.done),
                "already": list(result.unneeded),
                "failed": [*map(asdict, (*refused, *result.failed))],
                "unknown": list(result.unknown),
                "pulled": list(pulled),
            }
        )
        return
    print_messages(*(f"failed: {note}" for note in result.failed))
    if result.unneeded:
        echo(f"already {result.unneeded_state}, left alone: {', '.join(result.unneeded)}", err=True)
    if result.unknown:
        verb = "delete" if change.delete else "change"
        echo(f"Jira may {verb} them yet: {', '.join(result.unknown)}", err=True)
    if not set(result.done) <= {*pulled}:
        hint = "ticketr pull --prune" if change.delete else "ticketr pull"
        echo(f"to see it in the files: {hint}", err=True)
