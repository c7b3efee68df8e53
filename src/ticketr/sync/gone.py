"""Tickets whose issues a pull no longer finds: what became of them, and what of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sync.notes import Code, Note
from ticketr.sync.session import PAGE
from ticketr.sync.threads import chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ticketr.sync.session import Session
    from ticketr.sync.state import Known
    from ticketr.sync.store import Place


async def look_after(
    session: Session, gone: Sequence[Known], places: Mapping[str, Place], *, prune: bool
) -> tuple[tuple[Note, ...], tuple[str, ...]]:
    """Ask Jira what became of issues that a project no longer has.

    Args:
        session: the workspace and the site.
        gone: the issues.
        places: where each key stands.
        prune: whether to move the files of those that are gone for good out of the way, as far as
            they were not edited and hold nothing else.

    Returns:
        A note on each, and the keys of those whose files were moved.
    """
    notes: list[Note] = []
    pruned: list[str] = []
    for some in chunks(gone, PAGE):
        answer = await session.jira.bulk_fetch([each.id for each in some], fields=["summary"])
        now = {issue.id: issue.key for issue in answer.issues}
        for each in some:
            path = places[each.key].path
            key = now.get(each.id)
            if key is not None and key != each.key:
                reason = f"Jira calls it {key} now; it was moved to another project"
                code = Code.MOVED
            elif key is not None:
                reason, code = "the query no longer finds it", Code.UNMATCHED
            else:
                reason = "it was deleted in Jira, or you may no longer see it"
                code = Code.MISSING
                if prune and await _prune(session, each, path):
                    pruned.append(each.key)
                    continue
            notes.append(Note(each.key, path, reason, code))
    return tuple(notes), tuple(pruned)


async def _prune(session: Session, issue: Known, path: str) -> bool:
    """Move a file away and forget its issues, so that a restored issue comes as a new one."""

    def move() -> bool:
        base = session.state.base(issue.id)
        if base is None or session.editor.prune(path, issue.key, base.text) is None:
            return False
        session.state.forget(issue.id)
        return True

    return await session.in_thread(move)
