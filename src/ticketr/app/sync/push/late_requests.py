"""Waits until no request whose answer was lost can still reach Jira."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


async def wait_for_late_requests(session: Session, what: str, *, sent: float | None = None) -> None:
    """Wait until no request that was sent by a time can still reach Jira.

    Args:
        session: The workspace and the site.
        what: What is found out by that, such as ``finding out whether a file was attached``.
        sent: When the last of them was sent, on Trio's clock; None if an earlier run sent them.

    Cancellation:
        Takes effect at once.
    """
    since = session.began if sent is None else sent
    left = since + session.job.late_request_window - trio.current_time()
    if left > 0:
        session.progress.wait(left, what)
        await trio.sleep(left)
