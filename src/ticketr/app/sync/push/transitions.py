"""Changes the status of issues by transitions; Jira allows no other way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.app.config.checks import nearest
from ticketr.app.jira import AuthenticationFailed, BadRequest, JiraError, certainly_failed
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.concurrency import MAX_JIRA_WRITE_TRIES, is_short_rate_limit

if TYPE_CHECKING:
    from ticketr.app.jira import Issue, JiraClient, Transition


class NoTransition(Exception):
    """Raised when no transition of an issue leads to the status in its file."""


class StoppedBetween(Exception):
    """Raised when an issue is on its way to a status, and a further transition fails.

    Attributes:
        reached: The status in which the issue is now.
        status: The status to which it was to be moved.
        cause: The error of that transition.
    """

    def __init__(self, reached: str, status: str, cause: JiraError | NoTransition) -> None:
        super().__init__(reached)
        self.reached, self.status, self.cause = reached, status, cause


@dataclass(frozen=True, slots=True)
class Step:
    """One transition on the way to a status.

    Attributes:
        transition: The transition.
        fields: The values that are sent with it, by the IDs of their fields.
    """

    transition: Transition
    fields: Mapping[str, object] = field(default_factory=dict)


async def follow_route(jira: JiraClient, key: str, status: str, route: Sequence[Step]) -> None:
    """Move an issue to a status by one or more transitions.

    Args:
        jira: The site.
        key: The issue's key.
        status: The name of the status, in any case of letters.
        route: The transitions to it; none to take the one that leads there.

    Raises:
        NoTransition: The first transition is not possible, and no other one leads there.
        StoppedBetween: A further transition failed.
        JiraError: A request failed before the issue had moved, or the login is refused.

    Cancellation:
        Takes effect at once. The issue may be in any status of the route.
    """
    reached = ""
    for step in route:
        # The ID of a further transition comes from another issue, so it is fetched again.
        known = None if reached else step.transition
        to = step.transition.to_status if step is not route[-1] else status
        try:
            await _move_by_given_or_fetched(jira, key, to, known, step.fields)
        except AuthenticationFailed:
            raise
        except (JiraError, NoTransition) as error:
            if not reached:
                raise
            raise StoppedBetween(reached, status, error) from error
        reached = step.transition.to_status
    if not route:
        await _move_by_given_or_fetched(jira, key, status, None, {})


async def _move_by_given_or_fetched(
    jira: JiraClient,
    key: str,
    status: str,
    transition: Transition | None,
    fields: Mapping[str, object],
) -> None:
    """Move an issue to a status by one transition, which is fetched if it is None."""
    if transition is not None:
        try:
            await _perform(jira, key, transition, fields)
        except BadRequest:  # its status may have changed since the transition was fetched
            if not fields and (await fetch_status(jira, key)).casefold() == status.casefold():
                return
        else:
            return
    transitions = await jira.transitions(key, with_fields=bool(fields))
    await _perform(jira, key, transition_to(status, transitions, fields), fields)


def transition_to(
    status: str, transitions: Iterable[Transition], fields_to_set: Iterable[str] = ()
) -> Transition:
    """Return the transition that leads to a status.

    If several do, it is the first of those that take the most of the ``fields_to_set``.

    Raises:
        NoTransition: None leads there.
    """
    transitions, fields = tuple(transitions), frozenset(fields_to_set)
    fitting = [
        transition
        for transition in transitions
        if transition.to_status.casefold() == status.casefold()
    ]
    if not fitting:
        raise no_transition_error(status, transitions)
    return max(
        fitting,
        key=lambda transition: len(fields.intersection(one.id for one in transition.fields)),
    )


def no_transition_error(status: str, transitions: Iterable[Transition]) -> NoTransition:
    """Return the error that lists which statuses can be reached instead."""
    names = list(
        dict.fromkeys(transition.to_status for transition in transitions if transition.to_status)
    )
    near = nearest(status, names)
    hint = f"did you mean {near}? Those" if near else "those"
    reachable = (
        f"{hint} that can be reached: {', '.join(names)}" if names else "none can be reached"
    )
    return NoTransition(f'no transition leads to "{status}" from where it is; {reachable}')


async def _perform(
    jira: JiraClient, key: str, transition: Transition, fields: Mapping[str, object]
) -> None:
    """Perform a transition; if it may have happened in spite of an error, look whether it has."""
    for remaining_tries in reversed(range(MAX_JIRA_WRITE_TRIES)):
        try:
            await jira.transition_issue(key, transition.id, fields)
        except JiraError as error:
            failure = error
        else:
            return
        if certainly_failed(failure, fields) or isinstance(failure, AuthenticationFailed):
            raise failure
        # Whoever moved it, Jira may not have the fields; then the next push sends what is missing.
        if not fields and await fetch_status(jira, key) == transition.to_status:
            return
        if not remaining_tries or not is_short_rate_limit(failure):
            raise failure


async def fetch_status(jira: JiraClient, key: str) -> str:
    """Fetch the name of an issue's status; return an empty name if Jira has none."""
    answer = await jira.bulk_fetch([key], fields=["status"])
    issues = (*answer.issues, *answer.renamed)
    return status_of(issues[0]) if issues else ""


def sent_status_value(status: str) -> SentValue:
    """Return a status as a value that was sent."""
    return SentValue("Status", status, "status", {"name": status})


def status_of(issue: Issue) -> str:
    """Return the name of a fetched issue's status; an empty name if it has none."""
    status = issue.fields.get("status")
    name = status.get("name") if isinstance(status, dict) else None
    return name if isinstance(name, str) else ""
