"""The table of keys. Pure.

A key is any hashable object of the user's. A dictionary lookup runs its ``__hash__``, and its
``__eq__`` if another key has the same hash. So a key is looked up only in the call that names it,
where an error goes to the caller and nothing has changed. After that a :class:`KeySlot` stands for
the key and is compared by identity, so that starting and ending a job run no code of a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T", bound="Hashable")


@final
class KeySlot(Generic[T]):
    """A key that a live job has, or that is paused or has a rate.

    Attributes:
        key: The key.
        hash: Its hash when it was first used.
        jobs: The live jobs with this key.
    """

    __slots__ = ("hash", "jobs", "key")

    def __init__(self, key: Hashable, key_hash: int) -> None:
        self.key: Hashable = key
        self.hash: int = key_hash
        self.jobs: dict[T, None] = {}

    def add(self, job: T) -> None:
        """Note that a live job has the key."""
        self.jobs[job] = None

    def discard(self, job: T) -> None:
        """Note that a job with the key has ended."""
        del self.jobs[job]

    def matches(self, key: Hashable, key_hash: int) -> bool:
        """Return whether this slot is for a key.

        This runs the key's own code.
        """
        return self.hash == key_hash and (self.key is key or bool(self.key == key))


@final
class KeyTable(Generic[T]):
    """The slots of all keys in use."""

    __slots__ = ("_by_hash",)

    def __init__(self) -> None:
        self._by_hash: dict[int, list[KeySlot[T]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_hash.values()))

    def find(self, key: Hashable) -> KeySlot[T] | None:
        """Return the slot of a key, or None.

        This runs the key's own code.
        """
        key_hash = hash(key)
        candidates = self._by_hash.get(key_hash, [])
        for slot in candidates.copy():  # the key's own code may change the table
            if slot.matches(key, key_hash):
                return slot
        return None

    def add(self, key: Hashable) -> KeySlot[T]:
        """Add a slot for a key that has none.

        This runs the key's own code.
        """
        slot = KeySlot[T](key, hash(key))
        self._by_hash.setdefault(slot.hash, []).append(slot)
        return slot

    def remove(self, slot: KeySlot[T]) -> None:
        """Remove a slot."""
        same_hash = self._by_hash[slot.hash]
        same_hash.remove(slot)
        if not same_hash:
            del self._by_hash[slot.hash]

    def unused(self) -> list[KeySlot[T]]:
        """Return the slots of keys that no live job has."""
        return [slot for slots in self._by_hash.values() for slot in slots if not slot.jobs]
