"""What pull, push and sync have in common: the locked workspace, the site, the progress.

A session begins with what a killed run has left behind: issues that Jira was asked to create and
whose keys are not in their files yet.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import KW_ONLY, asdict, dataclass, field, fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import trio

from ticketr.config import STATE_FOLDER
from ticketr.jira import BadRequest, Field, JiraError, NotFound, open_jira
from ticketr.sync.compare.mapping import Columns
from ticketr.sync.compare.moments import zone_of
from ticketr.sync.edits.reading import visit_files
from ticketr.sync.edits.survey import LocalSurvey
from ticketr.sync.errors import RenamedProject, UnknownField
from ticketr.sync.state.state import State
from ticketr.sync.workspace.editor import Editor
from ticketr.sync.workspace.layout import Layout
from ticketr.sync.workspace.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from ticketr import JobContext
    from ticketr.config import WantedField
    from ticketr.jira import Credentials, JiraClient
    from ticketr.jira.transport import Transport
    from ticketr.sync.compare.merge import Side
    from ticketr.sync.threads import ThreadRunner
    from ticketr.tickets import Ticket

#: Requests under way at once; Jira's rate limits make 4 to 8 a polite number.
CONCURRENCY = 4
#: Issues in one bulk fetch; Jira allows no more.
PAGE = 100
#: Seconds for which a site's list of fields is taken for what it was.
FIELDS_AGE = 86_400.0

#: Told about tickets that were just written, each with its file, relative to the workspace.
OnWritten: TypeAlias = "Callable[[Sequence[tuple[Ticket, str]]], None]"


@dataclass
class SessionJob:
    """What every job between a workspace and its site is told.

    Jobs of one workspace must not run at once: submit them with the workspace as ``key``. Between
    processes a lock sees to that.

    Attributes:
        root: The workspace's folder.
        credentials: The site and the login.
        project: The key of the project; needed unless ``jql`` is given, and for drafts.
        jql: A query of the user's own, instead of a whole project.
        fields: Further fields to keep in files.
        story_type: The type of a draft that names none.
        subtask_type: The type of a sub-task that names none.
        prefer: Who wins where both sides have changed the same; None makes it a conflict.
        prefer_from_file: Whether that is said by a file that came with the folder. Then the files
            win nothing where no last sync of this machine's own is known.
        browse: The site's address for browsers, if it is another.
        mark: What the state file bears if this user made it; None to take any.
        transport: Another way to reach the site than httpx.
        on_written: Called, on Trio's thread, with tickets that were just written and their files.
        run_sync: How blocking work is run.
        settle: Seconds within which a request whose answer was lost may still be carried out.
    """

    root: Path
    credentials: Credentials
    _: KW_ONLY
    project: str | None = None
    jql: str | None = None
    fields: tuple[WantedField, ...] = ()
    story_type: str = "Task"
    subtask_type: str = "Sub-task"
    prefer: Side | None = None
    prefer_from_file: bool = False
    browse: str | None = None
    mark: str | None = field(default=None, repr=False)
    transport: Transport | None = None
    on_written: OnWritten = field(default=lambda _: None)
    run_sync: ThreadRunner = field(default=trio.to_thread.run_sync)
    settle: float = 30.0

    @classmethod
    def like(cls, other: SessionJob, **changes: Any) -> Self:
        """Make a job of this kind for the same workspace and site.

        Args:
            other: A job of any kind.
            changes: What is to be different.
        """
        common = {each.name: getattr(other, each.name) for each in dataclass_fields(SessionJob)}
        return cls(**(common | changes))

    @property
    def site(self) -> str:
        """The site that the workspace belongs to, however it is reached."""
        return self.browse or self.credentials.site


class Progress:
    """Tells how a job is getting on, whoever of its parts is speaking.

    Args:
        context: The job's context.
        redact: Takes secrets out of what is told, which may be a server's words.
    """

    def __init__(self, context: JobContext, redact: Callable[[str], str]) -> None:
        self._context = context
        self._redact = redact
        self._done = 0

    def begin(self, message: str) -> None:
        """Begin a phase whose extent is not known yet."""
        self._done = 0
        self._context.report(current=0, total=0, message=self._redact(message))

    def say(self, message: str) -> None:
        """Tell something without moving on."""
        self._context.report(current=self._done, message=self._redact(message))

    def move(self, done: int, total: int, message: str) -> None:
        """Tell how far the phase is."""
        self._done = done
        self._context.report(current=done, total=total, message=self._redact(message))

    def wait(self, seconds: float, reason: str) -> None:
        """Tell about a wait."""
        self.say(f"Waiting {math.ceil(seconds)}s: {reason}")


@dataclass(frozen=True)
class Workspace:
    """A workspace that is locked for one job.

    Attributes:
        job: What the job was told.
        progress: Where to tell how it goes.
        store: The ticket files.
        state: The last sync.
        disk: Whoever changes files while others might holds this.
        recent: Keys that were written into their files of late; a job that finds one gone from
            there brings it back by itself, or creates its issue anew.
    """

    job: SessionJob
    progress: Progress
    store: Store
    state: State
    disk: trio.Lock
    recent: frozenset[str]

    @property
    def in_thread(self) -> ThreadRunner:
        """How blocking work is run."""
        return self.job.run_sync

    @property
    def editor(self) -> Editor:
        """Who changes the ticket files."""
        return Editor(self.store)

    async def visit_files(self, visit: Callable[[Sequence[Path]], object]) -> None:
        """Go through the files that may hold tickets, some at a time, on worker threads.

        Args:
            visit: Given some files.
        """
        await visit_files(self.store, self.in_thread, visit)

    async def layout(self) -> Layout:
        """Find every ticket with a key in the workspace, and what cannot be read.

        Raises:
            StateFailed: The state cannot be read.
        """
        layout = Layout()
        await self.visit_files(lambda paths: layout.add(self.store, paths))
        await self.in_thread(layout.complete, self.state)
        return layout

    async def survey(self) -> LocalSurvey:
        """Compare every ticket in the workspace with the last sync; see what is `broken` there.

        Raises:
            StateFailed: The state cannot be read.
        """
        survey = LocalSurvey()
        await self.visit_files(lambda paths: survey.add(self.store, self.state, paths))
        refused = await self.in_thread(
            survey.refuse_lost_keys, self.state, self.recent, self.job.project
        )
        survey.broken |= refused
        return survey


@dataclass(frozen=True)
class Session(Workspace):
    """A locked workspace and its site.

    Attributes:
        jira: The site.
        site_fields: Every field that the site has.
        columns: The fields that are written to files.
        zone: The account's time zone; None if it is not known.
    """

    jira: JiraClient
    site_fields: tuple[Field, ...]
    columns: Columns
    zone: tzinfo | None = None

    @asynccontextmanager
    async def naming_project(self) -> AsyncGenerator[None]:
        """Tell of a project that was renamed where Jira does not know it by the key in the settings.

        Raises:
            RenamedProject: Jira has refused something in the block, and the project is renamed.
        """
        try:
            yield
        except (BadRequest, NotFound):
            key = self.job.project
            new = await self._key_now(key) if key is not None else None
            if new is None or new == key:
                raise
            raise RenamedProject(key or "", new) from None

    async def _key_now(self, project: str) -> str | None:
        """Ask for the key that a project has now; Jira knows it by its former ones as well."""
        try:
            return (await self.jira.project(project)).key
        except JiraError:  # the first error tells more
            return None

    async def now(self) -> float:
        """Ask for the time by Jira's clock, in seconds since the epoch."""
        told = (await self.jira.server_info()).server_time
        return told.timestamp() if told else time.time()


@asynccontextmanager
async def open_workspace(job: SessionJob, progress: Progress) -> AsyncGenerator[Workspace]:
    """Lock a workspace and open its state; nothing is asked yet.

    Args:
        job: What the job was told.
        progress: Where to tell how it goes.

    Yields:
        The workspace. When the block is left, or cancelled, everything is closed.

    Raises:
        WorkspaceBusy: Another process is changing the workspace.
        OtherSite: It holds the tickets of another site.
        StateFailed: Its state file cannot be used.
        ForeignState: Its state file does not bear the user's mark.
        UnsafePath: A link or the like has a name of ticketr's own.
        FileFailed: The folder cannot be made or written.
    """
    store = Store(job.root, STATE_FOLDER, job.mark)
    await job.run_sync(store.prepare)
    with store.lock():
        state = await job.run_sync(State, store.state_path, store.mark)
        try:
            await job.run_sync(state.site_record.check_site, job.root, job.site)
            recent = await job.run_sync(state.recent)
            yield Workspace(job, progress, store, state, trio.Lock(), recent)
        finally:
            with trio.CancelScope(shield=True):  # closing one file is soon done
                await job.run_sync(state.close)


@asynccontextmanager
async def open_session(workspace: Workspace) -> AsyncGenerator[Session]:
    """Connect a workspace with its site, and see that the site takes the login.

    Args:
        workspace: The workspace.

    Yields:
        The session. When the block is left, or cancelled, every connection is closed.

    Raises:
        JiraError: The site cannot be reached or does not take the login.
        UnknownField: The site lacks a field that the files are to hold.
        UnsupportedField: The files cannot hold one of them.
    """
    job = workspace.job
    workspace.progress.say("Connecting to Jira...")
    async with open_jira(
        job.credentials,
        transport=job.transport,
        browse=job.browse,
        max_concurrency=CONCURRENCY,
        on_wait=workspace.progress.wait,
    ) as jira:
        account = await jira.myself()  # tells whether the login is good, before all else
        zone = await job.run_sync(zone_of, account.time_zone)
        # Only now: a mistyped address must not own the folder.
        await job.run_sync(workspace.state.site_record.claim_site, job.site)
        fields, columns = await _columns(workspace, jira)
        common = {each.name: getattr(workspace, each.name) for each in dataclass_fields(Workspace)}
        yield Session(**common, jira=jira, site_fields=fields, columns=columns, zone=zone)


async def _columns(workspace: Workspace, jira: JiraClient) -> tuple[tuple[Field, ...], Columns]:
    """Give the site's fields, and those of them that files hold.

    They change so rarely that a pull need not ask each time; a name that is missing is asked for.
    """
    job, site_record = workspace.job, workspace.state.site_record
    kept = await job.run_sync(lambda: site_record.kept_fields(now=time.time(), age=FIELDS_AGE))
    if kept is not None:
        names = {each.name for each in dataclass_fields(Field)}
        # Another version may have kept less, or something may have broken it.
        with suppress(UnknownField, ValueError, TypeError, AttributeError):
            known = json.loads(kept)
            if all(each.keys() == names for each in known):
                fields = tuple(Field(**each) for each in known)
                return fields, Columns.of(fields, job.fields)
    fields = await jira.fields()
    answer = json.dumps([asdict(each) for each in fields])
    await job.run_sync(lambda: site_record.keep_fields(answer, at=time.time()))
    return fields, Columns.of(fields, job.fields)
