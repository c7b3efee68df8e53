"""The job that syncs a workspace on the machine that has it.

It is what this worker runs::

    python -m ticketr.cluster worker --url URL --name ticketr ticketr.cli.workspace_jobs
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import trio

from ticketr import JobStatus, open_job_queue
from ticketr._errors import TicketrError
from ticketr.cli import exits
from ticketr.cli.confirmation import UNCONFIRMED, read_plan
from ticketr.cli.job_options import FolderGone, session_options
from ticketr.cli.output import redacted
from ticketr.cli.ownership import own_mark
from ticketr.cli.queue_runner import JobOutcome
from ticketr.cli.report import error_name, exit_code
from ticketr.cli.settings import find_login, resolve
from ticketr.cli.workspace_history import WorkspaceHistory
from ticketr.cli.workspace_results import WorkspaceFailed, hide, result_as_plain
from ticketr.config import CONFIRM_ABOVE, config_folder, read_environment, read_user_config
from ticketr.sync import SyncJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr import JobContext, JobHandle, JobSnapshot
    from ticketr.config import Workspace
    from ticketr.sync import SyncResult


@dataclass(frozen=True)
class WorkspaceSync:
    """A sync of a workspace that a worker finds by its name, in the settings of its own user.

    It asks nothing: it fails where a user would have to answer.

    Attributes:
        workspace: The workspace's name.
        strategy: The side that wins a conflict; None for what the workspace says.
        full: See `SyncJob`.
        prune: See `SyncJob`.
        accept_loss: See `SyncJob`.
        yes: Whether it may write more than 20 issues.
    """

    workspace: str
    strategy: str | None = None
    full: bool = False
    prune: bool = False
    accept_loss: bool = False
    yes: bool = False

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"Sync {self.workspace}"

    async def execute(self, context: JobContext) -> dict[str, Any]:
        """Run the sync; a worker calls this.

        Returns:
            What `result_as_plain` returns.

        Raises:
            WorkspaceFailed: The workspace cannot be used here, or its sync failed.

        Cancellation:
            As for `SyncJob`; how far it came is its last message.
        """
        context.report(message="Looking for the workspace...")
        words = await trio.to_thread.run_sync(_private_words)
        cleaned = partial(_without_private_words, words)
        try:
            job = await self._job(words)
            if not self.yes:
                await _check_writes(job)
        except TicketrError as error:
            if isinstance(error, WorkspaceFailed):
                raise
            text, code = cleaned(str(error)), exits.for_error(error)
            raise WorkspaceFailed(text, type(error).__name__, code, {}) from None
        snapshot, result = await _run(job, context, cleaned)
        if result is not None:
            return result_as_plain(result, cleaned)
        ended: JobOutcome[SyncResult] = JobOutcome(snapshot, None, None)
        message = snapshot.progress.message if snapshot.progress else ""
        so_far = result_as_plain(job.so_far(), cleaned)
        name = error_name(ended) or ""
        raise WorkspaceFailed(cleaned(message), name, exit_code(ended), so_far)

    async def _job(self, words: dict[str, str]) -> SyncJob:
        """Return the job; add to ``words`` what is known of its site."""
        found = await trio.to_thread.run_sync(_find, self.workspace)
        login = await find_login(
            found, "'ticketr workspace add' on the worker's machine stores one"
        )
        words |= _site_words(login.site) | _site_words(found.required_site())
        mark = await trio.to_thread.run_sync(partial(own_mark, found.root, ask=False))
        settings = session_options(found, login, mark, strategy=self.strategy)
        return SyncJob(**settings, full=self.full, prune=self.prune, accept_loss=self.accept_loss)


def _find(name: str) -> Workspace:
    """Return the workspace of a name; nobody is asked."""
    entry = read_user_config(config_folder(os.environ)).workspaces.get(name)
    if entry is not None and not entry.folder.is_dir():
        raise FolderGone(entry.folder)
    found = resolve(workspace=name)
    found.required_site()
    if found.jql is None:
        found.required_project("which project")
    return found


async def _check_writes(job: SyncJob) -> None:
    """Refuse more writes than a command without a terminal may do without ``--yes``."""
    writes = len((await trio.to_thread.run_sync(read_plan, job)).entries)
    if writes > CONFIRM_ABOVE:
        reason = f"this would create or change {writes} tickets; say --yes if that is what you want"
        raise WorkspaceFailed(reason, UNCONFIRMED, exits.USAGE, {})


async def _run(
    job: SyncJob, context: JobContext, cleaned: Callable[[str], str]
) -> tuple[JobSnapshot, SyncResult | None]:
    """Run a sync in a queue of its own, which records it in the workspace's history."""
    handle: JobHandle[SyncResult] | None = None
    try:
        async with open_job_queue(workers=1, history=WorkspaceHistory(job.root)) as queue:
            handle = await queue.submit(job, key=str(job.root))
            with handle.watch() as changes:
                async for each in changes:
                    _forward_progress(each, context, cleaned)
    finally:
        if handle is not None:
            _forward_progress(handle.snapshot(), context, cleaned)
    snapshot = handle.snapshot()
    return snapshot, await handle.result() if snapshot.status is JobStatus.COMPLETED else None


def _forward_progress(
    snapshot: JobSnapshot, context: JobContext, cleaned: Callable[[str], str]
) -> None:
    if (last := snapshot.progress) is not None:
        context.report(current=last.current, total=last.total, message=cleaned(last.message))


def _private_words() -> dict[str, str]:
    """Return what must not leave this machine, and the words for it."""
    folder = config_folder(os.environ)
    words = {str(folder): "the settings", **_site_words(read_environment(os.environ).site)}
    try:
        entries = read_user_config(folder).workspaces.values()
    except TicketrError:
        return words  # the job fails by the same error, in these words
    for entry in entries:
        words |= {str(entry.folder): entry.name, **_site_words(entry.site)}
    return words


def _site_words(site: str | None) -> dict[str, str]:
    host = urlsplit(site).netloc if site else ""
    return {site: "the site", host: "the site"} if site and host else {}


def _without_private_words(words: dict[str, str], text: str) -> str:
    return hide(redacted(text), words)
