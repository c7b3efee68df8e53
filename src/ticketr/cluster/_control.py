"""What holds for all workers of a cluster's queue: pauses and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.cluster._jobs import ClusterJobs
from ticketr.cluster._keys import gate_of
from ticketr.cluster._submission import checked_text_key
from ticketr.jobs._rates import checked_rate

if TYPE_CHECKING:
    from ticketr.jobs._rates import Rate


class ClusterControl(ClusterJobs):
    """The part of a cluster's queue that says when jobs may start."""

    async def pause(self, key: str | None = None) -> None:
        """Start no more jobs, whichever process has submitted them; those that run go on.

        The server keeps the pause until :meth:`resume`, also when no process has the queue open. A
        block that waits for its jobs at its end waits for that.

        Cancellation:
            The queue may have been paused, or not.

        Args:
            key: Pause only the jobs with this key.

        Raises:
            TypeError, ValueError: The key is no text, or empty.
        """
        await self._store.call_surely("set_paused", gate_of(checked_text_key(key)), 1)

    async def resume(self, key: str | None = None) -> None:
        """Undo a pause of the queue, or a pause of a key; neither of them lifts the other.

        Cancellation:
            The pause may have been undone, or not.

        Args:
            key: Undo the pause of this key; None for that of the queue.

        Raises:
            TypeError, ValueError: The key is no text, or empty.
        """
        await self._store.call_surely("set_paused", gate_of(checked_text_key(key)), 0)

    async def set_rate(self, rate: Rate | None, key: str | None = None) -> None:
        """Limit how fast attempts start on all workers together.

        The rate of the queue and that of a key both hold. A job that waits for a rate holds no
        worker, and holds up no job of another key. A new rate keeps count of the starts that the
        one before it has seen. The server keeps a rate until it is set to None.

        Cancellation:
            The rate may have been set, or not.

        Args:
            rate: The rate, on the server's clock; None for no limit.
            key: Limit only the jobs with this key.

        Raises:
            TypeError, ValueError: It is no rate, or the key is no text, or empty.
        """
        gate = gate_of(checked_text_key(key))
        interval: object = ""
        burst: object = ""
        if rate is not None:
            checked = checked_rate(rate)
            interval, burst = checked.per / checked.count, checked.burst
        await self._store.call_surely("set_rate", gate, interval, burst)
