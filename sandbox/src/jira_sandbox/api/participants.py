"""Routes for the people around an issue: its assignee, its watchers and its voters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.input_errors import InvalidInput, InvalidValue
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.payload import INVALID, read_json, read_object
from jira_sandbox.api.values import read_user
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import User

#: An account ID that asks Jira to choose the user.
_AUTOMATIC: Final = "-1"
_OWN_ISSUE: Final = "You cannot vote for an issue you have reported."
_RESOLVED: Final = "You cannot vote on a resolved issue."


class ParticipantRoutes(RouteGroup):
    """The routes for people in one version of the interface."""

    async def assign(self, request: Request) -> None:
        """Assign an issue; no account unassigns it."""
        body = await read_object(request)
        issue = require_issue(self._site, request)
        if body.get("accountId") == _AUTOMATIC or body.get("name") == _AUTOMATIC:
            body = {"accountId": None}
        context = self._interface.context(issue)
        try:
            user = None if body.get("name", 0) is None else read_user(context, body)
        except InvalidValue as error:
            raise InvalidInput({"assignee": error.text}) from error
        self._site.edit(issue.key, assignee=user)

    async def watchers(self, request: Request) -> JsonObject:
        """List the watchers."""
        issue, view = require_issue(self._site, request), self._interface.view(request)
        watching = issue.watching
        return {
            "self": f"{view.records.api}/issue/{issue.key}/watchers",
            "isWatching": self._site.user in watching,
            "watchCount": len(watching),
            "watchers": [view.records.user(user) for user in watching],
        }

    async def watch(self, request: Request) -> None:
        """Add a watcher; the body is the account ID, or empty for the user who is signed in."""
        account = await read_json(request) if await request.body() else None
        issue = require_issue(self._site, request)
        user = self._user(account)
        if user not in issue.watching:
            self._site.touch(issue, watchers=(*issue.watching, user))

    async def unwatch(self, request: Request) -> None:
        """Remove a watcher."""
        issue, query = require_issue(self._site, request), request.query_params
        user = self._user(query.get("accountId", query.get("username")))
        others = tuple(watcher for watcher in issue.watching if watcher != user)
        self._site.touch(issue, watchers=others)

    async def votes(self, request: Request) -> JsonObject:
        """List the voters."""
        issue, view = require_issue(self._site, request), self._interface.view(request)
        return {
            "self": f"{view.records.api}/issue/{issue.key}/votes",
            "votes": len(issue.voters),
            "hasVoted": self._site.user in issue.voters,
            "voters": [view.records.user(user) for user in issue.voters],
        }

    async def vote(self, request: Request) -> None:
        """Vote for an issue."""
        issue = require_issue(self._site, request)
        if issue.reporter == self._site.user:
            raise RequestRefused(404, _OWN_ISSUE)
        if issue.resolved is not None:
            raise RequestRefused(404, _RESOLVED)
        if self._site.user not in issue.voters:
            self._site.touch(issue, voters=(*issue.voters, self._site.user))

    async def take_back(self, request: Request) -> None:
        """Take the vote back."""
        site = self._site
        issue = require_issue(site, request)
        if site.user not in issue.voters:
            raise RequestRefused(404, "You have not voted for this issue.")
        site.touch(issue, voters=tuple(user for user in issue.voters if user != site.user))

    def _user(self, account: Any) -> User:
        if account is None:
            return self._site.user
        if not isinstance(account, str):
            raise RequestRefused(400, INVALID)
        for user in self._site.users:
            if user.account_id == account:
                return user
        raise RequestRefused(404, f"The user '{account[:128]}' does not exist.")
