"""The jobs that add something to an issue once: a record of work, or a comment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ticketr.app.jira import Worklog, adf
from ticketr.app.sync.compare.sent import SentComment, found_comments, highest_number
from ticketr.app.sync.compare.times import jira_moment, read_moment, zone_of
from ticketr.app.sync.errors import BadWork
from ticketr.app.sync.jobs.syncing import reporting_session
from ticketr.app.sync.push.commenting import read_comments
from ticketr.app.sync.push.outbox import send_once
from ticketr.app.sync.push.rich_text import new_document, unknown_people, with_mentions
from ticketr.app.sync.push.values import BadValue
from ticketr.app.sync.session import Session, SessionJob

if TYPE_CHECKING:
    from ticketr import JobContext


_SPENT = re.compile(
    r"(?:[0-9]{1,4}(?:\.[0-9]{1,2})?[wdhm])(?:\s*[0-9]{1,4}(?:\.[0-9]{1,2})?[wdhm])*"
)


_TIME = re.compile(r"(?:[0-9.]+[A-Za-z]+)+")


def checked_time(text: str) -> str:
    """Return a length of time as Jira takes it, such as ``1d 2h 30m``.

    Raises:
        BadWork: It is not a duration.
    """
    spent = " ".join(text.lower().split())
    if not _SPENT.fullmatch(spent) or not re.search("[1-9]", spent):
        raise BadWork(text, "write the time like 2h, 1d 4h or 1h 30m")
    return re.sub(r"(?<=[wdhm])\s*(?=[0-9])", " ", spent)


def split_work(text: str) -> tuple[str, str]:
    """Split a text such as ``1d 4h wrote the tests`` into the time, as Jira takes it, and the rest.

    Raises:
        BadWork: It does not begin with a duration.
    """
    end = 0
    for word in re.finditer(r"\s*(\S+)", text):
        if end and not _TIME.fullmatch(word[1]):
            break
        end = word.end()
    return checked_time(text[:end]), text[end:].strip()


@dataclass(kw_only=True)
class LogWorkJob(SessionJob):
    """A job that records work on an issue, once.

    Attributes:
        key: The issue's key.
        spent: How much time it took, from `checked_time`.
        text: A text on it, in Markdown; empty for none.
        started: When it began, as a user types it; empty for now.

    Cancellation:
        Takes effect at once, inside the request too. Jira may have the record then.
    """

    verb = "Log work"

    key: str
    spent: str
    text: str = ""
    started: str = ""

    @property
    def _subject(self) -> str:
        return f"on {self.key}"

    async def execute(self, context: JobContext) -> Worklog:
        """Run the job; the queue calls this.

        Raises:
            BadWork: The text or the moment cannot be sent.
            JiraError: Jira refused it, or it is not known whether Jira has it.
        """
        async with reporting_session(self, context, lambda: "ask Jira what it has") as session:
            comment = _comment(self.text)
            began = _start_time(self.started, session)
            worklog = await self._send(session, began, comment)
        session.progress.say(f"Logged {worklog.spent} on {self.key}")
        return worklog

    async def _send(
        self, session: Session, began: datetime, comment: dict[str, object] | None
    ) -> Worklog:
        """Send the record; if its answer is lost, look whether Jira has it."""
        send = partial(
            session.jira.add_worklog,
            self.key,
            spent=self.spent,
            started=jira_moment(began),
            comment=comment,
        )

        async def find() -> Worklog | None:
            for worklog in await session.jira.worklogs(self.key, since=began):
                if worklog.started == began and worklog.author == session.account:
                    return worklog
            return None

        return await send_once(send, find)


@dataclass(frozen=True, slots=True)
class AddedComment:
    """A comment that was added.

    Attributes:
        id: Its number.
        warnings: Its mentions that Jira has as plain text, in words.
    """

    id: str
    warnings: tuple[str, ...] = ()


@dataclass(kw_only=True)
class CommentJob(SessionJob):
    """A job that adds a comment to an issue, once.

    Attributes:
        key: The issue's key.
        text: The comment, in Markdown.

    Cancellation:
        Takes effect at once, inside the request too. Jira may have the comment then.
    """

    verb = "Comment"

    key: str
    text: str

    @property
    def _subject(self) -> str:
        return f"on {self.key}"

    async def execute(self, context: JobContext) -> AddedComment:
        """Run the job; the queue calls this.

        Raises:
            BadWork: The text cannot be sent.
            JiraError: Jira refused it, or it is not known whether Jira has it.
        """
        async with reporting_session(self, context, lambda: "ask Jira what it has") as session:
            names = [person.name for person in adf.named_people(self.text)]
            people = {name: await session.jira.find_users(name) for name in dict.fromkeys(names)}
            try:
                document = new_document(with_mentions(self.text, people, lambda line: ""))
            except BadValue as error:
                raise BadWork(self.text, str(error)) from None
            if document is None:
                raise BadWork(self.text, "the comment is empty")
            number = await self._send(session, document)
        session.progress.say(f"Commented on {self.key}")
        warnings = (words for _, words in unknown_people(self.text, "", people))
        return AddedComment(number, tuple(warnings))

    async def _send(self, session: Session, document: dict[str, object]) -> str:
        """Send the comment; if its answer is lost, look whether Jira has it."""
        before = await read_comments(session, self.key, self.key)
        asked = SentComment(
            marker="",
            issue=before.id,
            key=self.key,
            text=self.text,
            body=document,
            account=session.account,
            after=highest_number(before.fields),
        )

        async def find() -> str | None:
            now = await read_comments(session, self.key, self.key)
            return next((comment.id for comment in found_comments([asked], [now])), None)

        return await send_once(partial(session.jira.add_comment, self.key, document), find)


def _comment(text: str) -> dict[str, object] | None:
    """Convert the text of a record; raise `BadWork` if Jira would refuse or lose it."""
    try:
        return new_document(text)
    except BadValue as error:
        raise BadWork(text, str(error)) from None


def _start_time(text: str, session: Session) -> datetime:
    if not text:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)  # as exact as Jira is
    moment = read_moment(text)
    if moment is None:
        raise BadWork(text, "write when the work began like 2026-01-31 09:30")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(session.time_zone))
    if moment.tzinfo is None:
        raise BadWork(
            text, f"it needs a zone, as in {text}+0100: that of your account is not known"
        )
    return moment
