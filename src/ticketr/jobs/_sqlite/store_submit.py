"""How jobs are submitted and started on a queue with a store: both wait for the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from trio.lowlevel import checkpoint_if_cancelled

from ticketr.jobs._admission import wait_for_room

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from ticketr.jobs._arguments.around import Around
    from ticketr.jobs._context import JobContext
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._sqlite.store_writer import StoreWriter


async def submit_durably(
    core: QueueCore,
    store: StoreWriter,
    record: JobRecord,
    job: object,
    args: tuple[object, ...],
) -> JobRecord:
    """Submit a job, and return its record, or that of the one it joined, when it is on disk.

    Cancellation:
        Until the job has entered the queue, nothing is submitted. Then it has no effect.

    Raises:
        NotSendable: Another process could not run the job.
        StoreFailed: It could not be written, and is not submitted.
    """
    store.pack(record, job, args, is_awaited=True)
    await checkpoint_if_cancelled()
    entered = core.enter(record) or await wait_for_room(core, record)
    core.dispatcher.wake()
    await store.wait_written(entered)
    return entered


def around_attempts(store: StoreWriter, around: Around | None) -> Around:
    """Return a context manager function that waits until the start of an attempt is on disk.

    Args:
        store: What writes it.
        around: The user's context managers around attempts, inside this one.
    """

    def enter(context: JobContext) -> AbstractAsyncContextManager[object]:
        manager = None if around is None else around(context)
        if manager is not None and not hasattr(type(manager), "__aexit__"):
            return manager  # the attempt fails with an error that says so
        return StoredAttempt(store, manager)

    return enter


@final
class StoredAttempt:
    """Waits until the start of an attempt is on disk, then enters the user's context manager."""

    __slots__ = ("_manager", "_store")

    def __init__(
        self, store: StoreWriter, manager: AbstractAsyncContextManager[object] | None
    ) -> None:
        self._store = store
        self._manager = manager

    async def __aenter__(self) -> object:
        await self._store.wait_all_written()
        return None if self._manager is None else await self._manager.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if self._manager is None:
            return None  # noqa: ASYNC910 - the attempt has passed checkpoints
        return await self._manager.__aexit__(kind, error, trace)  # noqa: ASYNC102 - the user's manager cleans up
