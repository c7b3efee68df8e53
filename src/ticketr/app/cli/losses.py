"""Asks before a push removes content in Jira that files cannot express."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from ticketr.app.sync import Loss, PushJob, PushPlan, SyncJob

P = ParamSpec("P")
R = TypeVar("R")
J = TypeVar("J", "PushJob", "SyncJob")


def accept_loss_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add the option ``--accept-loss`` to a command."""
    return click.option(
        "--accept-loss",
        is_flag=True,
        help="Send edits that remove from Jira what a file cannot hold.",
    )(command)


def with_accepted_losses(
    jobs: Mapping[str, J], plans: Mapping[str, PushPlan], *, accept_loss: bool
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
    from ticketr.app.cli.console import confirm
    from ticketr.app.cli.job_runner import print_messages
    from ticketr.app.cli.settings import is_interactive

    if accept_loss or not is_interactive():
        return {name: replace(job, accept_loss=accept_loss) for name, job in jobs.items()}
    lost = frozenset(loss for plan in plans.values() for loss in plan.losses)
    if not lost:
        return dict(jobs)
    print_messages(
        loss_lines(sorted(lost, key=lambda loss: (loss.path, loss.key, loss.line, loss.what)))
    )
    only_links = all(loss.is_link for loss in lost)
    what = "remove these links" if only_links else "lose that"
    if not confirm(f"Send these edits, and {what} in Jira?"):
        return dict(jobs)
    return {name: replace(job, accept_loss=lost) for name, job in jobs.items()}


def loss_lines(lost: Iterable[Loss]) -> list[str]:
    """Return what a push would lose, a line for each issue, and one for the links it removes."""
    by_issue: dict[tuple[str, str, str], list[str]] = {}
    for loss in lost:
        verb = "remove" if loss.is_link else "lose"
        by_issue.setdefault((loss.key, loss.path, verb), []).append(
            f"{loss.words} (line {loss.line})" if loss.line else loss.words
        )
    return [
        f"{key} ({path}): a push would {verb} {', '.join(what)} in Jira"
        for (key, path, verb), what in by_issue.items()
    ]
