"""Records work on issues, and reads these records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from ticketr.app.jira.json_text import object_of, read_time, text_of
from ticketr.app.jira.rest_api import Endpoints


class Worklog(NamedTuple):
    """A record of work on an issue.

    Attributes:
        id: Its ID.
        author: The account ID of its author; empty if unknown.
        started: When the work began; None if unknown.
        spent: How much time it took, in Jira's words, such as ``2h 30m``.
    """

    id: str
    author: str
    started: datetime | None
    spent: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        text = text_of(answer.get("id"))
        author = text_of(object_of(answer.get("author")).get("accountId"))
        spent = text_of(answer.get("timeSpent"))
        return cls(text, author, read_time(answer.get("started")), spent) if text else None


class WorklogEndpoints(Endpoints):
    """The client's methods for records of work."""

    async def worklogs(self, key: str, *, since: datetime) -> tuple[Worklog, ...]:
        """Return records of work on an issue, at most as many as Jira gives at once.

        Args:
            key: The issue's key or ID.
            since: Only records of work that began then or later are returned.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
        """
        after = int(since.timestamp() * 1000) - 1
        answer = await self._api.get("issue/{}/worklog", key, query={"startedAfter": after})
        worklogs = map(Worklog.read, answer.array("worklogs"))
        return tuple(worklog for worklog in worklogs if worklog is not None)

    async def add_worklog(
        self, key: str, *, spent: str, started: str, comment: Mapping[str, object] | None = None
    ) -> Worklog:
        """Record work on an issue; the request is sent once, even if a rate limit refused it.

        Args:
            key: The issue's key or ID.
            spent: How much time it took, such as ``2h 30m``.
            started: When it began, as Jira writes moments.
            comment: A text on it, as ADF.

        Raises:
            BadRequest: The site does not accept the time, or records no work.
            NotFound: There is no such issue, or the account may not see it.
            BadAnswer: The answer has no ID; the record probably exists.
        """
        body: dict[str, object] = {"timeSpent": spent, "started": started}
        if comment is not None:
            body["comment"] = dict(comment)
        answer = await self._api.write(
            "POST", "issue/{}/worklog", key, issue=key, body=body, empty=False
        )
        worklog = Worklog.read(answer.object())
        if worklog is None:
            raise answer.unusable("it tells no ID of the record")
        return worklog
