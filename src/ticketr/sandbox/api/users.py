"""Routes that find users by the beginning of a name or an e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ticketr.sandbox.api.interface import RouteGroup
from ticketr.sandbox.api.payload import read_integer
from ticketr.sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ticketr.sandbox.data.model import User

_DEFAULT_PAGE: Final = 50
_BIGGEST_PAGE: Final = 1000


class UserRoutes(RouteGroup):
    """The routes for users in one version of the interface."""

    async def assignable(self, request: Request) -> Response:
        """Find users for an issue or project, which must exist; every user is assignable."""
        query, site = request.query_params, self._interface.site
        issue = query.get("issueKey") or query.get("issueId")
        project = query.get("project")
        if not issue and not project:
            raise RequestRefused(400, "One of 'project', 'issueKey' and 'issueId' must be given.")
        if issue and site.find(issue) is None:
            raise RequestRefused(404, f"The issue '{issue}' does not exist.")
        if project and site.project(project) is None:
            raise RequestRefused(404, f"No project could be found with key '{project}'.")
        return await self.search(request)

    async def search(self, request: Request) -> Response:
        """Find users."""
        query = request.query_params
        text, account = query.get("query", query.get("username")), query.get("accountId")
        if (text is None) == (account is None):
            raise RequestRefused(400, "Either 'query' or 'accountId' must be given.")
        start = read_integer(query, "startAt", 0)
        size = read_integer(query, "maxResults", _DEFAULT_PAGE)
        if start < 0 or size < 0:
            raise RequestRefused(400, "'startAt' and 'maxResults' must not be negative.")
        found = [
            user
            for user in self._interface.site.users
            if (user.account_id == account if text is None else _begins(user, text))
        ]
        records = self._interface.view(request).records
        page = found[start : start + min(size, _BIGGEST_PAGE)]
        return self._interface.answer([records.user(user) for user in page])


def _begins(user: User, text: str) -> bool:
    """Return whether the name, a word of it, or the e-mail address begins with a text."""
    wanted = text.strip().casefold()
    name = user.name.casefold()
    return any(part.startswith(wanted) for part in (name, *name.split(), user.email.casefold()))
