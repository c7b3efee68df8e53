"""Changes many issues at once: Jira makes a task of each request, which is asked for its progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from ticketr.app.jira.json_text import object_of, objects, text_of
from ticketr.app.jira.models import Transition
from ticketr.app.jira.rest_api import Endpoints

#: How many issues one task can change.
MOST_CHANGED = 1000
#: The statuses of a task that still runs, or will.
_RUNNING = frozenset({"ENQUEUED", "RUNNING", "CANCEL_REQUESTED"})


class BulkProgress(NamedTuple):
    """How far a task is.

    Attributes:
        status: Its status, such as ``"RUNNING"`` or ``"COMPLETE"``.
        done: The IDs of the issues that were changed.
        failed: Why an issue was not changed, by its ID.
    """

    status: str
    done: frozenset[str]
    failed: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        """Whether the task has ended, in whatever way."""
        return self.status not in _RUNNING

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read the record."""
        done = answer.get("processedAccessibleIssues")
        ids = map(text_of, done if isinstance(done, list) else [])
        reasons = object_of(answer.get("failedAccessibleIssues"))
        return cls(
            status=text_of(answer.get("status")),
            done=frozenset(filter(None, ids)).difference(reasons),
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
            ids: The IDs or keys of the issues; at most `MOST_CHANGED`.
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
        return await self._start("fields", body)

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
        return await self._start("transition", body)

    async def start_bulk_delete(self, ids: Sequence[str]) -> str:
        """Delete issues with their sub-tasks, which cannot be undone; return the task's ID.

        Raises:
            BadRequest: Jira takes no such change.
            Forbidden: The account may not delete them.
        """
        body = {"selectedIssueIdsOrKeys": [*ids], "sendBulkNotification": False}
        return await self._start("delete", body)

    async def bulk_transitions(self, ids: Sequence[str]) -> dict[str, tuple[Transition, ...]]:
        """Return the transitions that issues have now, by the key of the issue."""
        transitions: dict[str, tuple[Transition, ...]] = {}
        query: dict[str, str | int] = {"issueIdsOrKeys": ",".join(ids)}
        while True:
            answer = (await self._api.get("bulk/issues/transition", query=query)).object()
            groups = answer.get("availableTransitions")
            for group in objects(groups if isinstance(groups, list) else []):
                listed = group.get("transitions")
                read = [
                    _transition(entry)
                    for entry in objects(listed if isinstance(listed, list) else [])
                ]
                keys = group.get("issues")
                for key in keys if isinstance(keys, list) else []:
                    transitions[text_of(key)] = tuple(
                        transition for transition in read if transition.id
                    )
            after = text_of(answer.get("startingAfter"))
            if not after or query.get("startingAfter") == after:
                return transitions
            query["startingAfter"] = after

    async def bulk_progress(self, task: str) -> BulkProgress:
        """Return how far a task is."""
        return BulkProgress.read((await self._api.get("bulk/queue/{}", task)).object())

    async def cancel_task(self, task: str) -> None:
        """Ask Jira to leave out the rest of a task."""
        await self._api.write("POST", "task/{}/cancel", task, issue=None, repeatable=True)

    async def _start(self, what: str, body: Mapping[str, object]) -> str:
        """Start a task, and return its ID."""
        answer = await self._api.write(
            "POST", f"bulk/issues/{what}", issue=None, body=dict(body), empty=False
        )
        task = text_of(answer.object().get("taskId"))
        if not task:
            raise answer.unusable("it names no task")
        return task


def _transition(answer: Mapping[str, Any]) -> Transition:
    to = object_of(answer.get("to"))
    return Transition(
        id=text_of(answer.get("transitionId")),
        name=text_of(answer.get("transitionName")),
        to=text_of(to.get("statusName")),
        to_id=text_of(to.get("statusId")),
    )
