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
    WrongTypeError,
)

from ticketr.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Mapping


_OUTLOOK: Final = "Jobs go on once it takes calls again"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a server takes no calls.

    Attributes:
        problem: The reason, and what to do, in words for people.
        passes: Whether it passes by itself, so that all callers wait.
        is_of_one_job: Whether it is about one job, so that workers go on with the others.
        outlook: What happens meanwhile to the work that waits.
    """

    problem: str
    passes: bool = False
    is_of_one_job: bool = False
    outlook: str = _OUTLOOK


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
_OVERWRITTEN: Final = "WRONGTYPE"
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
    word, _, rest = text.partition(" ")
    if isinstance(error, WrongTypeError):  # it has dropped the word
        word, rest = _OVERWRITTEN, text
    if word == _OVERWRITTEN:
        return _overwritten(rest.partition(" script: ")[0])
    if found := _BY_WORD.get(word):
        return found
    if text.startswith("max number of clients"):
        return _CROWDED
    return None if error.__cause__ is None else refusal_of(error.__cause__)


def is_of_one_job(error: BaseException) -> bool:
    """Return whether an error is about one job, so that others go on."""
    refusal = refusal_of(error)
    return refusal is not None and refusal.is_of_one_job


def _overwritten(key: str) -> Refusal:
    """Return what to say of a key that holds a value of another type; the functions name the key."""
    is_named = key.startswith("ticketr:")
    is_of_one_job = is_named and ":job:" in key
    subject = f"its key {clean(key)!r}" if is_named else "one of its keys ticketr:* or streaq:*"
    remedy = "submit the job again" if is_of_one_job else "and keep other programs from such keys"
    return Refusal(
        f"another program has overwritten {subject}: delete that key, {remedy}",
        is_of_one_job=is_of_one_job,
        outlook="Other jobs go on" if is_of_one_job else _OUTLOOK,
    )
