"""Shows what a push or sync would write, and asks before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import click

from ticketr._errors import TicketrError
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo
from ticketr.app.config import CONFIRM_ABOVE
from ticketr.app.sync import PushJob, PushPlan, UnknownTicket, read_push_plan, read_state

if TYPE_CHECKING:
    from ticketr.app.sync import SyncJob

J = TypeVar("J", "PushJob", "SyncJob")

#: The error in JSON of many writes that were not confirmed.
UNCONFIRMED = "Unconfirmed"
#: The message after the answer no.
NOTHING_SENT = "Nothing was sent."


def read_plans(
    jobs: Mapping[str, PushJob] | Mapping[str, SyncJob], *, yes: bool
) -> dict[str, PushPlan]:
    """Return the plan of each job, by the names of their workspaces.

    The plan of a workspace that cannot be read is empty: the job reports the error. A script that
    says yes, and names no keys, needs no plans: there are none then.

    Raises:
        click.UsageError: A key that was named is unknown.
    """
    from ticketr.app.cli.settings import is_interactive

    named = any(isinstance(job, PushJob) and job.keys for job in jobs.values())
    if yes and not named and not is_interactive():
        return {}
    return {name: read_plan(job) for name, job in jobs.items()}


def read_plan(job: PushJob | SyncJob) -> PushPlan:
    """Return the plan of a job; an empty one if it cannot be read.

    Raises:
        click.UsageError: A key that was named is unknown.
    """
    from ticketr.app.cli.ownership import open_store

    keys, prefer = (job.keys, None) if isinstance(job, PushJob) else (None, job.prefer)
    store = open_store(job.root)
    try:
        with read_state(store) as state:
            return read_push_plan(
                store, state, keys, project=job.project, prefer=prefer, inherit=job.inherit
            )
    except UnknownTicket as error:
        raise click.UsageError(str(error)) from error
    except TicketrError:
        return PushPlan()


def confirm_plans(
    jobs: Mapping[str, J],
    plans: Mapping[str, PushPlan],
    *,
    as_json: bool,
    others: Mapping[str, dict[str, object]],
) -> dict[str, J]:
    """Ask before issues are written; without a terminal, refuse more than 20 writes.

    Args:
        jobs: The jobs that are about to run, by the names of their workspaces.
        plans: The plan of each job.
        as_json: Whether to print an unconfirmed start as JSON, too.
        others: The JSON objects of workspaces whose jobs could not start.

    Returns:
        The jobs. Where the user was asked, they send only what is in their plans.

    Raises:
        click.UsageError: No terminal is there to ask in.
        click.exceptions.Exit: The answer was no.
        click.Abort: Ctrl+C was the answer.
    """
    from ticketr.app.cli.console import confirm
    from ticketr.app.cli.settings import is_interactive

    writes = sum(len(plan.entries) for plan in plans.values())
    what = f"{writes} ticket{'' if writes == 1 else 's'}"
    site = " and ".join(dict.fromkeys(job.site for job in jobs.values()))
    if not is_interactive():
        if writes <= CONFIRM_ABOVE:
            return dict(jobs)
        reason = (
            f"this would create or change {what} in {site}; look at them with "
            "--dry-run, and say --yes if that is what you want"
        )
        if as_json:
            _print_not_started(jobs, reason, UNCONFIRMED, others)
        raise click.UsageError(reason)
    for name, plan in plans.items():
        _show_plan(name, plan)
    if writes and not confirm(f"Create or change {what} in {site}?"):
        if as_json:
            _print_not_started(jobs, NOTHING_SENT, None, others)
        echo(NOTHING_SENT, err=True)
        click.get_current_context().exit(exits.DONE)
    return {name: replace(job, confirmed=plans[name]) for name, job in jobs.items()}


def _show_plan(name: str, plan: PushPlan) -> None:
    """Print a plan on standard error; of many entries, only what becomes of each."""
    from ticketr.app.cli.job_runner import print_messages
    from ticketr.app.cli.plans import heading, left_lines, plan_lines

    print_messages([f"{name}:"] if name and (plan.entries or plan.left) else [])
    if len(plan.entries) > CONFIRM_ABOVE:
        print_messages(map(heading, plan.entries))
        print_messages(["ticketr push --dry-run shows each of them in full"])
    else:
        print_messages(line for entry in plan.entries for line in plan_lines(entry))
    print_messages(
        f"warning: {literal.key or literal.title} ({literal.path}): {literal.reason}"
        for literal in plan.literals
    )
    print_messages(left_lines(plan.left))


def _print_not_started(
    jobs: Mapping[str, PushJob] | Mapping[str, SyncJob],
    message: str,
    error: str | None,
    others: Mapping[str, dict[str, object]],
) -> None:
    from ticketr.app.cli.job_runner import not_started_as_json, print_all_json

    objects = {
        name: not_started_as_json(job.root, job.so_far(), message, error)
        for name, job in jobs.items()
    }
    print_all_json({**objects, **others})
