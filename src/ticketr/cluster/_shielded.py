"""Keep open what clean-up needs until a block has been left, however that is cancelled."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager


@asynccontextmanager
async def keep_open(manager: AbstractAsyncContextManager[object]) -> AsyncGenerator[None]:
    """Hold a manager open, by a task of its own, for the length of this block.

    Cancellation:
        What runs in the manager's block goes on until this block has been left.

    Args:
        manager: What to open.
    """
    is_open, is_left = trio.Event(), trio.Event()

    async def hold() -> None:
        with trio.CancelScope(shield=True):
            async with manager:
                is_open.set()
                await is_left.wait()

    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            nursery.start_soon(hold)
            try:
                await is_open.wait()
                yield
            finally:
                is_left.set()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        alone = group.exceptions[0]
    else:
        return
    raise alone  # the body's own error, as it was
