"""The options of every job between a workspace and its site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields as dataclass_fields
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Required, TypeAlias, TypedDict, cast

import trio

if TYPE_CHECKING:
    from ticketr.app.config import WantedField
    from ticketr.app.jira import Credentials
    from ticketr.app.jira.transport import Transport
    from ticketr.app.sync.compare.merge import Side
    from ticketr.app.sync.concurrency import ThreadRunner
    from ticketr.app.tickets import Ticket

#: Called with tickets that were just written, each with its file, relative to the workspace.
OnWritten: TypeAlias = "Callable[[Sequence[tuple[Ticket, str]]], None]"


class SessionOptions(TypedDict, total=False):
    """The attributes of `SessionJob`, as keywords."""

    root: Required[Path]
    credentials: Required[Credentials]
    project: str | None
    project_place: str
    jql: str | None
    fields: tuple[WantedField, ...]
    comments: bool
    links: bool
    attachments: str | None
    inherit: bool
    story_type: str
    subtask_type: str
    prefer: Side | None
    prefer_from_file: bool
    browse: str | None
    mark: str | None
    transport: Transport | None
    on_written: OnWritten
    run_sync: ThreadRunner
    late_request_window: float


@dataclass
class SessionJob:
    """The options of every job between a workspace and its site.

    Jobs of one workspace must not run at once: submit them with the workspace as ``key``. A lock
    keeps out other processes.

    Attributes:
        verb: What the job does, for its name.
        root: The workspace's folder.
        credentials: The site and the login.
        project: The key of the project; needed unless ``jql`` is given, and for drafts.
        project_place: The setting that names the project, for people; empty if unknown.
        jql: The user's own query, instead of a whole project.
        fields: Further fields to write into files.
        comments: Whether to write comments into files.
        links: Whether to write lines of links to other issues into files.
        attachments: ``"list"`` to list attachments in the files, ``"download"`` for a pull to
            download them, too; None for neither.
        inherit: Whether new sub-tasks take over the fields of their tickets.
        story_type: The type of a draft that names none.
        subtask_type: The type of a sub-task that names none.
        prefer: The side that wins if both have changed the same part; None makes it a conflict.
        prefer_from_file: Whether ``prefer`` comes from a file in the folder. If so, the local side
            wins only after a sync on this machine.
        browse: The site's address for browsers, if it differs.
        mark: The user's mark, which the state file must have; None to accept any file.
        transport: Used instead of httpx.
        on_written: Called, on Trio's thread, with tickets that were just written and their files.
        run_sync: Runs blocking work on a worker thread.
        late_request_window: For how many seconds Jira may still execute a request whose answer was
            lost.
    """

    verb: ClassVar[str]

    root: Path
    credentials: Credentials
    _: KW_ONLY
    project: str | None = None
    project_place: str = ""
    jql: str | None = None
    fields: tuple[WantedField, ...] = ()
    comments: bool = False
    links: bool = False
    attachments: str | None = None
    inherit: bool = True
    story_type: str = "Task"
    subtask_type: str = "Sub-task"
    prefer: Side | None = None
    prefer_from_file: bool = False
    browse: str | None = None
    mark: str | None = field(default=None, repr=False)
    transport: Transport | None = None
    on_written: OnWritten = field(default=lambda _: None)
    run_sync: ThreadRunner = field(default=trio.to_thread.run_sync)
    late_request_window: float = 30.0

    def options(self) -> SessionOptions:
        """Return the options that every job has, to make another job of the same workspace."""
        names = [dataclass_field.name for dataclass_field in dataclass_fields(SessionJob)]
        return cast("SessionOptions", {name: getattr(self, name) for name in names})

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.verb} {self._subject}"

    @property
    def _subject(self) -> str:
        """What the job is about."""
        return "by query" if self.jql is not None else f"{self.project}"

    @property
    def tags(self) -> frozenset[str]:
        """What to find the job by, in lists and in a history."""
        return frozenset()

    @property
    def site(self) -> str:
        """The address of the site that the workspace belongs to."""
        return self.browse or self.credentials.site
