"""Makes a workspace of the app, and its jobs, from the options of its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ticketr.app.config import BUILT_IN, STATE_FOLDER, expand_aliases
from ticketr.app.sync import (
    BulkJob,
    OnWritten,
    PullJob,
    PushJob,
    SessionOptions,
    Store,
    SyncJob,
    find_issues,
    read_last_change,
    read_statuses,
    search_ids,
)
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.services.workspaces import OpenWorkspace
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import Job


def open_workspace(
    title: str, options: SessionOptions, aliases: Mapping[str, str] = BUILT_IN
) -> OpenWorkspace:
    """Return a workspace that the app can show, pull and push.

    Args:
        title: Its name.
        options: The options of its jobs.
        aliases: The names for queries, with their queries.
    """
    address = options.get("browse") or options["credentials"].site
    return OpenWorkspace(
        name=clean(title),
        store=Store(options["root"], STATE_FOLDER, options.get("mark")),
        make_job=partial(job_for, options),
        site=shown_site(address),
        project=clean(options.get("project") or ""),
        address=address,
        prefer=options.get("prefer"),
        read_statuses=partial(read_statuses, options),
        search=partial(search_with, aliases, options),
        find_issues=partial(find_issues, options),
        read_last_change=partial(read_last_change, options),
        aliases=aliases,
        draft_type=options.get("story_type", "Task"),
        keeps_comments=options.get("comments", False),
        inherit=options.get("inherit", True),
    )


async def search_with(
    aliases: Mapping[str, str], options: SessionOptions, jql: str
) -> tuple[str, ...]:
    """Return the IDs of the issues that a query with aliases finds; see `search_ids`."""
    return await search_ids(options, expand_aliases("jql", jql, aliases))


def shown_site(address: str) -> str:
    """Return the address of a site for people."""
    return clean(address.removeprefix("https://"))


def job_for(options: SessionOptions, request: JobRequest, on_written: OnWritten) -> Job[object]:
    """Return the job of a request.

    Args:
        options: The options of the workspace's jobs.
        request: What the job is to do.
        on_written: Takes tickets that the job has written.
    """
    options = {**options, "on_written": on_written}
    match request.kind:
        case JobKind.PULL:
            return PullJob(**options, keys=request.keys or None)
        case JobKind.PUSH:
            return PushJob(
                **options,
                accept_loss=request.accepted,
                confirmed=request.confirmed,
                keys=request.keys or None,
            )
        case JobKind.SYNC:
            return SyncJob(**options, accept_loss=request.accepted, confirmed=request.confirmed)
        case JobKind.BULK:
            assert request.bulk is not None
            return BulkJob(**options, issues=request.bulk.issues, change=request.bulk.change)
