"""Creates, edits and transitions issues, with their comments, links and worklogs.

Many issues at once are changed by Jira's bulk requests: Jira makes a task of each, which is asked
for its progress.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from ticketr.app.jira.errors import NotFound
from ticketr.app.jira.models import (
    Created,
    LastChange,
    Transition,
    object_of,
    objects_in,
    read_records,
    read_time,
    text_of,
)
from ticketr.app.jira.rest_api import Endpoints

#: How many issues one request can create.
MAX_CREATED_PER_REQUEST = 50

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


class IssueChangeEndpoints(Endpoints):
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
            RateLimited: The site's limit is used up, maybe for longer than `MAX_REQUESTED_WAIT`.
        """
        body = {"fields": dict(fields), **_properties_in_body(properties)}
        answer = await self._api.write(
            "POST", "issue", issue=_parent_key_or_id(fields), body=body, may_be_empty=False
        )
        return answer.read_record(Created.read, "it tells no key")

    async def create_issues(
        self, issues: Sequence[tuple[Mapping[str, object], Mapping[str, object]]]
    ) -> None:
        """Create issues in one request, which is sent once.

        The answer does not tell which issue became which key, nor may all of them exist. The
        caller finds them by their properties.

        Args:
            issues: The fields and the entity properties of each; at most `MAX_CREATED_PER_REQUEST`.

        Raises:
            BadRequest: The site accepts none of them.
            RateLimited: The site's limit is used up, maybe for longer than `MAX_REQUESTED_WAIT`.
        """
        updates = [
            {"fields": dict(fields), **_properties_in_body(properties)}
            for fields, properties in issues
        ]
        await self._api.write("POST", "issue/bulk", issue=None, body={"issueUpdates": updates})

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
        return read_records(Transition.read, answer.array("transitions"))

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
        histories = objects_in(object_of(answer.get("changelog")).get("histories"))
        end = read_time(until)
        changes: list[tuple[datetime, LastChange]] = []
        for entry in histories:
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


def _properties_in_body(properties: Mapping[str, object]) -> dict[str, object]:
    """Return entity properties as a part of a body."""
    listed = [{"key": key, "value": value} for key, value in properties.items()]
    return {"properties": listed} if listed else {}


def _parent_key_or_id(fields: Mapping[str, object]) -> str | None:
    """Return the parent of a new issue: Jira counts the create as a change of the parent."""
    parent = object_of(fields.get("parent"))
    return text_of(parent.get("key")) or text_of(parent.get("id")) or None


#: How many comments one page holds at most.
_COMMENTS_PER_PAGE = 100
#: How many comments of one issue are read; Jira allows no more.
MAX_COMMENTS_PER_ISSUE = 5000


class CommentEndpoints(Endpoints):
    """The client's methods for comments.

    After a cancellation, or an error that `may_have_happened`, a change may have happened. Only
    `replace_comment_and_visibility`, which can be done twice, is repeated then.
    """

    async def comments(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """Return every comment of an issue as Jira writes it, the oldest first.

        Args:
            key: The issue's key or ID.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
            BadAnswer: The pages would never end, or do not have all comments.
        """
        comments: dict[str, Mapping[str, Any]] = {}
        while True:
            query: dict[str, str | int] = {
                "startAt": len(comments),
                "maxResults": _COMMENTS_PER_PAGE,
                "orderBy": "created",
            }
            answer = await self._api.get("issue/{}/comment", key, query=query)
            before = len(comments)
            for entry in answer.array("comments"):
                comments.setdefault(text_of(entry.get("id")), entry)
            total = answer.object().get("total")
            if not isinstance(total, int) or len(comments) >= total:
                return tuple(comments.values())
            if len(comments) == before:  # to believe it would delete comments from files
                raise answer.unusable(f"{len(comments)} comments, though the issue has more")
            if len(comments) > MAX_COMMENTS_PER_ISSUE:
                raise answer.unusable(f"{len(comments)} comments and no end")

    async def add_comment(
        self,
        key: str,
        body: Mapping[str, object],
        *,
        properties: Mapping[str, object] = _NO_VALUES,
    ) -> str:
        """Add a comment to an issue and return its ID.

        The request is sent once, even if a rate limit refuses it, so that the caller can first
        look for the comment; the next request waits as the site asked.

        Args:
            key: The issue's key or ID.
            body: The text as ADF.
            properties: The comment's entity properties, which only programs see.

        Raises:
            BadRequest: The site does not accept the text.
            Forbidden: The account may not comment.
            NotFound: There is no such issue, or the account may not see it.
            RateLimited: The site's limit is used up, maybe for longer than `MAX_REQUESTED_WAIT`.
            BadAnswer: The answer has no ID; the comment probably exists.
        """
        content = {"body": dict(body), **_properties_in_body(properties)}
        answer = await self._api.write(
            "POST", "issue/{}/comment", key, issue=key, body=content, may_be_empty=False
        )
        return answer.read_record(
            lambda comment: text_of(comment.get("id")) or None, "it tells no ID of the comment"
        )

    async def replace_comment_and_visibility(
        self, key: str, comment_id: str, body: Mapping[str, object], *, visibility: object = None
    ) -> None:
        """Replace the text and the visibility of a comment.

        Args:
            key: The issue's key or ID.
            comment_id: The comment's ID.
            body: The text as ADF.
            visibility: Who may see it, as Jira has it. Without it, everybody who sees the issue may.

        Raises:
            BadRequest: The site does not accept the text, or the account may not edit it.
            NotFound: There is no such issue or comment.
        """
        content = {"body": dict(body), **({"visibility": visibility} if visibility else {})}
        await self._api.write(
            "PUT", "issue/{}/comment/{}", key, comment_id, issue=key, body=content, repeatable=True
        )


class LinkType(NamedTuple):
    """A kind of link between two issues.

    Attributes:
        id: Its ID.
        name: Its display name.
        outward: The words between the first issue and the second, such as ``blocks``.
        inward: The words between the second and the first, such as ``is blocked by``.
    """

    id: str
    name: str
    outward: str
    inward: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID or lacks the words."""
        names = ("id", "name", "outward", "inward")
        link_type = cls(*(text_of(answer.get(name)).strip() for name in names))
        is_whole = link_type.id and link_type.outward and link_type.inward
        return link_type if is_whole else None


class LinkEndpoints(Endpoints):
    """The client's methods for links; each change can be done twice, and is repeated."""

    async def link_types(self) -> tuple[LinkType, ...]:
        """Return the kinds of links that the site has.

        Raises:
            NotFound: Links are switched off on the site.
        """
        answer = await self._api.get("issueLinkType")
        return read_records(LinkType.read, answer.array("issueLinkTypes"))

    async def add_link(self, link_type_id: str, source_key: str, target_key: str) -> None:
        """Link two issues; Jira keeps a link that is there already as it is.

        Args:
            link_type_id: The ID of the kind of link.
            source_key: The key of the issue that, for example, blocks the other one.
            target_key: The key of the issue that is blocked.

        Raises:
            NotFound: There is no such kind of link or issue, or the account may not see it.
            Forbidden: The account may not link issues.
        """
        body = {
            "type": {"id": link_type_id},
            "inwardIssue": {"key": source_key},
            "outwardIssue": {"key": target_key},
        }
        await self._api.write("POST", "issueLink", issue=source_key, body=body, repeatable=True)

    async def remove_link(self, link_id: str, *, issue: str) -> None:
        """Remove a link; one that is gone already is not an error.

        Args:
            link_id: The link's ID.
            issue: The key of one of its issues.

        Raises:
            Forbidden: The account may not link issues.
        """
        try:
            await self._api.write("DELETE", "issueLink/{}", link_id, issue=issue, repeatable=True)
        except NotFound:
            return


class Worklog(NamedTuple):
    """A record of work on an issue.

    Attributes:
        id: Its ID.
        author_id: The account ID of its author; empty if unknown.
        started: When the work began; None if unknown.
        spent: How much time it took, in Jira's words, such as ``2h 30m``.
    """

    id: str
    author_id: str
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
        return read_records(Worklog.read, answer.array("worklogs"))

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
        text = {} if comment is None else {"comment": dict(comment)}
        body = {"timeSpent": spent, "started": started, **text}
        answer = await self._api.write(
            "POST", "issue/{}/worklog", key, issue=key, body=body, may_be_empty=False
        )
        return answer.read_record(Worklog.read, "it tells no ID of the record")


#: The statuses of a task that still runs, or will.
_RUNNING_STATUSES = frozenset({"ENQUEUED", "RUNNING", "CANCEL_REQUESTED"})


class BulkProgress(NamedTuple):
    """How far a task is.

    Attributes:
        status: Its status, such as ``"RUNNING"`` or ``"COMPLETE"``.
        changed_ids: The IDs of the issues that were changed.
        failed: Why an issue was not changed, by its ID.
    """

    status: str
    changed_ids: frozenset[str]
    failed: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        """Whether the task has ended, in whatever way."""
        return self.status not in _RUNNING_STATUSES

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read the record."""
        done = answer.get("processedAccessibleIssues")
        ids = map(text_of, done if isinstance(done, list) else [])
        reasons = object_of(answer.get("failedAccessibleIssues"))
        return cls(
            status=text_of(answer.get("status")),
            changed_ids=frozenset(filter(None, ids)).difference(reasons),
            failed={key: _joined_reasons(words) for key, words in reasons.items()},
        )


def _joined_reasons(words: object) -> str:
    texts = [text_of(word) for word in words] if isinstance(words, list) else [text_of(words)]
    return "; ".join(filter(None, texts)) or "Jira gives no reason"


class BulkEndpoints(Endpoints):
    """The client's methods that change many issues at once.

    A task goes on in Jira when the program has ended. After a cancellation, `RateLimited`, or an
    error that `may_have_happened`, the task may have begun.
    """

    async def start_bulk_edit(
        self, ids: Sequence[str], fields: Sequence[str], values: Mapping[str, object]
    ) -> str:
        """Change fields of issues.

        Args:
            ids: The IDs or keys of the issues; at most 1,000.
            fields: The IDs of the fields.
            values: The new values, as Jira's bulk edit takes them.

        Returns:
            The task's ID.

        Raises:
            BadRequest: Jira takes no such change.
        """
        body = {
            "selectedIssueIdsOrKeys": [*ids],
            "selectedActions": [*fields],
            "editedFieldsInput": dict(values),
            "sendBulkNotification": False,
        }
        return await self._start_task("fields", body)

    async def start_bulk_transition(self, ids_by_transition: Mapping[str, Sequence[str]]) -> str:
        """Perform transitions of issues; return the task's ID.

        Args:
            ids_by_transition: The IDs or keys of issues, by the ID of their transition.

        Raises:
            BadRequest: Jira takes no such change.
        """
        inputs = [
            {"transitionId": transition, "selectedIssueIdsOrKeys": [*ids]}
            for transition, ids in ids_by_transition.items()
        ]
        body = {"bulkTransitionInputs": inputs, "sendBulkNotification": False}
        return await self._start_task("transition", body)

    async def start_bulk_delete(self, ids: Sequence[str]) -> str:
        """Delete issues with their sub-tasks, which cannot be undone; return the task's ID.

        Raises:
            BadRequest: Jira takes no such change.
            Forbidden: The account may not delete them.
        """
        body = {"selectedIssueIdsOrKeys": [*ids], "sendBulkNotification": False}
        return await self._start_task("delete", body)

    async def transitions_by_key(self, ids: Sequence[str]) -> dict[str, tuple[Transition, ...]]:
        """Return the transitions that issues have now, by the key of the issue."""
        transitions: dict[str, tuple[Transition, ...]] = {}
        query: dict[str, str | int] = {"issueIdsOrKeys": ",".join(ids)}
        while True:
            answer = (await self._api.get("bulk/issues/transition", query=query)).object()
            for group in objects_in(answer.get("availableTransitions")):
                read = [*map(_read_bulk_transition, objects_in(group.get("transitions")))]
                keys = group.get("issues")
                for key in keys if isinstance(keys, list) else []:
                    transitions[text_of(key)] = tuple(
                        transition for transition in read if transition.id
                    )
            after = text_of(answer.get("startingAfter"))
            if not after or query.get("startingAfter") == after:
                return transitions
            query["startingAfter"] = after

    async def bulk_progress(self, task_id: str) -> BulkProgress:
        """Return how far a task is."""
        return BulkProgress.read((await self._api.get("bulk/queue/{}", task_id)).object())

    async def cancel_task(self, task_id: str) -> None:
        """Ask Jira to leave out the rest of a task."""
        await self._api.write("POST", "task/{}/cancel", task_id, issue=None, repeatable=True)

    async def _start_task(self, what: str, body: Mapping[str, object]) -> str:
        """Start a task, and return its ID."""
        answer = await self._api.write(
            "POST", f"bulk/issues/{what}", issue=None, body=dict(body), may_be_empty=False
        )
        return answer.read_record(
            lambda task: text_of(task.get("taskId")) or None, "it names no task"
        )


def _read_bulk_transition(answer: Mapping[str, Any]) -> Transition:
    to = object_of(answer.get("to"))
    return Transition(
        id=text_of(answer.get("transitionId")),
        name=text_of(answer.get("transitionName")),
        to_status=text_of(to.get("statusName")),
    )
