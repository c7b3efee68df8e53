"""Reads facts about a site: server information, account, fields, projects, assignable users."""

from __future__ import annotations

import re
from urllib.parse import quote

from ticketr.app.jira.credentials import is_gateway, normalise_site
from ticketr.app.jira.errors import AuthenticationFailed, Forbidden, NotFound
from ticketr.app.jira.models import Field, Project, ServerInfo, User
from ticketr.app.jira.rest_api import Endpoints, RestApi

_MOST_USERS = 50
_MOST_PROJECTS = 50  # Jira gives no more at once
# The forms of account IDs: of old accounts, and of new ones.
_ACCOUNT_ID = re.compile(r"[0-9a-f]{24}|\d+:[0-9a-f-]{36}")


def browse_url(site: str, key: str) -> str:
    """Return the address of an issue for a browser."""
    return f"{site.rstrip('/')}/browse/{quote(key, safe='')}"


class SiteEndpoints(Endpoints):
    """The client's methods that read facts about the site."""

    def __init__(self, api: RestApi, *, browse: str | None = None) -> None:
        super().__init__(api)
        self.site = api.site
        self._browse = None if is_gateway(api.site) else api.site
        if browse:
            self._browse = normalise_site(browse, allow_http=True)

    def browse_url(self, key: str) -> str | None:
        """Return the address of an issue for a browser.

        Returns:
            The address; None behind Atlassian's gateway, until `server_info` has read the
            site's address for browsers.
        """
        return browse_url(self._browse, key) if self._browse else None

    async def server_info(self) -> ServerInfo:
        """Return the server's information; this needs no valid token."""
        answer = await self._api.get("serverInfo")
        info = ServerInfo.read(answer.object())
        if info is None:
            raise answer.unusable("it tells no version")
        if self._browse is None and info.base_url:
            self._browse = info.base_url.rstrip("/")
        return info

    async def myself(self) -> User:
        """Return the account that the token belongs to; this checks the token, too.

        Raises:
            NotCloud: The site is a Jira Data Center.
            NoJira: No Jira answers at its address.
            JiraError: The request failed.
        """
        try:
            answer = await self._api.get("myself")
        except (AuthenticationFailed, Forbidden, NotFound) as error:
            better = await self._api.why_not_served()  # noqa: ASYNC120 - a cancellation wins
            if better is None:
                raise
            raise better from error
        user = User.read(answer.object())
        if user is None:
            raise answer.unusable("it tells no account")
        return user

    async def fields(self) -> tuple[Field, ...]:
        """Return every field that the site's issues can have."""
        answer = await self._api.get("field")
        fields = map(Field.read, answer.array())
        return tuple(field for field in fields if field is not None)

    async def project(self, key: str) -> Project:
        """Return one project.

        Args:
            key: Its key, or its number.

        Raises:
            NotFound: There is none, or the account may not see it.
        """
        answer = await self._api.get("project/{}", key)
        project = Project.read(answer.object())
        if project is None:
            raise answer.unusable("it tells no key")
        return project

    async def projects(self, *, most: int) -> tuple[tuple[Project, ...], int]:
        """Return the projects that the account may see, in the order of their keys.

        Args:
            most: How many projects to return at most.

        Returns:
            The projects, and how many there are.
        """
        projects: dict[str, Project] = {}
        start, total = 0, 0
        while len(projects) < most:
            query: dict[str, str | int] = {
                "startAt": start,
                "maxResults": _MOST_PROJECTS,
                "orderBy": "key",
            }
            answer = await self._api.get("project/search", query=query)
            items, before = list(answer.array("values")), len(projects)
            for project in filter(None, map(Project.read, items)):
                projects.setdefault(project.key, project)
            start += len(items)
            counted = answer.object().get("total")
            total = counted if isinstance(counted, int) else 0
            # A page with nothing new ends the list, even if the site says that more follows.
            if len(projects) == before or answer.object().get("isLast") is True or start == total:
                break
        listed = sorted(projects.values(), key=lambda project: project.key)
        return tuple(listed[:most]), max(total, len(listed))

    async def find_users(self, query: str) -> tuple[User, ...]:
        """Search the users of the site.

        Args:
            query: The beginning of a name or of an e-mail.

        Returns:
            One page of matching users at most, in the site's order, best match first.
        """
        answer = await self._api.get(
            "user/search", query={"query": query, "maxResults": _MOST_USERS}
        )
        users = map(User.read, answer.array())
        return tuple(user for user in users if user is not None)

    async def assignable_users(self, project: str, query: str) -> tuple[User, ...]:
        """Search the users that can be assigned to a project's issues.

        Args:
            project: The project's key.
            query: The beginning of a name or of an e-mail, or a whole account ID.

        Returns:
            One page of matching users at most, in the site's order, best match first.
        """
        by = "accountId" if _ACCOUNT_ID.fullmatch(query) else "query"
        params: dict[str, str | int] = {
            "project": project,
            by: query,
            "maxResults": _MOST_USERS,
        }
        answer = await self._api.get("user/assignable/search", query=params)
        users = map(User.read, answer.array())
        return tuple(user for user in users if user is not None)
