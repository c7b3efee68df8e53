"""A transport whose connections break."""

from __future__ import annotations

from fakes.jira_app import ScriptedApp

from ticketr.app.jira import JiraError
from ticketr.app.jira.transport import Request, Response
from ticketr.app.jira.transport._httpx import HttpxTransport


class Breaking(HttpxTransport):
    """Raises errors one after the other, then works.

    ``after`` lets the site carry the request out before its answer is lost.
    """

    def __init__(self, app: ScriptedApp, *errors: JiraError, after: bool = False) -> None:
        super().__init__(app=app)
        self._errors = list(errors)
        self._after = after
        self.sent = 0

    async def send(self, request: Request) -> Response:
        self.sent += 1
        error = self._errors.pop(0) if self._errors else None
        if error is not None and not self._after:
            raise error
        response = await super().send(request)
        if error is not None:
            raise error
        return response
