"""The names that processes of one queue agree on: keys, streams, levels, functions. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

LEVELS: Final = ("low", "normal", "high")
"""The levels of priority, each strictly before the one to its left."""


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """The names of one queue's keys.

    Attributes:
        queue: The queue's name.
    """

    queue: str

    @property
    def prefix(self) -> str:
        """What the names of ticketr's own keys begin with."""
        return f"ticketr:{self.queue}:"

    @property
    def engine(self) -> str:
        """What the names of the engine's keys begin with."""
        return f"streaq:{self.queue}"

    def events(self, reader: str) -> str:
        """The stream of the events for one submitting process."""
        return f"{self.prefix}events:{reader}"

    def stops(self, worker: str) -> str:
        """The stream of the attempts that a worker is to stop."""
        return f"{self.prefix}stops:{worker}"


@dataclass(frozen=True, slots=True)
class TaskName:
    """One submit of a job, as the engine names it.

    An ID may be used again; a nonce is not.

    Attributes:
        job_id: The job's ID.
        nonce: Chosen at the submit.
    """

    job_id: str
    nonce: str

    def __str__(self) -> str:
        return f"{self.job_id}~{self.nonce}"

    @classmethod
    def of(cls, text: str) -> TaskName:
        """Read a name that ``str`` made."""
        job_id, _, nonce = text.rpartition("~")
        return cls(job_id, nonce)


def gate_of(key: str | None) -> str:
    """Return how the server names the gate of a key, or of the queue."""
    return "q" if key is None else f"k{key}"


def key_of(gate: str) -> str | None:
    """Return the key of a gate by its name on the server; None for the gate of the queue."""
    return gate[1:] if gate.startswith("k") else None


def level_of(priority: int) -> str:
    """Return the level of a priority."""
    return LEVELS[1 + (priority > 0) - (priority < 0)]


@dataclass(frozen=True, slots=True)
class Library:
    """The functions that the server runs.

    Their names hold a digest of their text, so processes of two releases may share a server.

    Attributes:
        code: The text.
        prefix: What the names of the functions begin with.
    """

    code: str
    prefix: str


@cache
def library() -> Library:
    """Return the functions of this release."""
    folder = files("ticketr.cluster") / "lua"
    parts = sorted(folder.iterdir(), key=lambda part: part.name)
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    name = f"ticketr_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    prefix = f"{name}_"
    return Library(f"#!lua name={name}\n\n{text.replace('@PREFIX@', prefix)}", prefix)
