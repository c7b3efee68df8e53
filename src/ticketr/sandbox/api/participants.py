"""Routes for the people around an issue: its assignee, its watchers and its voters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.api.input_errors import InvalidInput, InvalidValue
from ticketr.sandbox.api.interface import RouteGroup, no_content
from ticketr.sandbox.api.issues import require_issue
from ticketr.sandbox.api.payload import INVALID, read_json, read_object
from ticketr.sandbox.api.values import read_user
from ticketr.sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ticketr.sandbox.data.model import User

#: An account ID that asks Jira to choose the user.
_AUTOMATIC: Final = "-1"
_OWN: Final = "You cannot vote for an issue you have reported."
_RESOLVED: Final = "You cannot vote on a resolved issue."


class ParticipantRoutes(RouteGroup):
    """The routes for people in one version of the interface."""

    async def assign(self, request: Request) -> Response:
        """Assign an issue; no account unassigns it."""
        body = await read_object(request)
        site = self._interface.site
        issue = require_issue(site, request)
        if body.get("accountId") == _AUTOMATIC or body.get("name") == _AUTOMATIC:
            body = {"accountId": None}
        context = self._interface.context(issue)
        try:
            user = None if body.get("name", 0) is None else read_user(context, body)
        except InvalidValue as error:
            raise InvalidInput({"assignee": error.text}) from error
        site.edit(issue.key, assignee=user)
        return no_content()

    async def watchers(self, request: Request) -> Response:
        """List the watchers."""
        issue, view = require_issue(self._interface.site, request), self._interface.view(request)
        watching = issue.watching
        return self._interface.answer(
            {
                "self": f"{view.records.api}/issue/{issue.key}/watchers",
                "isWatching": self._interface.site.user in watching,
                "watchCount": len(watching),
                "watchers": [view.records.user(user) for user in watching],
            }
        )

    async def watch(self, request: Request) -> Response:
        """Add a watcher; the body is the account ID, or empty for the user who is signed in."""
        account = await read_json(request) if await request.body() else None
        issue = require_issue(self._interface.site, request)
        user = self._user(account)
        if user not in issue.watching:
            self._interface.site.touch(issue, watchers=(*issue.watching, user))
        return no_content()

    async def unwatch(self, request: Request) -> Response:
        """Remove a watcher."""
        issue, query = require_issue(self._interface.site, request), request.query_params
        user = self._user(query.get("accountId", query.get("username")))
        others = tuple(watcher for watcher in issue.watching if watcher != user)
        self._interface.site.touch(issue, watchers=others)
        return no_content()

    async def votes(self, request: Request) -> Response:
        """List the voters."""
        issue, view = require_issue(self._interface.site, request), self._interface.view(request)
        return self._interface.answer(
            {
                "self": f"{view.records.api}/issue/{issue.key}/votes",
                "votes": len(issue.voters),
                "hasVoted": self._interface.site.user in issue.voters,
                "voters": [view.records.user(user) for user in issue.voters],
            }
        )

    async def vote(self, request: Request) -> Response:
        """Vote for an issue."""
        site = self._interface.site
        issue = require_issue(site, request)
        if issue.reporter == site.user:
            raise RequestRefused(404, _OWN)
        if issue.resolved is not None:
            raise RequestRefused(404, _RESOLVED)
        if site.user not in issue.voters:
            site.touch(issue, voters=(*issue.voters, site.user))
        return no_content()

    async def take_back(self, request: Request) -> Response:
        """Take the vote back."""
        site = self._interface.site
        issue = require_issue(site, request)
        if site.user not in issue.voters:
            raise RequestRefused(404, "You have not voted for this issue.")
        site.touch(issue, voters=tuple(user for user in issue.voters if user != site.user))
        return no_content()

    def _user(self, account: Any) -> User:
        if account is None:
            return self._interface.site.user
        if not isinstance(account, str):
            raise RequestRefused(400, INVALID)
        for user in self._interface.site.users:
            if user.account_id == account:
                return user
        raise RequestRefused(404, f"The user '{account[:128]}' does not exist.")
