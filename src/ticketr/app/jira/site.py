"""Reads facts about a site: account, fields, projects, users, and what issues can have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import quote

from ticketr.app.jira import models
from ticketr.app.jira.errors import AuthenticationFailed, BadAnswer, Forbidden, NotFound
from ticketr.app.jira.rest_api import Endpoints

#: The most accounts that a search gives.
MAX_FOUND_USERS = 50
# The forms of account IDs: of old accounts, and of new ones.
_ACCOUNT_ID = re.compile(r"[0-9a-f]{24}|\d+:[0-9a-f-]{36}")


def browse_url(site: str, key: str) -> str:
    """Return the address of an issue for a browser."""
    return f"{site.rstrip('/')}/browse/{quote(key, safe='')}"


#: How many records a page may hold; of projects, Jira gives no more than 50 at once.
PAGE_SIZE = 200
#: How many pages a list may have.
MAX_PAGES = 100


R = TypeVar("R")


class IssueType(NamedTuple):
    """A type of issues that a project has.

    Attributes:
        id: Its ID.
        name: Its display name.
        subtask: Whether its issues are sub-tasks.
    """

    id: str
    name: str
    subtask: bool

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        type_id = models.text_of(answer.get("id"))
        if not type_id:
            return None
        name = models.text_of(answer.get("name")) or type_id
        return cls(id=type_id, name=name, subtask=answer.get("subtask") is True)


class SiteEndpoints(Endpoints):
    """The client's methods that read facts about the site."""

    async def _read_pages_and_total(
        self,
        read: Callable[[Mapping[str, Any]], R | None],
        key: str,
        endpoint: str,
        *path_segments: str,
        most: float = math.inf,
        query: Mapping[str, str | int] = MappingProxyType({}),
    ) -> tuple[tuple[R, ...], int]:
        """Walk the pages of a list, until there are enough records.

        Returns:
            The records, each once, and how many there are by the site's word.
        """
        records: dict[R, None] = {}
        start = total = 0
        for _ in range(MAX_PAGES):
            page = {"startAt": start, "maxResults": PAGE_SIZE}
            answer = await self._api.get(endpoint, *path_segments, query={**query, **page})
            items, before = list(answer.array(key)), len(records)
            records |= dict.fromkeys(models.read_records(read, items))
            start += len(items)
            counted = answer.object().get("total")
            total = counted if isinstance(counted, int) else 0
            is_last = answer.object().get("isLast") is True or 0 < total <= start
            # A page with nothing new ends the list, even if the site says that more follows.
            if is_last or len(records) == before or len(records) >= most:
                return tuple(records), total
        address = self._api.address(endpoint, *path_segments)
        raise BadAnswer(address, f"more than {MAX_PAGES} pages of {key}")

    async def myself(self) -> models.User:
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
        return answer.read_record(models.User.read, "it tells no account")

    async def fields(self) -> tuple[models.Field, ...]:
        """Return every field that the site's issues can have."""
        answer = await self._api.get("field")
        return models.read_records(models.Field.read, answer.array())

    async def project(self, key: str) -> models.Project:
        """Return one project.

        Args:
            key: Its key, or its number.

        Raises:
            NotFound: There is none, or the account may not see it.
        """
        answer = await self._api.get("project/{}", key)
        return answer.read_record(models.Project.read, "it tells no key")

    async def projects(self, *, most: int) -> tuple[tuple[models.Project, ...], int]:
        """Return the projects that the account may see, in the order of their keys.

        Args:
            most: How many projects to return at most.

        Returns:
            The projects, and how many there are.
        """
        projects, total = await self._read_pages_and_total(
            models.Project.read, "values", "project/search", most=most, query={"orderBy": "key"}
        )
        listed = sorted(projects, key=lambda project: project.key)
        return tuple(listed[:most]), max(total, len(listed))

    async def top_matching_users(self, query: str) -> tuple[models.User, ...]:
        """Search the users of the site.

        Args:
            query: The beginning of a name or of an e-mail.

        Returns:
            One page of matching users at most, in the site's order, best match first.
        """
        return await self._read_users("user/search", {"query": query})

    async def top_assignable_users(self, project: str, query: str) -> tuple[models.User, ...]:
        """Search the users that can be assigned to a project's issues.

        Args:
            project: The project's key.
            query: The beginning of a name or of an e-mail, or a whole account ID.

        Returns:
            One page of matching users at most, in the site's order, best match first.
        """
        by = "accountId" if _ACCOUNT_ID.fullmatch(query) else "query"
        return await self._read_users("user/assignable/search", {"project": project, by: query})

    async def _read_users(self, endpoint: str, query: Mapping[str, str]) -> tuple[models.User, ...]:
        answer = await self._api.get(endpoint, query={**query, "maxResults": MAX_FOUND_USERS})
        return models.read_records(models.User.read, answer.array())

    async def creatable_issue_types(self, project: str) -> tuple[IssueType, ...]:
        """Return the issue types that the account may create in a project.

        Args:
            project: The project's key or number.
        """
        pages = "issue/createmeta/{}/issuetypes"
        return (await self._read_pages_and_total(IssueType.read, "issueTypes", pages, project))[0]

    async def fields_for_create(
        self, project: str, issue_type_id: str
    ) -> tuple[models.ScreenField, ...]:
        """Return the fields that a new issue can have.

        Args:
            project: The project's key or number.
            issue_type_id: The ID of one of its `creatable_issue_types`.
        """
        pages = "issue/createmeta/{}/issuetypes/{}"
        read = models.ScreenField.read
        return (await self._read_pages_and_total(read, "fields", pages, project, issue_type_id))[0]

    async def fields_for_edit(self, key: str) -> tuple[models.ScreenField, ...]:
        """Return the fields of an issue that the account can edit now.

        Args:
            key: The issue's key or ID.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
        """
        answer = await self._api.get("issue/{}/editmeta", key)
        return models.fields_on_screen(answer.object().get("fields"))

    async def status_names_by_type_id(self, project: str) -> dict[str, tuple[str, ...]]:
        """Return the statuses that issues of a project can have.

        Args:
            project: The project's key or number.

        Returns:
            The names of the statuses, by the ID of the issue type.

        Raises:
            NotFound: There is no such project, or the account may not see it.
        """
        answer = await self._api.get("project/{}/statuses", project)
        texts: dict[str, tuple[str, ...]] = {}
        for item in answer.array():
            statuses = models.objects_in(item.get("statuses"))
            if type_id := models.text_of(item.get("id")):
                names = (models.text_of(status.get("name")) for status in statuses)
                texts[type_id] = tuple(filter(None, names))
        return texts
