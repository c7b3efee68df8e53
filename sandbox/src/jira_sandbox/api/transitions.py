"""Routes that list and perform transitions of the workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.expansions import describe_transition
from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issue_input import read_transition
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.payload import INVALID, read_flag, read_list, read_object
from jira_sandbox.api.screens import TRANSITION_SCREEN
from jira_sandbox.data.workflow import transitions_from, workflow_of
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site

_MISSING: Final = "Missing 'transition' identifier"


def perform_transition(site: Site, version: str, issue: Issue, body: dict[str, Any]) -> None:
    """Perform the transition that a request's body names.

    Raises:
        InvalidInput: The workflow does not allow the transition, or a field is invalid.
    """
    asked = body.get("transition")
    if isinstance(asked, str):  # the form of old versions, which some clients still send
        asked = {"id": asked}
    if asked is not None and not isinstance(asked, dict):
        raise RequestRefused(400, INVALID)
    name = (asked or {}).get("id")
    if name is None:
        raise InvalidInput({}, [_MISSING])
    for transition in transitions_from(issue):
        if str(transition.id) == str(name):
            on_screen = TRANSITION_SCREEN if transition.has_screen else {}
            values, actions = read_transition(site, version, issue, body, on_screen)
            site.transition(issue.key, transition.to, **values)
            actions.perform(site, issue.key)
            return
    raise InvalidInput({}, [f"Transition id '{str(name)[:50]}' is not valid for this issue."])


class TransitionRoutes(RouteGroup):
    """The routes for transitions in one version of the interface."""

    async def list_all(self, request: Request) -> JsonObject:
        """List the transitions that are possible."""
        issue, query = require_issue(self._site, request), request.query_params
        transitions = transitions_from(issue)
        if read_flag(query, "includeUnavailableTransitions"):
            transitions = workflow_of(issue.project)
        if wanted := query.get("transitionId"):
            transitions = tuple(
                transition for transition in transitions if str(transition.id) == wanted
            )
        with_fields = "transitions.fields" in read_list(query, "expand")
        records = self._records(request)
        described = [
            describe_transition(self._site, records, issue, transition, with_fields=with_fields)
            for transition in transitions
        ]
        return {"expand": "transitions", "transitions": described}

    async def take(self, request: Request) -> None:
        """Perform a transition."""
        body = await read_object(request)
        issue = require_issue(self._site, request)
        perform_transition(self._site, self._interface.version, issue, body)
