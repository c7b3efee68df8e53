"""Changes the status of issues by transitions; Jira allows no other way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira import AuthenticationFailed, BadRequest, JiraError, certainly_failed

if TYPE_CHECKING:
    from ticketr.jira import Issue, JiraClient, Transition


class NoTransition(Exception):
    """Raised when no transition of an issue leads to the status in its file."""


async def change_status(
    jira: JiraClient, key: str, status: str, *, transition: Transition | None = None
) -> None:
    """Move an issue to a status by one transition.

    Args:
        jira: The site.
        key: The issue's key.
        status: The name of the status, in any case of letters.
        transition: The transition, if it is known already; None fetches it.

    Raises:
        NoTransition: No transition leads there from the issue's present status.
        JiraError: A request failed.

    Cancellation:
        Takes effect at once; the transition may have happened.
    """
    if transition is not None:
        try:
            await _perform(jira, key, transition)
        except BadRequest:  # its status may have changed since the transition was fetched
            if (await status_now(jira, key)).casefold() == status.casefold():
                return
        else:
            return
    await _perform(jira, key, await find_transition(jira, key, status))


async def find_transition(jira: JiraClient, key: str, status: str) -> Transition:
    """Fetch the transition of an issue that leads to a status.

    Raises:
        NoTransition: No transition leads there from the issue's present status.
        JiraError: A request failed.
    """
    transitions = await jira.transitions(key)
    wanted = status.casefold()
    transition = next((each for each in transitions if each.to.casefold() == wanted), None)
    if transition is None:
        reachable = ", ".join(dict.fromkeys(each.to for each in transitions if each.to))
        raise NoTransition(
            f'no transition leads to "{status}" from where it is; '
            f"{f'those that can be reached: {reachable}' if reachable else 'none can be reached'}"
        )
    return transition


async def _perform(jira: JiraClient, key: str, transition: Transition) -> None:
    """Perform a transition; if its answer is lost, find out whether it happened."""
    try:
        await jira.transition_issue(key, transition.id)
    except JiraError as error:
        if certainly_failed(error, ()) or isinstance(error, AuthenticationFailed):
            raise
        if await status_now(jira, key) != transition.to:  # noqa: ASYNC120 - a cancellation wins
            raise


async def status_now(jira: JiraClient, key: str) -> str:
    """Fetch the name of an issue's status; return an empty name if Jira has none."""
    answer = await jira.bulk_fetch([key], fields=["status"])
    found = (*answer.issues, *answer.renamed)
    return status_of(found[0]) if found else ""


def status_of(issue: Issue) -> str:
    """Return the name of a fetched issue's status; an empty name if it has none."""
    status = issue.fields.get("status")
    name = status.get("name") if isinstance(status, dict) else None
    return name if isinstance(name, str) else ""
