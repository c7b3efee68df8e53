"""Routes that find users and groups by the beginning of a name or an e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import read_integer, read_list, read_page
from jira_sandbox.data.kit import GROUPS
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import User

_BIGGEST_PAGE: Final = 1000
_MOST_PICKED: Final = 50


class UserRoutes(RouteGroup):
    """The routes for users in one version of the interface."""

    async def get(self, request: Request) -> JsonObject:
        """Describe the user with an account ID."""
        wanted = request.query_params.get("accountId", "")
        for user in self._site.users:
            if user.account_id == wanted:
                return self._records(request).user(user)
        raise RequestRefused(404, f"The user '{wanted[:128]}' does not exist.")

    async def get_many(self, request: Request) -> JsonObject:
        """Describe the users with the given account IDs, page by page."""
        wanted = set(request.query_params.getlist("accountId"))
        if not wanted:
            raise RequestRefused(400, "'accountId' must be given.")
        found = [user for user in self._site.users if user.account_id in wanted]
        describe = self._records(request).user
        return make_page(request, found, describe, default=10)

    async def assignable(self, request: Request) -> list[JsonObject]:
        """Find users for an issue or project, which must exist; every user is assignable."""
        query, site = request.query_params, self._site
        issue = query.get("issueKey") or query.get("issueId")
        project = query.get("project")
        if not issue and not project:
            raise RequestRefused(400, "One of 'project', 'issueKey' and 'issueId' must be given.")
        if issue and site.find(issue) is None:
            raise RequestRefused(404, f"The issue '{issue}' does not exist.")
        if project and site.project(project) is None:
            raise RequestRefused(404, f"No project could be found with key '{project}'.")
        return await self.search(request)

    async def assignable_in_projects(self, request: Request) -> list[JsonObject]:
        """Find users who are assignable in several projects."""
        names = read_list(request.query_params, "projectKeys")
        if not names:
            raise RequestRefused(400, "'projectKeys' must be given.")
        for name in names:
            if self._site.project(name) is None:
                raise RequestRefused(404, f"No project could be found with key '{name}'.")
        return await self.search(request)

    async def search(self, request: Request) -> list[JsonObject]:
        """Find users."""
        query = request.query_params
        text, account = query.get("query", query.get("username")), query.get("accountId")
        if (text is None) == (account is None):
            raise RequestRefused(400, "Either 'query' or 'accountId' must be given.")
        found = [
            user
            for user in self._site.users
            if (user.account_id == account if text is None else _matches(user, text))
        ]
        return self._page(request, found)

    async def list_all(self, request: Request) -> list[JsonObject]:
        """List all users."""
        return self._page(request, list(self._site.users))

    async def pick(self, request: Request) -> JsonObject:
        """Find users for a choice on the screen."""
        return self._picked_users(request)

    async def pick_groups(self, request: Request) -> JsonObject:
        """Find groups for a choice on the screen."""
        return self._picked_groups(request)

    async def groups(self, request: Request) -> JsonObject:
        """List the groups, or those with the given IDs or names, page by page."""
        query = request.query_params
        wanted = set(query.getlist("groupId")) | set(query.getlist("groupName"))
        found = [group for group in GROUPS if not wanted or wanted & {group.id, group.name}]
        return make_page(request, found, lambda group: {"name": group.name, "groupId": group.id})

    async def members(self, request: Request) -> JsonObject:
        """List the members of a group, who are all users, page by page."""
        wanted = request.query_params.get("groupId", request.query_params.get("groupname"))
        if not any(wanted in {group.id, group.name} for group in GROUPS):
            raise RequestRefused(404, f"The group '{str(wanted)[:100]}' does not exist.")
        describe = self._records(request).user
        return make_page(request, self._site.users, describe)

    async def pick_both(self, request: Request) -> JsonObject:
        """Find users and groups for a choice on the screen."""
        users, groups = self._picked_users(request), self._picked_groups(request)
        return {"users": users, "groups": groups}

    def _page(self, request: Request, found: list[User]) -> list[JsonObject]:
        page = read_page(request.query_params, default=50, most=_BIGGEST_PAGE)
        return [self._records(request).user(user) for user in page.of(found)]

    def _picked_users(self, request: Request) -> JsonObject:
        query = request.query_params
        unwanted = set(read_list(query, "exclude") + read_list(query, "excludeAccountIds"))
        text = query.get("query", "")
        found = [
            user
            for user in self._site.users
            if _begins(user, text) and user.account_id not in unwanted
        ]
        shown = found[: read_integer(query, "maxResults", _MOST_PICKED)]
        return {
            "users": [
                {
                    "accountId": user.account_id,
                    "accountType": "atlassian",
                    "displayName": user.name,
                    "html": f"<strong>{user.name}</strong>",
                }
                for user in shown
            ],
            "total": len(found),
            "header": f"Showing {len(shown)} of {len(found)} matching users",
        }

    def _picked_groups(self, request: Request) -> JsonObject:
        text = request.query_params.get("query", "").lower()
        found = [group for group in GROUPS if text in group.name]
        groups: list[dict[str, Any]] = [
            {"name": group.name, "groupId": group.id, "html": group.name, "labels": []}
            for group in found
        ]
        header = f"Showing {len(found)} of {len(found)} matching groups"
        return {"groups": groups, "total": len(found), "header": header}


def _begins(user: User, text: str) -> bool:
    """Return whether the name, a word of it, or the e-mail address begins with a text."""
    wanted = text.strip().casefold()
    name = user.name.casefold()
    return any(part.startswith(wanted) for part in (name, *name.split(), user.email.casefold()))


def _matches(user: User, text: str) -> bool:
    """Return whether a search finds a user; it also finds the account ID, but only a whole one."""
    return user.account_id == text or _begins(user, text)
