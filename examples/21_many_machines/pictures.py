"""The work of the other files. It knows Trio and the context of its job, and no queue."""

from __future__ import annotations

import trio

from ticketr import JobContext


async def shrink(context: JobContext, name: str, width: int) -> str:
    """Shrink a picture. It may run again after a kill, so it replaces what it made before."""
    for step in range(4):
        context.report(current=step, total=4, message=name)
        await trio.sleep(0.05)
    return f"{name} is {width} pixels wide"
