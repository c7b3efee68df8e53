"""Run pulls in virtual time: the real client on the sandbox's app, in one process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, cast

import trio

from jira_sandbox import Site, create_app
from jira_sandbox.data.issue import Issue
from ticketr import JobSnapshot, open_job_queue
from ticketr.app.jira import Credentials
from ticketr.app.jira.transport import Request, Response
from ticketr.app.jira.transport._httpx import HttpxTransport
from ticketr.app.sync import (
    PullJob,
    PullResult,
    PushJob,
    PushPlan,
    PushResult,
    SessionOptions,
    State,
    Store,
    SyncJob,
    SyncResult,
    read_push_plan,
)
from ticketr.app.tickets import parse

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

URL = "http://127.0.0.1"
#: Requests that send a body and change nothing.
READ_BY_POST = frozenset(("search/jql", "issue/bulkfetch"))
CREDENTIALS = Credentials(URL, "demo@example.com", "demo")


async def inline(sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False) -> T:
    """Run blocking work in this task, since a virtual clock counts a thread as idle.

    Like `trio.to_thread.run_sync` it can be cancelled before it starts, and not afterwards.
    """
    await trio.lowlevel.checkpoint()
    return sync_fn(*args)


class Recorder(HttpxTransport):
    """A transport that records the requests.

    Attributes:
        asked: The path and body of each request.
        writes: The method and path of each request that may change something.
    """

    def __init__(self, app: Any) -> None:
        super().__init__(app=app)
        self.asked: list[str] = []
        self.writes: list[str] = []

    async def send(self, request: Request) -> Response:
        path = request.url.removeprefix(f"{URL}/rest/api/3/")
        body = (request.body or b"").decode()
        self.asked.append(f"{path} {body}".strip())
        if request.method != "GET" and path not in READ_BY_POST:
            self.writes.append(f"{request.method} {path}")
        return await super().send(request)


@dataclass
class Bench:
    """A site and a workspace to pull into."""

    site: Site
    root: Path
    latency: float = 0.0
    odd: bool = False
    asked: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a job, and the transport that records its requests."""
        recorder = Recorder(create_app(self.site, latency=self.latency, odd=self.odd))
        self.asked, self.writes = recorder.asked, recorder.writes
        settings: dict[str, Any] = {
            "root": self.root,
            "credentials": CREDENTIALS,
            "project": "DEMO",
            "transport": recorder,
            "run_sync": inline,
        }
        return settings | changes

    def options(self, **changes: Any) -> SessionOptions:
        """Return the settings of a workspace in the app."""
        return cast("SessionOptions", self.settings(**changes))

    def job(self, **changes: Any) -> PullJob:
        return PullJob(**self.settings(**changes))

    async def pull(self, **changes: Any) -> PullResult:
        async with open_job_queue(workers=1) as queue:
            return await queue.run(self.job(**changes))

    async def push(self, **changes: Any) -> PushResult:
        async with open_job_queue(workers=1) as queue:
            return await queue.run(PushJob(**self.settings(**changes)))

    async def sync(self, **changes: Any) -> SyncResult:
        async with open_job_queue(workers=1) as queue:
            return await queue.run(SyncJob(**self.settings(**changes)))

    async def pull_snapshots(self, **changes: Any) -> list[JobSnapshot]:
        async with open_job_queue(workers=1) as queue:
            handle = await queue.submit(self.job(**changes))
            with handle.watch() as updates:
                return [snapshot async for snapshot in updates]

    def path(self, name: str) -> Path:
        """Return the path of a file, which is named by itself or by the key of its ticket."""
        return self.root / (name if name.endswith(".md") else f"{name}.md")

    def text(self, name: str) -> str:
        return self.path(name).read_text()

    def edits(self, name: str, old: str, new: str) -> None:
        """Replace the first of a text in a file."""
        text = self.text(name)
        assert old in text
        self.path(name).write_text(text.replace(old, new, 1))

    def retitles(self, key: str, title: str) -> None:
        """Change the title of a ticket in its own file."""
        heading, _, rest = self.text(key).partition("\n")
        new = f"# TICKET: [{key}] {title}"
        assert heading.startswith(f"# TICKET: [{key}] ")
        assert heading != new
        self.path(key).write_text(f"{new}\n{rest}")

    @property
    def store(self) -> Store:
        return Store(self.root, ".ticketr")

    @contextmanager
    def state(self) -> Generator[State]:
        """Open the state of the workspace."""
        with closing(State(self.store.state_path)) as state:
            yield state

    def plan(self, keys: Collection[str] | None = None, **options: Any) -> PushPlan:
        """Plan a push as the app shows it, without a request."""
        return read_push_plan(self.store, keys, **{"project": "DEMO"} | options)

    def finds(self, key: str) -> Issue:
        """Return an issue as it is in Jira."""
        issue = self.site.find(key)
        assert issue is not None
        return issue

    def files(self) -> dict[str, str]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes().decode()
            for path in sorted(self.root.glob("**/*.md"))
        }

    def keys(self) -> list[str]:
        """Return every key in the files; fail if a file cannot be parsed."""
        return [
            key
            for name, text in self.files().items()
            for ticket in parse(text, source=name).tickets
            for key in ticket.keys()  # noqa: SIM118 - a ticket is not a mapping
        ]
