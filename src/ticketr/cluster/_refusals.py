"""What a server answers that takes no calls now: its full disk, its memory, its users. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from coredis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ReadOnlyError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a server takes no calls.

    Attributes:
        problem: The reason, and what to do, in words for people.
        passes: Whether it passes by itself, so that all callers wait.
        outlook: What happens meanwhile to the work that waits.
    """

    problem: str
    passes: bool = False
    outlook: str = "Jobs go on once it takes calls again"


OUT_OF_MEMORY: Final = Refusal(
    "it is out of memory: its maxmemory is reached, so it takes no more jobs",
    outlook="Those that it has run and end, which makes room, or give it more",
)
_LOGIN: Final = Refusal(
    "it does not take the user or the password: give all processes of the queue the new ones"
)
_RIGHTS: Final = Refusal(
    "the user may not do what a queue needs: grant it all commands, and the keys ticketr:* and streaq:*"
)
_READ_ONLY: Final = Refusal("it is a replica, which takes no writes", passes=True)
_LOADING: Final = Refusal("it has been started and loads its data", passes=True)
_CLUSTER: Final = Refusal("it belongs to a Valkey cluster that is down", passes=True)
_CROWDED: Final = Refusal(
    "it has no room for another connection: its maxclients is reached", passes=True
)

_BY_WORD: Final[Mapping[str, Refusal]] = {
    "OOM": OUT_OF_MEMORY,
    "MISCONF": Refusal(
        "it takes no writes, since it cannot save its data: see its log, and whether its disk is full"
    ),
    "NOREPLICAS": Refusal("it takes no writes, since fewer replicas follow it than it must have"),
    "BUSY": Refusal(
        "it is busy with a script that does not end: SCRIPT KILL or FUNCTION KILL stops that",
        passes=True,
    ),
    "MASTERDOWN": Refusal("it is a replica that has lost its primary", passes=True),
    "READONLY": _READ_ONLY,
    "LOADING": _LOADING,
    "CLUSTERDOWN": _CLUSTER,
    "NOAUTH": _LOGIN,
    "WRONGPASS": _LOGIN,
    "NOPERM": _RIGHTS,
}
_IN_PIPELINE: Final = "of pipeline caused error: "
_BY_TYPE: Final[tuple[tuple[type[BaseException], Refusal], ...]] = (
    # coredis makes these of the words, and drops them.
    (AuthenticationError, _LOGIN),
    (AuthorizationError, _RIGHTS),
    (ReadOnlyError, _READ_ONLY),
    (BusyLoadingError, _LOADING),
    (ClusterDownError, _CLUSTER),
)


def refusal_of(error: BaseException) -> Refusal | None:
    """Return why the server has refused a call, or a connection; None if that is no such error."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(refusal_of, error.exceptions)), None)
    for kind, refusal in _BY_TYPE:
        if isinstance(error, kind):
            return refusal
    text = str(error).rpartition(_IN_PIPELINE)[2]
    if found := _BY_WORD.get(text.partition(" ")[0]):
        return found
    if text.startswith("max number of clients"):
        return _CROWDED
    return None if error.__cause__ is None else refusal_of(error.__cause__)
