"""Fetches which fields and values issues can have: create and edit metadata, types, statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self, TypeVar

from ticketr.app.jira.errors import BadAnswer
from ticketr.app.jira.json_text import objects, text_of
from ticketr.app.jira.models import ScreenField, fields_on_screen
from ticketr.app.jira.rest_api import Endpoints

#: How many types or fields a page may hold.
PAGE_SIZE = 200
#: How many pages a list of types or fields may have.
MOST_PAGES = 100


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
        type_id = text_of(answer.get("id"))
        if not type_id:
            return None
        name = text_of(answer.get("name")) or type_id
        return cls(id=type_id, name=name, subtask=answer.get("subtask") is True)


_T = TypeVar("_T", IssueType, ScreenField)


class CreateMetaEndpoints(Endpoints):
    """The client's methods that read a project's create metadata."""

    async def issue_types(self, project: str) -> tuple[IssueType, ...]:
        """Return the issue types that the account may create in a project.

        Args:
            project: The project's key or number.
        """
        pages = "issue/createmeta/{}/issuetypes"
        return await self._all_pages(IssueType.read, "issueTypes", pages, project)

    async def create_fields(self, project: str, issue_type_id: str) -> tuple[ScreenField, ...]:
        """Return the fields that a new issue can have.

        Args:
            project: The project's key or number.
            issue_type_id: The ID of one of its `issue_types`.
        """
        pages = "issue/createmeta/{}/issuetypes/{}"
        return await self._all_pages(ScreenField.read, "fields", pages, project, issue_type_id)

    async def edit_fields(self, key: str) -> tuple[ScreenField, ...]:
        """Return the fields of an issue that the account can edit now.

        Args:
            key: The issue's key or ID.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
        """
        answer = await self._api.get("issue/{}/editmeta", key)
        return fields_on_screen(answer.object().get("fields"))

    async def statuses(self, project: str) -> dict[str, tuple[str, ...]]:
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
            listed = item.get("statuses")
            statuses = objects(listed) if isinstance(listed, list) else ()
            if type_id := text_of(item.get("id")):
                names = (text_of(status.get("name")) for status in statuses)
                texts[type_id] = tuple(filter(None, names))
        return texts

    async def _all_pages(
        self, read: Callable[[Mapping[str, Any]], _T | None], key: str, endpoint: str, *steps: str
    ) -> tuple[_T, ...]:
        """Walk all pages of a list."""
        fields: dict[str, _T] = {}
        start = 0
        for _ in range(MOST_PAGES):
            query = {"startAt": start, "maxResults": PAGE_SIZE}
            answer = await self._api.get(endpoint, *steps, query=query)
            items = list(answer.array(key))
            before = len(fields)
            for record in map(read, items):
                if record is not None:
                    fields.setdefault(record.id, record)
            start += len(items)
            total = answer.object().get("total")
            # A page with nothing new ends the list, even if the site says that more follows.
            if len(fields) == before or (isinstance(total, int) and start >= total):
                return tuple(fields.values())
        address = self._api.address(endpoint, *steps)
        raise BadAnswer(address, f"more than {MOST_PAGES} pages of {key}")
