"""Taking issues through the workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from ticketr.sandbox.api.describe import Describer
from ticketr.sandbox.api.drafts import read_step
from ticketr.sandbox.api.interface import no_content
from ticketr.sandbox.api.issues import existing
from ticketr.sandbox.api.payload import INVALID, read_flag, read_list, read_object
from ticketr.sandbox.api.refusals import Invalid
from ticketr.sandbox.api.screens import TRANSITION_SCREEN
from ticketr.sandbox.data.workflow import WORKFLOW, Transition, leaving
from ticketr.sandbox.errors import Refused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ticketr.sandbox.api.interface import Interface
    from ticketr.sandbox.data.model import Issue
    from ticketr.sandbox.data.site import Site

_MISSING: Final = "Missing 'transition' identifier"


def take_step(site: Site, version: str, issue: Issue, body: dict[str, Any]) -> None:
    """Take an issue to another status as a request says.

    Raises:
        Invalid: The workflow does not allow it, or a field does not.
    """
    asked = body.get("transition")
    if asked is not None and not isinstance(asked, dict):
        raise Refused(400, INVALID)
    name = (asked or {}).get("id")
    if name is None:
        raise Invalid({}, [_MISSING])
    for step in leaving(issue.status):
        if str(step.id) == str(name):
            on_screen = TRANSITION_SCREEN if step.has_screen else {}
            values = read_step(site, version, issue, body, on_screen)
            site.transition(issue.key, step.to, **values)
            return
    raise Invalid({}, [f"Transition id '{str(name)[:50]}' is not valid for this issue."])


class StepRoutes:
    """The transitions of one version of the interface."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface

    def routes(self, prefix: str) -> list[Route]:
        """List the routes below ``prefix``."""
        path = f"{prefix}/issue/{{id_or_key}}/transitions"
        return [
            Route(path, self._list, methods=["GET"]),
            Route(path, self._take, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        issue, query = existing(self._interface.site, request), request.query_params
        steps = leaving(issue.status)
        if read_flag(query, "includeUnavailableTransitions"):
            steps = WORKFLOW
        if wanted := query.get("transitionId"):
            steps = tuple(step for step in steps if str(step.id) == wanted)
        with_fields = "transitions.fields" in read_list(query, "expand")
        described = [
            self._describe(request, issue, step, with_fields=with_fields) for step in steps
        ]
        return self._interface.answer({"expand": "transitions", "transitions": described})

    def _describe(
        self, request: Request, issue: Issue, step: Transition, *, with_fields: bool
    ) -> dict[str, Any]:
        records = self._interface.view(request).records
        described: dict[str, Any] = {
            "id": str(step.id),
            "name": step.name,
            "to": records.status(step.to),
            "hasScreen": step.has_screen,
            "isGlobal": False,
            "isInitial": False,
            "isAvailable": step.source.id == issue.status.id,
            "isConditional": False,
            "looped": False,
        }
        if with_fields:
            describer = Describer(records, self._interface.site, issue.project)
            described["fields"] = {
                name: describer.field(writable)
                for name, writable in (TRANSITION_SCREEN if step.has_screen else {}).items()
            }
        return described

    async def _take(self, request: Request) -> Response:
        body = await read_object(request)
        issue = existing(self._interface.site, request)
        take_step(self._interface.site, self._interface.version, issue, body)
        return no_content()
