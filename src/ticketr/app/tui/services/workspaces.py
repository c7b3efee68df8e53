"""The workspaces of the app: made, opened when they are needed, and added while it runs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, ClassVar, Protocol, final

import trio

from ticketr import Job, TicketrError
from ticketr.app import sync
from ticketr.app.config import BUILT_IN_ALIASES, STATE_FOLDER
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest
from ticketr.app.tui.messages import Message
from ticketr.text import clean


def open_workspace(
    title: str, options: sync.SessionOptions, query_by_alias: Mapping[str, str] = BUILT_IN_ALIASES
) -> OpenWorkspace:
    """Return a workspace that the app can show, pull and push.

    Args:
        title: Its name.
        options: The options of its jobs.
        query_by_alias: The names for queries, with their queries.
    """
    address = options.get("browser_site") or options["credentials"].site
    return OpenWorkspace(
        name=clean(title),
        store=sync.Store(options["root"], STATE_FOLDER, options.get("state_owner_mark")),
        make_job=partial(job_for, options),
        site=site_without_https(address),
        project=clean(options.get("project") or ""),
        site_url=address,
        email=options["credentials"].email,
        preferred_side=options.get("prefer"),
        ask_jira=lambda question, *args: question(options, *args),
        query_by_alias=query_by_alias,
        default_draft_type=options.get("default_draft_type", "Task"),
        keeps_comments=options.get("comments", False),
        new_subtasks_inherit=options.get("inherit", True),
    )


def error_with_relative_paths(store: sync.Store, error: Exception) -> str:
    """Return the words of an error, in which paths are relative to the workspace."""
    return str(error).replace(f"{store.root}{os.sep}", "")


def site_without_https(address: str) -> str:
    """Return the address of a site for people."""
    return clean(address.removeprefix("https://"))


_JOB_BY_KIND: Mapping[JobKind, Callable[..., Job[object]]] = {
    JobKind.PULL: sync.PullJob,
    JobKind.PUSH: sync.PushJob,
    JobKind.SYNC: sync.SyncJob,
    JobKind.BULK: sync.BulkJob,
    JobKind.WORKLOG: sync.LogWorkJob,
    JobKind.ATTACH: sync.AddAttachmentsJob,
}
#: The kinds of jobs that can be limited to some tickets.
_LIMITABLE_TO_TICKETS = frozenset((JobKind.PULL, JobKind.PUSH))


def job_for(
    options: sync.SessionOptions, request: JobRequest, on_written: sync.OnTicketsWritten
) -> Job[object]:
    """Return the job that does what is asked.

    Args:
        options: The options of the workspace.
        request: What is asked.
        on_written: Takes tickets that the job has written.
    """
    more = {"keys": request.issue_keys or None} if request.kind in _LIMITABLE_TO_TICKETS else {}
    return _JOB_BY_KIND[request.kind](
        **{**options, **request.options, **more, "on_written": on_written}
    )


class FileReader(Protocol):
    """Reads the files of a workspace."""

    async def read_and_compare(self) -> None:
        """Read all files, and send what they hold."""
        ...


async def _give_empty_answer(*_: object) -> tuple[()]:
    """Return nothing, where there is no Jira."""
    await trio.lowlevel.checkpoint()
    return ()


@dataclass(frozen=True, slots=True)
class OpenWorkspace:
    """A workspace that the app works on.

    Attributes:
        name: Its name, which no other one has.
        store: Its files.
        make_job: Makes a job; the callback takes tickets that the job has written. It raises
            `TicketrError` if a setting is missing.
        site: The address of its site, for people.
        project: The key of its project; may be empty.
        site_url: The address of its site in a browser; empty if it has none.
        email: The mail address of the account; empty if it is not known.
        preferred_side: The side that wins where both sides have changed the same; None for a conflict.
        ask_jira: Calls a function of `sync` that asks Jira, with the options of the workspace before the
            given arguments. It raises `TicketrError` if there is no answer or a setting is missing.
        query_by_alias: The names for queries, with their queries.
        default_draft_type: The type of a new ticket that names none.
        keeps_comments: Whether its files hold comments.
        has_login: Returns whether its token is known, so that a job asks the user for nothing.
        new_subtasks_inherit: Whether new sub-tasks take over the fields of their tickets.
    """

    name: str
    store: sync.Store
    make_job: Callable[[JobRequest, sync.OnTicketsWritten], Job[object]]
    site: str = ""
    project: str = ""
    site_url: str = ""
    email: str = ""
    preferred_side: sync.Side | None = None
    ask_jira: Callable[..., Awaitable[Any]] = _give_empty_answer
    query_by_alias: Mapping[str, str] = field(default_factory=dict[str, str])
    default_draft_type: str = "Task"
    keeps_comments: bool = False
    new_subtasks_inherit: bool = True
    has_login: Callable[[], bool] = lambda: True

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.store.root

    def opened_message(self, name: str, *, is_wanted: bool = False, words: str = "") -> Message:
        """Return the message that it was opened under a name."""
        return messages.WorkspaceOpened(
            name,
            self.site,
            self.project,
            is_asked_for=is_wanted,
            notice=words,
            query_by_alias=self.query_by_alias,
            keeps_comments=self.keeps_comments,
        )


@dataclass(frozen=True, slots=True)
class ClosedWorkspace:
    """A workspace that is opened when it is selected, or when a job of it is asked for.

    Attributes:
        name: Its name, which no other one has.
        open: Opens it; raises `TicketrError` or OSError.
        site: The address of its site, for people.
        project: The key of its project; empty until it is known.
        root: Its folder; None if that is not known before it is open.
        query_by_alias: No names for queries are known before it is open.
        keeps_comments: Not known, either.
    """

    name: str
    open: Callable[[], Awaitable[OpenWorkspace]]
    site: str = ""
    project: str = ""
    root: Path | None = None
    query_by_alias: ClassVar[Mapping[str, str]] = {}
    keeps_comments: ClassVar[bool | None] = None


@final
class WorkspaceRegistry:
    """The workspaces of the app by their names: the open ones, and those that can be opened.

    Attributes:
        by_name: The open workspaces.
        readers: The readers of their files.
        closed: Those that have not been opened yet.

    Args:
        workspaces: The workspaces at the start; their names differ.
        make_reader: Makes the reader of an open workspace's files.
        send: Sends a message to the app.
    """

    def __init__(
        self,
        workspaces: Iterable[OpenWorkspace | ClosedWorkspace],
        make_reader: Callable[[OpenWorkspace], FileReader],
        send: Callable[[Message], None],
    ) -> None:
        self._make_reader = make_reader
        self._send = send
        self.by_name: dict[str, OpenWorkspace] = {}
        self.readers: dict[str, FileReader] = {}
        self.closed: dict[str, ClosedWorkspace] = {}
        self._locks: dict[str, trio.Lock] = {}
        for workspace in workspaces:
            if isinstance(workspace, OpenWorkspace):
                self._add_open_with_reader(workspace)
            else:
                self.closed[workspace.name] = workspace
                self._locks[workspace.name] = trio.Lock()

    @property
    def folders(self) -> Mapping[str, str]:
        """The folder of each workspace, by its name."""
        known: dict[str, OpenWorkspace | ClosedWorkspace] = {**self.closed, **self.by_name}
        return {name: str(workspace.root) for name, workspace in known.items() if workspace.root}

    async def ensure_open(self, name: str) -> bool:
        """Open a workspace, unless it is open; report an error.

        Returns:
            Whether it is open.

        Cancellation:
            Leaves it closed.
        """
        async with self._locks[name]:
            if name in self.by_name:
                return True
            try:
                opened = await self.closed[name].open()
            except (TicketrError, OSError) as error:
                self._send(messages.WorkspaceNotOpened(name, clean(str(error))))
                return False
            self._add_open_with_reader(replace(opened, name=name))
            del self.closed[name]
        self._send(opened.opened_message(name))
        return True

    def add_or_replace(self, workspace: OpenWorkspace) -> str:
        """Add a workspace, or replace the one in the same folder.

        Returns:
            Its name: its own, or another one if that is taken.
        """
        root = workspace.store.root
        same = (name for name, other in self.by_name.items() if other.store.root == root)
        others = chain([workspace.name], (f"{workspace.name}-{number}" for number in count(2)))
        free = (name for name in others if name not in self.by_name | self.closed)
        name = next(chain(same, free))
        self._add_open_with_reader(replace(workspace, name=name))
        return name

    def _add_open_with_reader(self, workspace: OpenWorkspace) -> None:
        self.by_name[workspace.name] = workspace
        self.readers[workspace.name] = self._make_reader(workspace)
