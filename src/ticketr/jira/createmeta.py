"""Reads a project's create metadata: issue types, their fields, values and statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ticketr.jira.errors import BadAnswer
from ticketr.jira.rest_api import Endpoints
from ticketr.jira.values import object_of, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: How many types or fields a page may hold.
PAGE_SIZE = 200
#: How many pages a list of types or fields may have.
MOST_PAGES = 100


@dataclass(frozen=True, slots=True)
class IssueType:
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


@dataclass(frozen=True, slots=True)
class Allowed:
    """A value that a field may have.

    Attributes:
        id: Its ID, as text; empty if it has none.
        name: Its display name: an option's value, else its name.
        children: The values that can be chosen below it, in a choice of two steps.
    """

    id: str
    name: str
    children: tuple[Allowed, ...] = ()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has neither ID nor name."""
        names = (text_of(answer.get(key)) for key in ("value", "name", "displayName", "key"))
        allowed_id = text_of(answer.get("id")) or text_of(answer.get("accountId"))
        name = next(filter(None, names), allowed_id)
        if not name:
            return None
        below = answer.get("children")
        children = [cls(text_of(each.get("id")), text_of(each.get("value"))) for each in _of(below)]
        return cls(allowed_id, name, tuple(each for each in children if each.name))


@dataclass(frozen=True, slots=True)
class CreateField:
    """A field that a new issue of some type can have.

    Attributes:
        id: Its ID.
        name: Its display name.
        required: Whether a new issue must have it.
        has_default: Whether the site fills it in where it is left out.
        schema_type: The kind of its value, such as ``"number"``; empty if unknown.
        items: The kind of its value's members, for an array; else empty.
        allowed: The values that it may have; empty if every value is allowed, or the site does not list them.
    """

    id: str
    name: str
    required: bool
    has_default: bool
    schema_type: str
    items: str
    allowed: tuple[Allowed, ...]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        field_id = text_of(answer.get("fieldId")) or text_of(answer.get("key"))
        if not field_id:
            return None
        kind = object_of(answer.get("schema"))
        values = answer.get("allowedValues")
        read = map(Allowed.read, _of(values))
        return cls(
            id=field_id,
            name=text_of(answer.get("name")) or field_id,
            required=answer.get("required") is True,
            has_default=answer.get("hasDefaultValue") is True,
            schema_type=text_of(kind.get("type")),
            items=text_of(kind.get("items")),
            allowed=tuple(allowed for allowed in read if allowed is not None),
        )


def _of(values: object) -> Iterator[Mapping[str, Any]]:
    return objects(values if isinstance(values, list) else [])


_T = TypeVar("_T", IssueType, CreateField)


class CreateMetaEndpoints(Endpoints):
    """The client's methods that read a project's create metadata."""

    async def issue_types(self, project: str) -> tuple[IssueType, ...]:
        """Return the issue types that the account may create in a project.

        Args:
            project: The project's key or number.
        """
        pages = "issue/createmeta/{}/issuetypes"
        return await self._all_pages(IssueType.read, "issueTypes", pages, project)

    async def create_fields(self, project: str, issue_type_id: str) -> tuple[CreateField, ...]:
        """Return the fields that a new issue can have.

        Args:
            project: The project's key or number.
            issue_type_id: The ID of one of its `issue_types`.
        """
        pages = "issue/createmeta/{}/issuetypes/{}"
        return await self._all_pages(CreateField.read, "fields", pages, project, issue_type_id)

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
        found: dict[str, tuple[str, ...]] = {}
        for item in answer.array():
            listed = item.get("statuses")
            statuses = objects(listed) if isinstance(listed, list) else ()
            if type_id := text_of(item.get("id")):
                names = (text_of(each.get("name")) for each in statuses)
                found[type_id] = tuple(filter(None, names))
        return found

    async def _all_pages(
        self, read: Callable[[Mapping[str, Any]], _T | None], key: str, endpoint: str, *steps: str
    ) -> tuple[_T, ...]:
        """Walk all pages of a list; a Data Center site calls every list ``values``."""
        found: dict[str, _T] = {}
        start = 0
        for _ in range(MOST_PAGES):
            query = {"startAt": start, "maxResults": PAGE_SIZE}
            answer = await self._api.get(endpoint, *steps, query=query)
            items = list(answer.array(key, "values"))
            before = len(found)
            for record in map(read, items):
                if record is not None:
                    found.setdefault(record.id, record)
            start += len(items)
            total = answer.object().get("total")
            # A page with nothing new ends the list, even if the site says that more follows.
            if len(found) == before or (isinstance(total, int) and start >= total):
                return tuple(found.values())
        address = self._api.address(endpoint, *steps)
        raise BadAnswer(address, f"more than {MOST_PAGES} pages of {key}")
