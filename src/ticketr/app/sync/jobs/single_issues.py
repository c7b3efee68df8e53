"""The jobs that record work on an issue, comment on it, or list, download and add attachments."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ticketr.app import jira
from ticketr.app.sync.compare.attachments import size_text
from ticketr.app.sync.compare.sent import SentComment, find_answers_in_jira, highest_comment_id
from ticketr.app.sync.compare.times import jira_moment, read_typed_moment, zone_of
from ticketr.app.sync.errors import UnsendableWorkOrComment
from ticketr.app.sync.jobs.syncing import session_reporting_end
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.pull import downloading
from ticketr.app.sync.push import rich_text
from ticketr.app.sync.push.outbox import fetch_comments_as_issue, may_have_arrived, send_once
from ticketr.app.sync.push.values import BadValue
from ticketr.app.sync.session import Session, SessionJob

if TYPE_CHECKING:
    from ticketr import JobContext


_TIME_SPENT_PATTERN = re.compile(
    r"(?:[0-9]{1,4}(?:\.[0-9]{1,2})?[wdhm])(?:\s*[0-9]{1,4}(?:\.[0-9]{1,2})?[wdhm])*"
)


_TIME_WORD_PATTERN = re.compile(r"(?:[0-9.]+[A-Za-z]+)+")


def split_time_and_text(text: str) -> tuple[str, str]:
    """Split a text such as ``1d4h wrote the tests`` into ``1d 4h``, as Jira takes it, and the rest.

    Raises:
        UnsendableWorkOrComment: It does not begin with a duration.
    """
    end = 0
    for word in re.finditer(r"\s*(\S+)", text):
        if end and not _TIME_WORD_PATTERN.fullmatch(word[1]):
            break
        end = word.end()
    spent = " ".join(text[:end].lower().split())
    if not _TIME_SPENT_PATTERN.fullmatch(spent) or not re.search("[1-9]", spent):
        raise UnsendableWorkOrComment(text[:end], "write the time like 2h, 1d 4h or 1h 30m")
    return re.sub(r"(?<=[wdhm])\s*(?=[0-9])", " ", spent), text[end:].strip()


@dataclass(kw_only=True)
class LogWorkJob(SessionJob):
    """A job that records work on an issue, once.

    Attributes:
        key: The issue's key.
        time_spent: How much time it took, from `split_time_and_text`.
        comment: A text on it, in Markdown; empty for none.
        typed_start: When it began, as a user types it; empty for now.

    Cancellation:
        Takes effect at once, inside the request too. Jira may have the record then.
    """

    action_name = "Log work"

    key: str
    time_spent: str
    comment: str = ""
    typed_start: str = ""

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} on {self.key}"

    async def execute(self, context: JobContext) -> jira.Worklog:
        """Run the job; the queue calls this.

        Raises:
            UnsendableWorkOrComment: The text or the moment cannot be sent.
            JiraError: Jira refused it, or it is not known whether Jira has it.
        """
        async with session_reporting_end(self, context, lambda: "ask Jira what it has") as session:
            comment = _document_or_none_if_empty(self.comment, {})
            began = _typed_start_or_now(self.typed_start, session)
            send = partial(
                session.jira.add_worklog,
                self.key,
                spent=self.time_spent,
                started=jira_moment(began),
                comment=comment,
            )

            async def find() -> jira.Worklog | None:
                for worklog in await session.jira.worklogs(self.key, since=began):
                    if worklog.started == began and worklog.author_id == session.user.account_id:
                        return worklog
                return None

            worklog = await send_once(send, find)
        session.progress.report(f"Logged {worklog.spent} on {self.key}")
        return worklog


@dataclass(frozen=True, slots=True)
class AddedComment:
    """A comment that was added.

    Attributes:
        id: Its number.
        mention_warnings: Its mentions that Jira has as plain text, in words.
    """

    id: str
    mention_warnings: tuple[str, ...] = ()


@dataclass(kw_only=True)
class CommentJob(SessionJob):
    """A job that adds a comment to an issue, once.

    Attributes:
        key: The issue's key.
        text: The comment, in Markdown.

    Cancellation:
        Takes effect at once, inside the request too. Jira may have the comment then.
    """

    action_name = "Comment"

    key: str
    text: str

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} on {self.key}"

    async def execute(self, context: JobContext) -> AddedComment:
        """Run the job; the queue calls this.

        Raises:
            UnsendableWorkOrComment: The text cannot be sent.
            JiraError: Jira refused it, or it is not known whether Jira has it.
        """
        async with session_reporting_end(self, context, lambda: "ask Jira what it has") as session:
            names = dict.fromkeys(one.name_or_email for one in jira.adf.named_people(self.text))
            people = {name: await session.jira.top_matching_users(name) for name in names}
            document = _document_or_none_if_empty(self.text, people)
            if document is None:
                raise UnsendableWorkOrComment(self.text, "the comment is empty")
            before = await fetch_comments_as_issue(session, self.key, self.key)
            entry = SentComment(
                marker="",
                issue=before.id,
                key=self.key,
                text=self.text,
                body=document,
                account=session.user.account_id,
                after=highest_comment_id(before.fields),
            )

            async def find() -> str | None:
                now = await fetch_comments_as_issue(session, self.key, self.key)
                return next((comment.id for comment in find_answers_in_jira([entry], [now])), None)

            add = partial(session.jira.add_comment, self.key, document)
            number = await send_once(add, find)
        session.progress.report(f"Commented on {self.key}")
        warnings = (words for _, words in rich_text.mention_warnings(self.text, "", people))
        return AddedComment(number, tuple(warnings))


def _document_or_none_if_empty(
    text: str, people: Mapping[str, Sequence[jira.User]]
) -> dict[str, object] | None:
    """Convert a text with the people it mentions; raise `UnsendableWorkOrComment` if Jira would refuse or lose it."""
    try:
        return rich_text.checked_document_of_text(rich_text.with_mention_ids(text, people))
    except BadValue as error:
        raise UnsendableWorkOrComment(text, str(error)) from None


def _typed_start_or_now(text: str, session: Session) -> datetime:
    if not text:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)  # as exact as Jira is
    moment = read_typed_moment(text)
    if moment is None:
        raise UnsendableWorkOrComment(text, "write when the work began like 2026-01-31 09:30")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(session.user.time_zone))
    if moment.tzinfo is None:
        raise UnsendableWorkOrComment(
            text, f"it needs a zone, as in {text}+0100: that of your account is not known"
        )
    return moment


@dataclass(kw_only=True)
class ListAttachmentsJob(SessionJob):
    """A job that lists the attachments of the issues with some keys."""

    action_name = "List attachments"

    keys: Sequence[str]

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} of {', '.join(self.keys)}"

    async def execute(self, context: JobContext) -> downloading.AttachmentLists:
        """Run the job; the queue calls this."""
        async with session_reporting_end(self, context, lambda: "nothing was changed") as session:
            return await downloading.fetch_attachment_lists(session, self.keys)


@dataclass(kw_only=True)
class GetAttachmentsJob(SessionJob):
    """A job that downloads the attachments of the issues with some keys.

    Cancellation:
        Takes effect at once, inside a running request too. Complete files stay; incomplete ones are
        removed.
    """

    action_name = "Download attachments"

    keys: Sequence[str]
    _done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} of {', '.join(self.keys)}"

    async def execute(self, context: JobContext) -> downloading.AttachmentTransferResult:
        """Run the job; the queue calls this."""
        done = self._done
        done.clear()
        async with session_reporting_end(self, context, lambda: _count_files(len(done))) as session:
            listed = await downloading.fetch_attachment_lists(session, self.keys)
            survey = await session.survey(refuse_drafts_that_lost_keys=False)
            locations = survey.locations_of_unread_keys | survey.locations
            homes = {key: location.path for key, location in locations.items()}
            result = await downloading.download_missing(
                session, listed.attachments_by_key, homes, done
            )
        session.progress.report(f"Downloaded {_count_files(len(done))}")
        return replace(result, failed=(*listed.failed, *result.failed))


@dataclass(kw_only=True)
class AddAttachmentsJob(SessionJob):
    """A job that attaches files to an issue, one after the other.

    Attributes:
        key: The issue's key.
        files: The files.

    Cancellation:
        Takes effect at once, inside a running request too. Jira may have the file that was on its
        way.
    """

    action_name = "Attach files"

    key: str
    files: Sequence[Path]
    _done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    _sending_path: str = field(default="", init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} to {self.key}"

    def _done_so_far_words(self) -> str:
        words = f"{_count_files(len(self._done))} attached"
        return f"{words}; Jira may have {self._sending_path}, too" if self._sending_path else words

    async def execute(self, context: JobContext) -> downloading.AttachmentTransferResult:
        """Run the job; the queue calls this."""
        done, failed = self._done, list[Note]()
        done.clear()
        self._sending_path = ""
        async with session_reporting_end(self, context, self._done_so_far_words) as session:
            settings = await session.jira.attachment_settings()
            for path in self.files:
                try:
                    await self._attach(session, path, settings)
                except jira.AuthenticationFailed:
                    raise
                except (_NotAttachable, jira.Rejected) as error:
                    failed.append(Note(self.key, str(path), str(error), Code.REFUSED_BY_JIRA))
                except jira.JiraError as error:
                    failed.append(Note(self.key, str(path), str(error), Code.REQUEST_FAILED))
                except OSError as error:
                    failed.append(Note(self.key, str(path), str(error), Code.BROKEN))
                else:
                    done.append(str(path))
        session.progress.report(f"Attached {_count_files(len(done))} to {self.key}")
        return downloading.AttachmentTransferResult(tuple(done), failed=tuple(failed))

    async def _attach(
        self, session: Session, path: Path, settings: jira.AttachmentSettings
    ) -> None:
        """Attach one file.

        Raises:
            _NotAttachable: The site takes no attachments, or none as large.
            JiraError: Jira does not have it, or that is unknown.
            OSError: The file cannot be read.
        """
        if not settings.enabled:
            raise _NotAttachable("attachments are switched off on this site")
        file, size = await session.in_thread(_open_regular_file, path)
        with closing(file):
            if settings.max_upload_bytes is not None and size > settings.max_upload_bytes:
                most = size_text(settings.max_upload_bytes)
                raise _NotAttachable(f"it has {size_text(size)}; Jira takes {most} at most")
            await self._upload_looking_if_answer_lost(
                session, file, path, size, settings.max_upload_bytes
            )

    async def _upload_looking_if_answer_lost(
        self, session: Session, file: IO[bytes], path: Path, size: int, limit: int | None
    ) -> None:
        """Send a file; if its answer is lost, look whether Jira has it before it is sent again.

        Raises:
            JiraError: Jira does not have it, or that is unknown.
        """
        key, name = self.key, path.name
        before = await _possible_attachment_ids(session, key, name, size)
        meter = downloading.TransferMeter(session, size, "Uploading")

        async def send() -> bool:
            upload = jira.Upload(
                file,
                name,
                size,
                limit=limit,
                in_thread=session.in_thread,
                on_sent=lambda sent: meter.report_overall_moved(sent, name),
            )
            self._sending_path = str(path)
            try:
                await session.jira.add_attachment(key, upload)
            except jira.JiraError as error:
                if not may_have_arrived(error):
                    self._sending_path = ""
                raise
            return True

        async def find() -> bool | None:
            has_it = bool(await _possible_attachment_ids(session, key, name, size) - before)
            self._sending_path = ""
            return has_it or None

        await send_once(send, find)
        self._sending_path = ""


async def _possible_attachment_ids(session: Session, key: str, name: str, size: int) -> set[str]:
    """Return the IDs of an issue's attachments that may be the file that is sent."""
    listed = await downloading.fetch_attachment_lists(session, [key])
    return {
        attachment.id
        for attachments in listed.attachments_by_key.values()
        for attachment in attachments
        if (attachment.name, attachment.size) == (name, size)
        and attachment.author_id in {"", session.user.account_id}
    }


class _NotAttachable(Exception):
    """Raised when a site does not take a file; it says why."""


def _open_regular_file(path: Path) -> tuple[IO[bytes], int]:
    """Open a regular file; a named pipe would wait for ever.

    Raises:
        OSError: It cannot be read, or is something else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise OSError(f"it cannot be read: {error.strerror or error}") from error
    file = os.fdopen(descriptor, "rb")
    file_stat = os.fstat(descriptor)
    if not stat.S_ISREG(file_stat.st_mode):
        file.close()
        raise OSError("it cannot be read: it is not a file")
    return file, file_stat.st_size


def _count_files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
