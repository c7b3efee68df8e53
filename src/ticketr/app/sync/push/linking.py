"""Fetches the kinds of links, and adds and removes links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import NotFound
from ticketr.app.sync.compare.mapping import PARENT
from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.push.payload import LinkContext, LinkWrite

if TYPE_CHECKING:
    from ticketr.app.sync.push.metadata import MetadataQuery
    from ticketr.app.sync.session import Session


async def fetch_link_context(
    session: Session, queries: Iterable[MetadataQuery], accepted: Accepted
) -> LinkContext:
    """Fetch the kinds of links, if any change may be a line of links.

    Args:
        session: The workspace and the site.
        queries: What is to be sent.
        accepted: The losses that the push may cause.

    Raises:
        JiraError: The request failed.
    """
    fields = {PARENT, *(name for name, _ in session.columns.names)}
    parts = (change.part for query in queries for change in query.changes)
    may_be_links = any(isinstance(part, str) and part not in fields for part in parts)
    if not (session.columns.links and may_be_links):
        await trio.lowlevel.checkpoint()
        return LinkContext()
    try:
        types = await session.jira.link_types()
    except NotFound:  # links are switched off on the site
        return LinkContext()
    return LinkContext.of(types, fields, accepted)


async def send_link(session: Session, write: LinkWrite, *, key: str) -> None:
    """Add or remove one link of the issue with a key.

    Raises:
        JiraError: Jira refused it, or did not answer; then Jira may have done it.

    Cancellation:
        Takes effect at once; Jira may have done it.
    """
    if write.remove:
        await session.jira.remove_link(write.remove, issue=key)
        return
    ends = (key, write.key) if write.direction.is_outward else (write.key, key)
    await session.jira.add_link(write.direction.type_id, *ends)
