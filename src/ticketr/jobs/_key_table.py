"""The keys of live jobs. Pure.

A key is any hashable object of the user's, and to look it up in a dictionary runs its own code: its
``__hash__``, and the ``__eq__`` of one with the same hash. So it is looked up at the call, where an
error can still be the caller's and nothing has changed. From then on a :class:`KeySlot` stands for
it, which is the same for equal keys and is told from others by its identity. What ends or starts a
job never asks a key for anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T", bound="Hashable")


@final
class KeySlot(Generic[T]):
    """Stands for a key while a live job has it, or while it is paused.

    Attributes:
        jobs: The live jobs that have it.
    """

    __slots__ = ("hash", "jobs", "key")

    def __init__(self, key: Hashable, key_hash: int) -> None:
        self.key: Hashable = key
        self.hash: int = key_hash
        self.jobs: dict[T, None] = {}

    def matches(self, key: Hashable, key_hash: int) -> bool:
        """Whether it stands for this key."""
        return self.hash == key_hash and (self.key is key or bool(self.key == key))


@final
class KeyTable(Generic[T]):
    """The keys for which something stands."""

    __slots__ = ("_by_hash",)

    def __init__(self) -> None:
        self._by_hash: dict[int, list[KeySlot[T]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_hash.values()))

    def find(self, key: Hashable) -> KeySlot[T] | None:
        """What stands for a key; None if nothing does. Runs the key's own code."""
        key_hash = hash(key)
        same = self._by_hash.get(key_hash, [])
        for known in same.copy():  # its code may do anything
            if known.matches(key, key_hash):
                return known
        return None

    def add(self, key: Hashable) -> KeySlot[T]:
        """Let something stand for a key for which nothing does. Runs the key's own code."""
        new = KeySlot[T](key, hash(key))
        self._by_hash.setdefault(new.hash, []).append(new)
        return new

    def remove(self, known: KeySlot[T]) -> None:
        """Nobody needs it any more."""
        same = self._by_hash[known.hash]
        same.remove(known)
        if not same:
            del self._by_hash[known.hash]

    def unused(self) -> list[KeySlot[T]]:
        """Those that no live job has."""
        return [known for same in self._by_hash.values() for known in same if not known.jobs]
