"""The client of Jira's REST API, version 3 (Cloud), as far as ticketr needs it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import trio

from ticketr.app.jira import issues
from ticketr.app.jira.attachments import AttachmentEndpoints
from ticketr.app.jira.credentials import Credentials
from ticketr.app.jira.json_text import RunInThread
from ticketr.app.jira.models import read_http_date
from ticketr.app.jira.rest_api import RestApi, load_default_transport
from ticketr.app.jira.retry import RetryPolicy
from ticketr.app.jira.searches import SearchEndpoints
from ticketr.app.jira.site import SiteEndpoints
from ticketr.app.jira.transport.base import Transport


class JiraClient(
    SiteEndpoints,
    SearchEndpoints,
    issues.IssueChangeEndpoints,
    issues.CommentEndpoints,
    issues.LinkEndpoints,
    AttachmentEndpoints,
    issues.WorklogEndpoints,
    issues.BulkEndpoints,
):
    """A client of one Jira site; made by `open_jira`.

    Every method may be called by several tasks at once. Each ends at once when cancelled, in
    whatever step, and raises the errors of `ticketr.app.jira.errors` only.
    """

    @property
    def unanswered_since(self) -> float | None:
        """Since when requests wait and none was answered, by Trio's clock; None if none waits."""
        return self._api.unanswered_since

    def last_answer_site_time(self) -> float:
        """Return the time of the site's last answer, in seconds since the epoch.

        It is by the site's clock; by this computer's if the site did not tell.
        """
        date = read_http_date(self._api.date)
        return date.timestamp() if date is not None else time.time()


@asynccontextmanager
async def open_jira(
    credentials: Credentials,
    *,
    transport: Transport | None = None,
    max_concurrency: int = 4,
    retry: RetryPolicy | None = None,
    on_wait: Callable[[float, str], None] = lambda *_: None,
    log: Callable[..., None] = lambda *_: None,
    in_thread: RunInThread = trio.to_thread.run_sync,
) -> AsyncGenerator[JiraClient]:
    """Open a client of one Jira site; nothing is sent yet.

    Args:
        credentials: The account and its token.
        transport: The HTTP adapter; opened and closed here. The default uses httpx.
        max_concurrency: How many requests may run together at best; fewer while the site finds
            them too many.
        retry: When to send a request again; the default is `RetryPolicy()`.
        on_wait: Called before each wait with the seconds and the reason.
        log: Called with a line about each request, and its values, which hold no secret.
        in_thread: Runs blocking work on a worker thread.

    Yields:
        The client. When the block exits or is cancelled, every connection is closed.

    Raises:
        BadSetting: The site's address cannot be used, or is plain http to another machine.
    """
    transport = transport or await load_default_transport()
    api = RestApi(
        credentials,
        transport,
        max_concurrency=max_concurrency,
        retry=retry or RetryPolicy(),
        on_wait=on_wait,
        log=log,
        in_thread=in_thread,
    )
    async with transport:
        yield JiraClient(api)
