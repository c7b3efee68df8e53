"""Open the queue of a cluster, and leave its block."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import trio

from ticketr.cluster._batches import open_batches
from ticketr.cluster._cluster_queue import ClusterQueue
from ticketr.cluster._connection import open_connection
from ticketr.cluster._events import EventReader
from ticketr.cluster._mirror import Mirror
from ticketr.cluster._signed import SignedCodec
from ticketr.cluster._store import RecordStore
from ticketr.cluster._submission import Defaults
from ticketr.cluster._submits import LAST_WORDS
from ticketr.cluster._submitter import Submitter
from ticketr.jobs._ending import what_leaves
from ticketr.jobs._job import CancelCause
from ticketr.jobs._options import checked_retry, checked_timeout
from ticketr.jobs._rates import checked_rate
from ticketr.jobs._retention import Keep
from ticketr.jobs._values import checked_count, safe_repr

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ticketr.jobs._rates import Rate
    from ticketr.jobs._retry import Retry

DROP_PATIENCE: Final = 1.0


@asynccontextmanager
async def open_cluster_queue(
    url: str | None = None,
    *,
    name: str = "default",
    secret: str | None = None,
    keep: Keep = Keep(),  # noqa: B008 - it is frozen
    retry: Retry | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - of each job
    max_pending: float | None = None,
    rate: Rate | None = None,
    detach: bool = False,
    allow_plaintext: bool = False,
) -> AsyncGenerator[ClusterQueue, None]:
    """Open a queue whose jobs run in worker processes, for the length of an ``async with`` block.

    ::

        async with open_cluster_queue("embedded:jobs", name="reports") as queue:
            handle = await queue.submit(make_report, "2026-11")
            print(await handle.result())

    At its normal end the block waits for the jobs that it submitted. An exception of the body
    cancels them. A killed process leaves its jobs in the queue: another one finds them by ID.

    Cancellation:
        Cancels the jobs that the block submitted, and waits for the server 10 seconds at most.

    Args:
        url: Where the server is: ``valkey://HOST:PORT/DATABASE``, ``valkeys://`` for TLS,
            ``unix:///PATH``, or ``embedded:FOLDER``, which starts a server of the folder's own.
            None for the environment variable ``TICKETR_CLUSTER_URL``.
        name: The queue's name. Workers are started with the same.
        secret: What all processes of the queue share, at least 16 characters; None for the
            environment variable ``TICKETR_CLUSTER_SECRET``.
        keep: How much the server and this process remember of jobs that have ended.
        retry: When to try again a job that fails; None for never. A submit may give a rule.
        timeout: How many seconds each attempt may take; None for no limit. A submit may give one.
        max_pending: How many jobs can be pending in the whole queue; None for no limit.
        rate: How fast attempts start on all workers together; None leaves that as it is, see
            :meth:`ClusterQueue.set_rate`.
        detach: Whether to leave the jobs alone at the end of the block, however it ends.
        allow_plaintext: Whether TCP without TLS may leave this machine.

    Raises:
        ClusterMisconfigured: The URL, the secret or the server's settings are wrong.
        ClusterUnavailable: The server cannot be reached, or does not answer.
        TypeError, ValueError: An argument is invalid.
    """
    if type(keep) is not Keep:
        raise TypeError(f"keep must be a Keep, such as Keep(jobs=100), not {safe_repr(keep)}")
    defaults = Defaults(
        timeout=math.inf if timeout is None else checked_timeout(timeout),
        retry=None if retry is None else checked_retry(retry),
        max_pending=math.inf
        if max_pending is None
        else checked_count("max_pending", max_pending, 1),
    )
    if rate is not None:
        checked_rate(rate)
    async with open_connection(
        url, name=name, secret=secret, allow_plaintext=allow_plaintext
    ) as connection:
        store = RecordStore(connection)
        codec = SignedCodec(connection.secret)
        mirror = Mirror(codec, keep)
        events = EventReader(store, mirror)
        await store.call_surely("open", min(keep.jobs, 10**12), min(keep.age, 10**9))
        async with open_batches(store) as batches:
            submitter = Submitter(store, mirror, events, codec, batches, defaults)
            queue = ClusterQueue(submitter)
            if rate is not None:
                await queue.set_rate(rate)
            async with _block(submitter, detach=detach):
                yield queue


@asynccontextmanager
async def _block(submitter: Submitter, *, detach: bool) -> AsyncGenerator[None, None]:
    """Follow the events during the body; wait for its jobs, or cancel them."""
    body: BaseException | None = None
    spill: BaseException | None = None
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            ready = trio.Event()
            nursery.start_soon(submitter.events.follow, ready)
            await ready.wait()
            try:
                yield
                if not detach:
                    await submitter.wait_own()
            except BaseException as error:  # noqa: ASYNC103, BLE001 - it is raised below
                body = error  # not in a group
                submitter.close()
                if not detach:
                    with trio.move_on_after(LAST_WORDS, shield=True):
                        await submitter.cancel_own(CancelCause.SCOPE)
            finally:
                submitter.close()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        spill = group
    finally:
        submitter.mirror.close()
        with trio.move_on_after(DROP_PATIENCE, shield=True):
            await submitter.events.drop()
    leaving = what_leaves(body, [], spill)
    try:
        if leaving is not None:
            raise leaving
    finally:
        del body, spill, leaving
