"""The locked workspace and its site, which the jobs share: their options, and how they report progress."""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Required, TypeAlias, TypedDict

import trio

from ticketr.app.config import STATE_FOLDER, NameOrUserNamedField
from ticketr.app.jira import Credentials, Field, JiraClient, JiraError, NotFound, User, open_jira
from ticketr.app.jira.transport import Transport
from ticketr.app.sync.compare.diff import Side
from ticketr.app.sync.compare.mapping import Columns
from ticketr.app.sync.concurrency import CONCURRENT_REQUESTS, ThreadRunner
from ticketr.app.sync.edits.survey import LocalSurvey, find_files
from ticketr.app.sync.errors import RenamedProject, UnknownFieldInSettings, UnknownProject
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import Store
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr import JobContext
    from ticketr.app.config import SupportLog


#: Called with tickets that were just written, each with its file, relative to the workspace.
OnTicketsWritten: TypeAlias = "Callable[[Sequence[tuple[Ticket, str]]], None]"


class SessionOptions(TypedDict, total=False):
    """The attributes of `SessionJob`, as keywords."""

    root: Required[Path]
    credentials: Required[Credentials]
    project: str | None
    project_place: str
    jql: str | None
    fields: tuple[NameOrUserNamedField, ...]
    comments: bool
    links: bool
    attachment_mode: Literal["list", "download"] | None
    inherit: bool
    default_draft_type: str
    default_subtask_type: str
    prefer: Side | None
    is_prefer_from_folder: bool
    browser_site: str | None
    state_owner_mark: str | None
    transport: Transport | None
    on_written: OnTicketsWritten
    run_sync: ThreadRunner
    lost_request_life_seconds: float


@dataclass
class SessionJob:
    """The options of every job between a workspace and its site.

    Jobs of one workspace must not run at once: submit them with the workspace as ``key``. A lock
    keeps out other processes.

    Attributes:
        action_name: What the job does, as the beginning of its name.
        root: The workspace's folder.
        credentials: The site and the login.
        project: The key of the project; needed unless ``jql`` is given, and for drafts.
        project_place: The setting that names the project, for people; empty if unknown.
        jql: The user's own query, instead of a whole project.
        fields: Further fields to write into files.
        comments: Whether to write comments into files.
        links: Whether to write lines of links to other issues into files.
        attachment_mode: ``"list"`` to list attachments in the files, ``"download"`` for a pull to
            download them, too; None for neither.
        inherit: Whether new sub-tasks take over the fields of their tickets.
        default_draft_type: The type of a draft that names none.
        default_subtask_type: The type of a sub-task that names none.
        prefer: The side that wins if both have changed the same part; None makes it a conflict.
        is_prefer_from_folder: Whether ``prefer`` comes from a file in the folder. If so, the local side
            wins only after a sync on this machine.
        browser_site: The site's address for browsers, if it differs.
        state_owner_mark: The user's mark, which the state file must have; None to accept any file.
        transport: Used instead of httpx.
        on_written: Called, on Trio's thread, with tickets that were just written and their files.
        run_sync: Runs blocking work on a worker thread.
        lost_request_life_seconds: For how many seconds Jira may still execute a request whose answer was
            lost.
    """

    action_name: ClassVar[str]

    root: Path
    credentials: Credentials
    _: KW_ONLY
    project: str | None = None
    project_place: str = ""
    jql: str | None = None
    fields: tuple[NameOrUserNamedField, ...] = ()
    comments: bool = False
    links: bool = False
    attachment_mode: Literal["list", "download"] | None = None
    inherit: bool = True
    default_draft_type: str = "Task"
    default_subtask_type: str = "Sub-task"
    prefer: Side | None = None
    is_prefer_from_folder: bool = False
    browser_site: str | None = None
    state_owner_mark: str | None = field(default=None, repr=False)
    transport: Transport | None = None
    on_written: OnTicketsWritten = field(default=lambda _: None)
    run_sync: ThreadRunner = field(default=trio.to_thread.run_sync)
    lost_request_life_seconds: float = 30.0

    @property
    def name(self) -> str:
        """The job's name in lists: what it does, and what it is about."""
        return f"{self.action_name} {'by query' if self.jql is not None else self.project}"

    @property
    def ticket_tags(self) -> frozenset[str]:
        """The tags of the tickets to which it is limited, for the queue; none if it is not."""
        return frozenset()

    @property
    def workspace_site(self) -> str:
        """The address of the site that the workspace belongs to."""
        return self.browser_site or self.credentials.site


#: Seconds without an answer after which a job says so.
REPORT_SILENCE_AFTER_SECONDS = 3.0


@dataclass(eq=False)
class Progress:
    """Reports the progress of a job, without secrets that a server may quote."""

    _context: JobContext
    _redact: Callable[[str], str]
    _done: int = field(default=0, init=False)
    _message: str = field(default="", init=False)
    _is_site_silent: bool = field(default=False, init=False)

    def report(self, message: str, done: int | None = None, total: int | None = None) -> None:
        """Report a message, and how far the phase is; a number that is None stays as it was."""
        if done is not None:
            self._done = done
        self._message, self._is_site_silent = self._redact(message), False
        self._context.report(current=self._done, total=total, message=self._message)

    def report_silence(self, seconds: float) -> None:
        """Report that the site has not answered for so many seconds; 0 once it has."""
        if seconds >= REPORT_SILENCE_AFTER_SECONDS:
            self._is_site_silent = True
            words = f"no answer for {math.floor(seconds)}s"
            self._context.report(current=self._done, message=words)
        elif self._is_site_silent:
            self._is_site_silent = False
            self._context.report(current=self._done, message=self._message)

    def report_wait(self, seconds: float, reason: str) -> None:
        """Report a wait."""
        self.report(f"Waiting {math.ceil(seconds)}s: {reason}")


#: Seconds for which a site's list of fields is kept.
_MAX_FIELDS_AGE_SECONDS = 86_400.0


@dataclass(frozen=True)
class Session:
    """A workspace that is locked for one job, and its site.

    Its methods raise `StateFailed` if the state cannot be read.

    Attributes:
        job: The job's options.
        in_thread: Runs blocking work on a worker thread.
        progress: Reports the job's progress.
        store: The ticket files.
        state: The last sync.
        disk_lock: The lock for changes to the files and the state.
        recorded_creations: The requests for new issues in the state when the job began. The job writes their
            keys into their files if they are missing there, or creates a deleted issue again.
        jira: The site.
        site_fields: Every field that the site has.
        file_fields: The fields that are written to files.
        user: The account.
        opened_at_trio_time: When the session was opened, by Trio's clock.
    """

    job: SessionJob
    in_thread: ThreadRunner
    progress: Progress
    store: Store
    state: State
    disk_lock: trio.Lock
    recorded_creations: Sequence[Creation]
    jira: JiraClient
    site_fields: tuple[Field, ...]
    file_fields: Columns
    user: User
    opened_at_trio_time: float

    async def survey(self, *, refuse_drafts_that_lost_keys: bool = True) -> LocalSurvey:
        """Compare every ticket in the workspace with the last sync.

        Args:
            refuse_drafts_that_lost_keys: Whether to do as `LocalSurvey.refuse_drafts_that_lost_keys`
                does, before a push.
        """
        survey = LocalSurvey()
        portions = survey.scan_in_portions(self.store, self.state, find_files(self.store))
        while await self.in_thread(next, portions, None):
            pass
        if refuse_drafts_that_lost_keys and survey.has_drafts:
            new_keys = {creation.key for creation in self.recorded_creations if creation.key}
            drop = survey.refuse_drafts_that_lost_keys
            run = partial(drop, inherit=self.job.inherit, new_keys=new_keys)
            await self.in_thread(run, self.state, self.job.project)
        return survey

    async def raise_if_project_is_cause(self) -> None:
        """Raise an error if Jira may have refused a request because of the project.

        See the function `raise_if_project_is_cause`.
        """
        job = self.job
        if job.project is None:
            await trio.lowlevel.checkpoint()
            return
        await raise_if_project_is_cause(
            self.jira,
            job.project,
            place=job.project_place,
            site=job.workspace_site,
            # A query of the user's own need not be about the project.
            is_required=job.jql is None,
        )


async def raise_if_project_is_cause(
    jira: JiraClient, project: str, *, place: str, site: str, is_required: bool = True
) -> None:
    """Raise an error if Jira may have refused a request because of the project.

    Args:
        jira: The client.
        project: The project's key.
        place: The setting that names it, for people; empty if unknown.
        site: The address of the site in a browser.
        is_required: Whether the request fails without the project.

    Raises:
        RenamedProject: The project has a new key.
        UnknownProject: Jira does not have it.
    """
    try:
        key = (await jira.project(project)).key
    except NotFound:
        if is_required:
            there = f"at {site}, or your account may not see it"
            words = f"{place} is {project}: there is no such project {there}"
            if not place:
                words = f"there is no project {project} {there}"
            raise UnknownProject(words) from None
        return
    except JiraError:  # the first error says more
        return
    if key != project:
        raise RenamedProject(
            f"the project {project} is called {key} in Jira now: write {key} where the settings"
            " name the project (ticketr.toml, JIRA_PROJECT_KEY), then pull, which writes the new"
            " keys into the files"
        ) from None


@asynccontextmanager
async def open_session(
    job: SessionJob, progress: Progress, log: SupportLog
) -> AsyncGenerator[Session]:
    """Lock a workspace, open its state, and log in to its site.

    Yields:
        The session. When the block exits or is cancelled, everything is closed.

    Raises:
        WorkspaceBusy: Another process is changing the workspace.
        OtherSite: The workspace holds the tickets of another site.
        StateFailed: Its state file cannot be used.
        UntrustedState: Its state file does not have the user's mark.
        WrongFileKind: A link or the like has the name of ticketr's folder.
        FileFailed: The folder cannot be created or written.
        JiraError: The site cannot be reached or refuses the login.
        UnknownFieldInSettings: The site does not have a field of the settings.
        UnsupportedFieldInSettings: Files cannot hold a field of the settings.
        ExceptionGroup: It holds such an error, or one of the block.
    """
    began = trio.current_time()
    store = Store(job.root, STATE_FOLDER, job.state_owner_mark)
    files = ExitStack()
    try:
        state, creations = await job.run_sync(_lock_and_open_state, job, store, files)
        progress.report("Connecting to Jira...")
        async with (
            open_jira(
                job.credentials,
                transport=job.transport,
                max_concurrency=CONCURRENT_REQUESTS,
                on_wait=progress.report_wait,
                log=log.write_unredacted,
                in_thread=job.run_sync,
            ) as jira,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(_report_silence, jira, progress)
            user = await jira.myself()
            # Only after the login: a mistyped address must not own the folder.
            claim = partial(
                state.site_record.set_site_and_read_fields,
                job.workspace_site,
                user.display_name,
                now=time.time(),
                max_age=_MAX_FIELDS_AGE_SECONDS,
            )
            fields_json = await job.run_sync(claim)
            fields, columns = await _load_site_fields_and_columns(job, state, jira, fields_json)
            yield Session(
                job=job,
                in_thread=job.run_sync,
                progress=progress,
                store=store,
                state=state,
                disk_lock=trio.Lock(),
                recorded_creations=creations,
                jira=jira,
                site_fields=fields,
                file_fields=columns,
                user=user,
                opened_at_trio_time=began,
            )
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):  # closing two files is quick
            await job.run_sync(files.close)


def _lock_and_open_state(
    job: SessionJob, store: Store, files: ExitStack
) -> tuple[State, Sequence[Creation]]:
    """Lock a workspace and open its state, until ``files`` is closed.

    Returns:
        The state, and the requests for new issues in it.
    """
    store.make_state_folder()
    files.enter_context(store.lock())
    state = State(store.state_path, job.state_owner_mark)
    files.callback(state.close)
    state.site_record.check_site(job.root, job.workspace_site)
    return state, state.creations.select()


async def _report_silence(jira: JiraClient, progress: Progress) -> None:
    while True:
        await trio.sleep(1)
        since = jira.unanswered_since
        progress.report_silence(0 if since is None else trio.current_time() - since)


async def _load_site_fields_and_columns(
    job: SessionJob, state: State, jira: JiraClient, fields_json: str | None
) -> tuple[tuple[Field, ...], Columns]:
    """Return the site's fields, and the columns that files hold.

    The site's fields rarely change, so they are fetched once a day, or if a name is missing.

    Args:
        job: The job's options.
        state: Where fetched fields are stored.
        jira: The site.
        fields_json: The site's fields of the last day, as JSON; None if there are none.
    """
    choose = partial(
        Columns.of,
        more=job.fields,
        comments=job.comments,
        links=job.links,
        attachments=job.attachment_mode is not None,
    )
    if fields_json is not None:
        # Another version may have stored other fields, or the text may be damaged.
        with suppress(UnknownFieldInSettings, ValueError, TypeError, AttributeError):
            known = json.loads(fields_json)
            if all(tuple(value) == Field._fields for value in known):
                fields = tuple(Field(**value) for value in known)
                return fields, choose(fields)
    fields = await jira.fields()
    answer = json.dumps([field._asdict() for field in fields])
    await job.run_sync(partial(state.site_record.cache_fields, answer, at=time.time()))
    return fields, choose(fields)
