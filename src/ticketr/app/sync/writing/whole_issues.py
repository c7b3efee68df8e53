"""Fetches issues with all their comments, and finds the attachments that their pictures show.

A document refers to an attachment by its media ID, which no record of an attachment has. Each costs
a request, once; the state keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import AuthenticationFailed, BadAnswer, BadRequest, JiraError, NotFound
from ticketr.app.sync.compare.attachments import ATTACHMENT_FIELD, jira_attachments, with_media
from ticketr.app.sync.compare.comments import (
    COMMENT_FIELD,
    are_incomplete,
    comments_field,
    shown_files,
)
from ticketr.app.sync.concurrency import PAGE, ThreadRunner, chunks, map_in_tasks

if TYPE_CHECKING:
    from ticketr.app.jira import Attachment, BulkFetched, Issue, JiraClient
    from ticketr.app.sync.compare.mapping import Columns
    from ticketr.app.sync.state.state import State


async def fetch_whole(jira: JiraClient, columns: Columns, ids: Sequence[str]) -> BulkFetched:
    """Fetch issues in one request, and in further ones the comments that it leaves out.

    Args:
        jira: The site.
        columns: What files hold.
        ids: The IDs or keys of the issues, as many as one bulk fetch may have.

    Returns:
        The issues. One whose comments Jira does not give is among those that failed.

    Raises:
        JiraError: A request failed for a reason that is not about one issue.

    Cancellation:
        Takes effect at once.
    """
    answer = await jira.bulk_fetch(ids, fields=columns.requested, partly=True)
    if not columns.comments:
        return answer
    issues: list[Issue] = []
    failed = dict(answer.failed)
    for issue in answer.issues:
        try:
            issues.append(await _with_all_comments(jira, issue))
        except (BadAnswer, BadRequest, NotFound) as error:
            failed[issue.id if issue.id in ids else issue.key] = str(error)
    return replace(answer, issues=tuple(issues), failed=failed)


async def _with_all_comments(jira: JiraClient, issue: Issue) -> Issue:
    if not are_incomplete(issue.fields):
        return issue
    comments = comments_field(await jira.comments(issue.id))
    return replace(issue, fields={**issue.fields, COMMENT_FIELD: comments})


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Finds the attachments that the pictures in descriptions show.

    Attributes:
        jira: The site.
        state: Keeps the media IDs.
        in_thread: Runs blocking work on a worker thread.
    """

    jira: JiraClient
    state: State
    in_thread: ThreadRunner

    async def add(
        self, issues: Sequence[Issue], *, names: Mapping[str, Collection[str]] | None = None
    ) -> list[Issue]:
        """Return issues whose attachments have the media IDs that are needed.

        A file whose ID cannot be found remains without one; so its pictures keep their tags.

        Args:
            issues: Some issues; those without pictures are returned as they are.
            names: Names of attachments that are needed, too, by the keys of the issues.

        Raises:
            JiraError: A request failed.
            StateFailed: The state cannot be read or written.

        Cancellation:
            Takes effect at once.
        """
        names = names or {}
        wanted = {
            issue.id: _Wanted.of(issue, names.get(issue.key, ()))
            for issue in issues
            if names.get(issue.key) or shown_files(issue.fields)
        }
        if not wanted:
            await trio.lowlevel.checkpoint()
            return list(issues)
        attached = await self._attachments([issue for issue in issues if issue.id in wanted])
        ids = [attachment.id for some in attached.values() for attachment in jira_attachments(some)]
        known = await self.in_thread(self.state.media.of, ids)
        texts = await self._look_up(
            [
                wanted[issue].without(jira_attachments(fields), known)
                for issue, fields in attached.items()
            ]
        )
        if texts:
            await self.in_thread(self.state.media.put, texts)
        media = {**known, **texts}
        return [
            replace(issue, fields={**issue.fields, **with_media(attached[issue.id], media)})
            if issue.id in attached
            else issue
            for issue in issues
        ]

    async def _attachments(self, issues: Sequence[Issue]) -> dict[str, dict[str, object]]:
        """Return the field of each issue that holds its attachments, by the issue's ID."""
        fields = {
            issue.id: {ATTACHMENT_FIELD: issue.fields[ATTACHMENT_FIELD]}
            for issue in issues
            if ATTACHMENT_FIELD in issue.fields
        }
        rest = [issue.id for issue in issues if issue.id not in fields]
        for chunk in chunks(rest, PAGE):
            answer = await self.jira.bulk_fetch(chunk, fields=[ATTACHMENT_FIELD], partly=True)
            for issue in answer.issues:
                fields[issue.id] = {ATTACHMENT_FIELD: issue.fields.get(ATTACHMENT_FIELD)}
        return fields

    async def _look_up(self, wanted: Iterable[_Wanted]) -> dict[str, str]:
        """Ask for the media IDs that are needed, several at once."""
        needs = (need for need in wanted if need.candidates)
        texts: dict[str, str] = {}
        for some in await map_in_tasks(self._look_up_one, needs):
            texts |= some
        return texts

    async def _look_up_one(self, wanted: _Wanted) -> dict[str, str]:
        """Ask for the media IDs of one issue's attachments until all that it needs are known."""
        texts: dict[str, str] = {}
        media, names = set(wanted.media), set(wanted.names)
        for candidate in wanted.candidates:
            if not media and candidate.name not in names:
                continue
            try:
                identity = await self.jira.media_id(candidate.id)
            except AuthenticationFailed:
                raise
            except JiraError:  # it was deleted a moment ago, or the site cannot be reached
                continue
            if identity:
                texts[candidate.id] = identity
                media.discard(identity)
        return texts


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is needed of the attachments of one issue.

    Attributes:
        media: Media IDs of files that its pictures show.
        alts: What is shown without them; often the names of the files.
        names: Names of files.
        candidates: The attachments whose media IDs may be needed, the likely ones first.
    """

    media: frozenset[str]
    alts: frozenset[str]
    names: frozenset[str]
    candidates: tuple[Attachment, ...] = ()

    @classmethod
    def of(cls, issue: Issue, names: Collection[str]) -> _Wanted:
        """Return what is needed of an issue's attachments."""
        shown = shown_files(issue.fields)
        return cls(
            frozenset(file.media for file in shown),
            frozenset(file.alt for file in shown),
            frozenset(names),
        )

    def without(self, attached: Sequence[Attachment], known: Mapping[str, str]) -> _Wanted:
        """Return what is needed besides the media IDs that are known."""
        here = {known[attachment.id] for attachment in attached if attachment.id in known}
        likely = self.alts | self.names
        rest = [attachment for attachment in attached if attachment.id not in known]
        return replace(
            self,
            media=self.media - here,
            candidates=tuple(sorted(rest, key=lambda attachment: attachment.name not in likely)),
        )
