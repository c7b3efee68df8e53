"""Creates, edits, transitions and deletes issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from ticketr.app.jira.json_text import object_of, read_time, text_of
from ticketr.app.jira.models import Created, LastChange, Transition, fields_on_screen
from ticketr.app.jira.rest_api import Endpoints

#: How many issues one request can create.
MOST_CREATED = 50

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


class IssueEndpoints(Endpoints):
    """The client's methods that change issues.

    After a cancellation, `RateLimited`, or an error that `may_have_happened`, a change may have
    happened. Only `edit_issue`, which can be done twice, is repeated then. For any other one, the
    caller first looks at what Jira has; the next request waits as the site asked.
    """

    async def create_issue(
        self,
        fields: Mapping[str, object],
        *,
        properties: Mapping[str, object] = _NO_VALUES,
    ) -> Created:
        """Create an issue.

        Args:
            fields: Its fields, as Jira writes them.
            properties: Its entity properties, which only programs see.

        Raises:
            BadRequest: The site does not accept them; `field_errors` tells which.
            BadAnswer: The answer has no key; the issue probably exists.
            RateLimited: The site's limit is used up, maybe for longer than `LONGEST_WAIT`.
        """
        body: dict[str, object] = {"fields": dict(fields)}
        if properties:
            body["properties"] = [{"key": k, "value": v} for k, v in properties.items()]
        answer = await self._api.write(
            "POST", "issue", issue=_parent(fields), body=body, empty=False
        )
        created = Created.read(answer.object())
        if created is None:
            raise answer.unusable("it tells no key")
        return created

    async def create_issues(
        self, issues: Sequence[tuple[Mapping[str, object], Mapping[str, object]]]
    ) -> None:
        """Create issues in one request, which is sent once.

        The answer does not tell which issue became which key, nor may all of them exist. The
        caller finds them by their properties.

        Args:
            issues: The fields and the entity properties of each; at most `MOST_CREATED`.

        Raises:
            BadRequest: The site accepts none of them.
            RateLimited: The site's limit is used up, maybe for longer than `LONGEST_WAIT`.
        """
        updates = [
            {
                "fields": dict(fields),
                "properties": [{"key": k, "value": v} for k, v in properties.items()],
            }
            for fields, properties in issues
        ]
        body = {"issueUpdates": updates}
        await self._api.write("POST", "issue/bulk", issue=None, body=body)

    async def edit_issue(self, key: str, fields: Mapping[str, object]) -> None:
        """Change fields of an issue.

        Jira has no protection against lost updates: it overwrites what others wrote into the same
        field since it was read.

        Args:
            key: The issue's key or ID.
            fields: The fields to change, as Jira writes them.

        Raises:
            BadRequest: The site does not accept them; `field_errors` tells which.
            NotFound: There is no such issue, or the account may not see it.
        """
        await self._api.write(
            "PUT", "issue/{}", key, issue=key, body={"fields": dict(fields)}, repeatable=True
        )

    async def transitions(self, key: str, *, with_fields: bool = False) -> tuple[Transition, ...]:
        """Return the transitions that an issue can take now.

        Args:
            key: The issue's key or ID.
            with_fields: Whether to ask for the fields of their screens, too.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
        """
        query = {"expand": "transitions.fields"} if with_fields else {}
        answer = await self._api.get("issue/{}/transitions", key, query=query)
        return tuple(
            transition._replace(fields=fields_on_screen(entry.get("fields")))
            for entry in answer.array("transitions")
            if (transition := Transition.read(entry)) is not None
        )

    async def last_change(self, key: str, until: str = "") -> LastChange | None:
        """Return the newest change of an issue that its history names; None if it names none.

        Args:
            key: The issue's key or ID.
            until: The moment after which changes do not count, as Jira writes it; another text
                for all changes.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
        """
        query = {"fields": "updated", "expand": "changelog"}
        answer = (await self._api.get("issue/{}", key, query=query)).object()
        histories = object_of(answer.get("changelog")).get("histories")
        end = read_time(until)
        changes: list[tuple[datetime, LastChange]] = []
        for entry in map(object_of, histories if isinstance(histories, list) else ()):
            at = read_time(entry.get("created"))
            if at is not None and (end is None or at <= end):
                author = text_of(object_of(entry.get("author")).get("displayName"))
                changes.append((at, LastChange(author, text_of(entry.get("created")))))
        return max(changes, key=lambda pair: pair[0])[1] if changes else None

    async def transition_issue(
        self, key: str, transition_id: str, fields: Mapping[str, object] = _NO_VALUES
    ) -> None:
        """Transition an issue to another status.

        Args:
            key: The issue's key or ID.
            transition_id: One of its `transitions`.
            fields: The values of fields on its screen, by their IDs.

        Raises:
            BadRequest: The issue cannot take it now, or it asks for fields.
            NotFound: There is no such issue, or the account may not see it.
        """
        await self._api.write(
            "POST",
            "issue/{}/transitions",
            key,
            issue=key,
            body={"transition": {"id": transition_id}}
            | ({"fields": dict(fields)} if fields else {}),
        )

    async def delete_issue(self, key: str, *, subtasks: bool = False) -> None:
        """Delete an issue, for good.

        Args:
            key: The issue's key or ID.
            subtasks: Whether to delete its sub-tasks with it; without, an issue that has some
                is refused.

        Raises:
            BadRequest: It has sub-tasks.
            NotFound: There is no such issue, or the account may not see it.
        """
        await self._api.write(
            "DELETE",
            "issue/{}",
            key,
            issue=key,
            query={"deleteSubtasks": "true" if subtasks else "false"},
        )


def _parent(fields: Mapping[str, object]) -> str | None:
    """Return the parent of a new issue: Jira counts the create as a change of the parent."""
    parent = object_of(fields.get("parent"))
    return text_of(parent.get("key")) or text_of(parent.get("id")) or None
