"""What a description in Jira would lose if its edited Markdown were sent.

A description in Jira can hold pieces that Markdown cannot express. An edit of the Markdown would
remove them in Jira. So they are reported first, and sent only if the user accepts the loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ticketr.jira import adf
from ticketr.sync.compare.diff import CorePart, by_key
from ticketr.sync.compare.mapping import description_adf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ticketr.sync.compare.diff import Change
    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.state.state import State


@dataclass(frozen=True, slots=True)
class Loss:
    """A piece of an issue's description that a push would remove in Jira.

    Attributes:
        key: The issue.
        path: Its file, relative to the workspace.
        what: The piece, in words.
    """

    key: str
    path: str
    what: str


#: The losses that a push may cause: all, none, or those that a user has seen and accepted.
Accepted: TypeAlias = "bool | frozenset[Loss]"


def losses(local_change: LocalChange, documents: Mapping[str, object]) -> tuple[Loss, ...]:
    """Return what Jira would lose by the edits of a ticket; ``documents`` is its ADF by key."""
    if local_change.base is None:
        return ()
    before, here = by_key(local_change.base), by_key(local_change.local.ticket)
    return tuple(
        Loss(key, local_change.local.path, what)
        for key, changes in local_change.edits.items()
        if _rewrites(changes) and key in documents
        for what in adf.missing(
            documents[key],
            description_adf(replace(before[key], tasks=())),
            description_adf(here[key]),
        )
    )


def _rewrites(changes: Sequence[Change]) -> bool:
    """Tell whether the description was edited; otherwise it is sent back as Jira has it."""
    return any(each.part is CorePart.DESCRIPTION for each in changes)


def known_losses(state: State, local_change: LocalChange) -> tuple[Loss, ...]:
    """Return what Jira would lose, judged by the last sync, without a request.

    Raises:
        StateFailed: The state cannot be read.
    """
    if local_change.head is None or not any(map(_rewrites, local_change.edits.values())):
        return ()
    issues = state.issues_of(local_change.head)
    return losses(local_change, {each.key: each.fields.get("description") for each in issues})


def lossy(local_change: LocalChange, key: str) -> tuple[str, ...]:
    """Return the pieces of an issue's old Markdown that represent content only Jira can hold.

    Jira loses this content with them.
    """
    assert local_change.base is not None
    before = by_key(local_change.base)[key]
    texts = (before.description, *before.acceptance_criteria)
    return tuple(piece for text in texts for piece in adf.dropped_texts(text))


def unaccepted(lost: Iterable[Loss], accepted: Accepted) -> tuple[Loss, ...]:
    """Return the losses that were not accepted."""
    if isinstance(accepted, bool):
        return () if accepted else tuple(lost)
    return tuple(each for each in lost if each not in accepted)
