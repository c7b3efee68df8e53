"""Takes issues from one status to another, which Jira does by transitions alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira import AuthenticationFailed, BadRequest, JiraError, certainly_failed

if TYPE_CHECKING:
    from ticketr.jira import Issue, JiraClient, Transition


class NoTransition(Exception):
    """No transition of an issue leads to the status that its file says."""


async def change_status(
    jira: JiraClient, key: str, status: str, *, way: Transition | None = None
) -> None:
    """Take an issue to a status by one transition.

    Args:
        jira: The site.
        key: The issue.
        status: The status, in any letters.
        way: The transition, where it was asked for before; None to ask for it now.

    Raises:
        NoWay: No transition leads there from where it is.
        JiraError: Jira refused, or could not be asked.

    Cancellation:
        Takes effect at once; the transition may have been taken all the same.
    """
    if way is not None:
        try:
            await _take(jira, key, way)
        except BadRequest:  # somebody may have taken it elsewhere since that way was asked for
            if (await status_now(jira, key)).casefold() == status.casefold():
                return
        else:
            return
    await _take(jira, key, await find_transition(jira, key, status))


async def find_transition(jira: JiraClient, key: str, status: str) -> Transition:
    """Ask for the transition that leads to a status.

    Args:
        jira: The site.
        key: The issue.
        status: The status, in any letters.

    Raises:
        NoWay: No transition leads there from where it is.
        JiraError: Jira refused, or could not be asked.
    """
    transitions = await jira.transitions(key)
    wanted = status.casefold()
    way = next((each for each in transitions if each.to.casefold() == wanted), None)
    if way is None:
        reachable = ", ".join(dict.fromkeys(each.to for each in transitions if each.to))
        raise NoTransition(
            f'no transition leads to "{status}" from where it is; '
            f"{f'those that can be reached: {reachable}' if reachable else 'none can be reached'}"
        )
    return way


async def _take(jira: JiraClient, key: str, way: Transition) -> None:
    failure: JiraError | None = None
    try:
        await jira.transition_issue(key, way.id)
    except JiraError as error:
        failure = error
    if failure is None:
        return
    if certainly_failed(failure, ()) or isinstance(failure, AuthenticationFailed):
        raise failure
    if await status_now(jira, key) != way.to:  # else it was taken all the same
        raise failure


async def status_now(jira: JiraClient, key: str) -> str:
    """Ask for the status of an issue; empty where Jira does not tell.

    Args:
        jira: The site.
        key: The issue.
    """
    answer = await jira.bulk_fetch([key], fields=["status"])
    found = (*answer.issues, *answer.renamed)
    return status_of(found[0]) if found else ""


def status_of(issue: Issue) -> str:
    """Give the name of an issue's status; empty where Jira does not tell."""
    status = issue.fields.get("status")
    name = status.get("name") if isinstance(status, dict) else None
    return name if isinstance(name, str) else ""
