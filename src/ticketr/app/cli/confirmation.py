"""Shows what a push or sync would write, and asks before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TypeAlias, TypeVar

import click

from ticketr._errors import TicketrError
from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import NOTHING_SENT_MESSAGE, confirm, echo, print_messages
from ticketr.app.cli.ownership import open_store_requiring_owner_mark
from ticketr.app.cli.settings import can_ask_user, refuse_many_or_delete
from ticketr.app.cli.status import loss_lines
from ticketr.app.config import CONFIRM_ABOVE_WRITES
from ticketr.text import common_prefix_length

J = TypeVar("J", "sync.PushJob", "sync.SyncJob")
JobsByWorkspace: TypeAlias = "Mapping[str, sync.PushJob] | Mapping[str, sync.SyncJob]"

#: The command that shows what would be sent; a sync has no such option.
_DRY_RUN_COMMAND = "ticketr push --dry-run"
#: The most characters of a text that a plan shows on a line.
_MAX_EXCERPT_LENGTH = 60
#: The characters shown before the first one that differs.
_CHARACTERS_BEFORE_DIFFERENCE = 20
#: The most changed lines of one field that a plan shows.
_MAX_DIFF_LINES_PER_FIELD = 8
#: The most lines of what is left alone.
_MAX_LEFT_ALONE_LINES = 20


def read_plans_if_needed(
    jobs: JobsByWorkspace, *, skips_confirmation: bool
) -> dict[str, sync.PushPlan]:
    """Return the plan of each job, by the names of their workspaces.

    The plan of a workspace that cannot be read is empty: the job reports the error. A script that
    says yes, and names no keys, needs no plans: there are none then.

    Raises:
        UnknownTicket: A key that was named is unknown.
    """
    named = any(isinstance(job, sync.PushJob) and job.keys for job in jobs.values())
    if skips_confirmation and not named and not can_ask_user():
        return {}
    return {name: _plan_from_files_or_empty(job) for name, job in jobs.items()}


def _plan_from_files_or_empty(job: sync.PushJob | sync.SyncJob) -> sync.PushPlan:
    """Return the plan of a job; an empty one if it cannot be read."""
    keys, prefer = (job.keys, None) if isinstance(job, sync.PushJob) else (None, job.prefer)
    store = open_store_requiring_owner_mark(job.root)
    try:
        return sync.read_push_plan(
            store, keys, project=job.project, prefer=prefer, inherit=job.inherit
        )
    except sync.UnknownTicket:
        raise
    except TicketrError:
        return sync.PushPlan()


def confirm_or_exit(jobs: Mapping[str, J], plans: Mapping[str, sync.PushPlan]) -> dict[str, J]:
    """Ask before issues are written; without a terminal, refuse more than 20 writes.

    Args:
        jobs: The jobs that are about to run, by the names of their workspaces.
        plans: The plan of each job.

    Returns:
        The jobs. Where the user was asked, they send only what is in their plans.

    Raises:
        Unconfirmed: No terminal is there to ask in.
        click.exceptions.Exit: The answer was no.
        click.Abort: Ctrl+C was the answer.
    """
    writes = sum(len(plan.entries) for plan in plans.values())
    what = f"{writes} ticket{'' if writes == 1 else 's'}"
    site = " and ".join(dict.fromkeys(job.workspace_site for job in jobs.values()))
    if not can_ask_user():
        refuse_many_or_delete(writes, f"create or change {what}", site, _DRY_RUN_COMMAND)
        return dict(jobs)
    for name, plan in plans.items():
        _print_plan(name, plan)
    if writes and not confirm(f"Create or change {what} in {site}?"):
        echo(NOTHING_SENT_MESSAGE, err=True)
        click.get_current_context().exit(exits.DONE)
    return {name: replace(job, confirmed=plans[name]) for name, job in jobs.items()}


def refuse_many_writes(job: sync.SyncJob) -> None:
    """Refuse a job that nobody watches if it would write more than 20 issues.

    Raises:
        Unconfirmed: It would.
    """
    writes = len(_plan_from_files_or_empty(job).entries)
    what = f"create or change {writes} tickets"
    refuse_many_or_delete(writes, what, job.workspace_site, _DRY_RUN_COMMAND)


def _print_plan(name: str, plan: sync.PushPlan) -> None:
    """Print a plan on standard error; of many entries, only what becomes of each."""
    if name and (plan.entries or plan.left_alone):
        print_messages(f"{name}:")
    if len(plan.entries) > CONFIRM_ABOVE_WRITES:
        print_messages(*map(entry_heading, plan.entries))
        print_messages(f"{_DRY_RUN_COMMAND} shows each of them in full")
    else:
        print_messages(*(line for entry in plan.entries for line in plan_lines(entry)))
    print_messages(*(f"would fail: {note}" for note in plan.expected_refusals))
    print_messages(*(f"warning: {note}" for note in plan.markup_sent_as_text))
    print_messages(*left_alone_lines(plan.left_alone))


def ask_and_accept_losses(
    jobs: Mapping[str, J], plans: Mapping[str, sync.PushPlan], *, accept_loss: bool
) -> dict[str, J]:
    """Return jobs with the losses that they may cause; in a terminal, ask about known losses.

    If there is no terminal or the answer is no, the jobs refuse such edits and send the rest.

    Args:
        jobs: The jobs that are about to run, by the names of their workspaces.
        plans: The plan of each job.
        accept_loss: Whether the option was given.

    Raises:
        click.Abort: Ctrl+C was the answer.
    """
    if accept_loss or not can_ask_user():
        return {name: replace(job, accept_loss=accept_loss) for name, job in jobs.items()}
    lost = frozenset(loss for plan in plans.values() for loss in plan.losses)
    if not lost:
        return dict(jobs)
    print_messages(
        *loss_lines(sorted(lost, key=lambda loss: (loss.path, loss.key, loss.line, loss.what)))
    )
    only_links = all(loss.is_link for loss in lost)
    what = "remove these links" if only_links else "lose that"
    if not confirm(f"Send these edits, and {what} in Jira?"):
        return dict(jobs)
    return {name: replace(job, accept_loss=lost) for name, job in jobs.items()}


def print_dry_run(result: sync.PushResult, plans: Iterable[sync.PushPlan]) -> None:
    """Print what a push without ``--dry-run`` would send, and what it would skip."""
    for entry in result.planned:
        for line in plan_lines(entry):
            echo(line)
    skipped = {sync.Code.NOT_NAMED_BY_USER, sync.Code.NOT_FOUND}
    for plan in plans:
        print_messages(
            *left_alone_lines([note for note in plan.left_alone if note.code in skipped])
        )


def plan_lines(entry: sync.PlanEntry) -> list[str]:
    """Return what would be sent of one issue.

    Returns:
        Lines, not cleaned yet.
    """
    lines = [entry_heading(entry)]
    for change in entry.changes:
        name, old, new = change.name, change.old_with_newlines, change.new_with_newlines
        if not entry.key:
            lines.append(f"    {name}: {_excerpt(' '.join(new.split()), 0)}")
        elif name == "Status" and entry.route:
            lines.append(f"    {name}: {entry.route}")
        elif "\n" in old + new or max(len(old), len(new)) > _MAX_EXCERPT_LENGTH:
            lines += (f"    {name}:", *(f"        {line}" for line in _diff_excerpts(old, new)))
        else:
            lines.append(f"    {name}: {old or '(empty)'} -> {new or '(empty)'}")
    return lines


def entry_heading(entry: sync.PlanEntry) -> str:
    """Return what would become of one issue, in a line that is not cleaned yet."""
    name = f"{entry.key} {entry.title}" if entry.key else entry.title
    return f"{entry.action} {name} ({entry.path})"


def left_alone_lines(left: Sequence[sync.Note]) -> list[str]:
    """Return what a push would leave alone and why, a line for each; not cleaned yet.

    Tickets that were not named are only counted.
    """
    listed = [note for note in left if note.code is not sync.Code.NOT_NAMED_BY_USER]
    lines = [f"left alone: {note}" for note in listed[:_MAX_LEFT_ALONE_LINES]]
    if len(listed) > _MAX_LEFT_ALONE_LINES:
        lines.append(
            f"... and {len(listed) - _MAX_LEFT_ALONE_LINES} more; ticketr status lists them all"
        )
    if unnamed := len(left) - len(listed):
        lines.append(
            f"left alone: {unnamed} more that {'were' if unnamed > 1 else 'was'} not named"
        )
    return lines


def _diff_excerpts(old: str, new: str) -> list[str]:
    """Return the lines that differ, at most `_MAX_DIFF_LINES_PER_FIELD` of them."""
    texts: list[str] = []
    before, after = old.split("\n"), new.split("\n")
    for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            continue
        for old_line, new_line in zip_longest(before[a:b], after[c:d], fillvalue=""):
            start = common_prefix_length(old_line, new_line)
            for sign, line in (("-", old_line), ("+", new_line)):
                if line.strip():
                    texts.append(f"{sign} {_excerpt(line, start)}")
    if not texts:
        return ["(blank lines)"]
    more = len(texts) - _MAX_DIFF_LINES_PER_FIELD
    rest = [f"... and {more} more lines; ticketr diff shows them all"] if more > 0 else []
    return [*texts[:_MAX_DIFF_LINES_PER_FIELD], *rest]


def _excerpt(line: str, position: int) -> str:
    """Return the part of a line around a position, at most `_MAX_EXCERPT_LENGTH` characters."""
    start = max(0, min(position - _CHARACTERS_BEFORE_DIFFERENCE, len(line) - _MAX_EXCERPT_LENGTH))
    end = start + _MAX_EXCERPT_LENGTH
    return f"{'...' if start else ''}{line[start:end]}{'...' if end < len(line) else ''}"
