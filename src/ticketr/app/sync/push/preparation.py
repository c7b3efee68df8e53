"""Prepares a push: what it sends of each ticket, and why it does not send the rest.

A `ticketr.app.sync.PushPlan` is made without a request; this compares with Jira, and is what is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira.adf import load_conversions
from ticketr.app.sync.compare.diff import CorePart
from ticketr.app.sync.edits.local_changes import LocalChange
from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.notes import Note
from ticketr.app.sync.push.linking import fetch_link_context
from ticketr.app.sync.push.metadata import MetadataQuery, fetch_metadata
from ticketr.app.sync.push.payload import CommentContext
from ticketr.app.sync.push.preflight import check
from ticketr.app.sync.push.sendable import CONVERSIONS, HeldBack, SendableChange, compare_with_jira
from ticketr.app.sync.push.writes import BuiltWrites, TicketWrites, build_writes, metadata_queries
from ticketr.app.sync.threads import CHUNK, chunks, compute

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a push will do with each local change.

    Attributes:
        writes: What it sends of each ticket.
        already_in_jira: The files of tickets whose edits Jira already has, by their heads' IDs.
        to_merge_first: The files of tickets that have also changed in Jira, by their heads' IDs.
            They must be merged and planned again.
        added_keys: Keys that were added to a ticket's file since the last sync, by its head's ID.
        held_back: Tickets that are not pushed because they have changed in Jira.
        failed: A note for each issue that cannot be pushed.
        warnings: Further notes for the user.
    """

    writes: tuple[TicketWrites, ...]
    already_in_jira: Mapping[str, str]
    to_merge_first: Mapping[str, str]
    added_keys: Mapping[str, tuple[str, ...]]
    held_back: tuple[HeldBack, ...]
    failed: tuple[Note, ...]
    warnings: tuple[Note, ...]

    def with_merged(self, merged: Preparation) -> Preparation:
        """Return this combined with the preparation of the tickets that were merged first."""
        return Preparation(
            writes=self.writes + merged.writes,
            already_in_jira={**self.already_in_jira, **merged.already_in_jira},
            to_merge_first={},
            added_keys={**self.added_keys, **merged.added_keys},
            held_back=self.held_back + merged.held_back,
            failed=self.failed + merged.failed,
            warnings=self.warnings + merged.warnings,
        )


async def prepare(
    session: Session,
    local_changes: Sequence[LocalChange],
    *,
    merging: bool = False,
    advice: str = "pull first, or sync",
    accept_loss: Accepted = False,
) -> Preparation:
    """Prepare a push without sending anything.

    Args:
        session: The workspace and the site.
        local_changes: The edits, in the order of the files.
        merging: Whether to merge tickets that have also changed in Jira, not hold them back.
        advice: What the user can do about a ticket that is held back.
        accept_loss: The losses of descriptions that the push may cause; see `losses`.

    Raises:
        JiraError: A request failed, or the project does not exist.
    """
    if any(map(_is_converted, local_changes)):
        await session.in_thread(load_conversions, abandon_on_cancel=True)
    comparisons = await compare_with_jira(session, local_changes, merging=merging, advice=advice)
    sendable = [
        comparison.sendable for comparison in comparisons if comparison.sendable is not None
    ]
    queries: list[MetadataQuery] = []
    for few in chunks(sendable, CHUNK):
        await trio.lowlevel.checkpoint()
        queries += (
            query for change in few for query in metadata_queries(change, session.job.project)
        )
    built = await _build(session, sendable, queries, accept_loss)
    checked = await check(session, [writes.writes for writes in built if writes.writes is not None])
    compared = (note for comparison in comparisons for note in comparison.failed)
    unbuilt = (note for writes in built for note in writes.failed)
    return Preparation(
        writes=checked.writes,
        already_in_jira=_files(
            comparison.local_change for comparison in comparisons if comparison.already_in_jira
        ),
        to_merge_first=_files(
            comparison.local_change for comparison in comparisons if comparison.merge_first
        ),
        added_keys={
            change.head: change.added_keys
            for change in local_changes
            if change.head is not None and change.added_keys
        },
        held_back=tuple(
            comparison.held_back for comparison in comparisons if comparison.held_back is not None
        ),
        failed=(*compared, *unbuilt, *checked.failed),
        warnings=tuple(note for writes in built for note in writes.warnings),
    )


async def _build(
    session: Session,
    sendable: Iterable[SendableChange],
    queries: Sequence[MetadataQuery],
    accept_loss: Accepted,
) -> list[BuiltWrites]:
    """Fetch what the changes need to be converted, and convert each on a worker thread."""
    metadata = await fetch_metadata(session, queries)
    links = await fetch_link_context(session, queries, accept_loss)
    comments = CommentContext(
        session.columns.comments,
        session.account,
        accepted=accept_loss,
        mentioned=metadata.lookup.mentioned,
    )
    built: list[BuiltWrites] = []
    for change in sendable:
        build = partial(
            build_writes,
            change,
            metadata,
            default_project=session.job.project,
            accept_loss=accept_loss,
            comments=comments,
            links=links,
        )
        built.append(await compute(session.in_thread, 2 * CONVERSIONS * change.text_size, build))
    return built


def _is_converted(change: LocalChange) -> bool:
    """Return whether a change has more than titles and fields, so that texts are converted."""
    parts = (edit.part for changes in change.edits.values() for edit in changes)
    others = (part for part in parts if not (isinstance(part, str) or part is CorePart.TITLE))
    return change.head is None or bool(change.drafts) or any(True for _ in others)


def _files(changes: Iterable[LocalChange]) -> dict[str, str]:
    """Return the files of tickets that Jira has, by their heads' IDs."""
    return {change.head: change.local.path for change in changes if change.head is not None}
