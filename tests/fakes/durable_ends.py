"""The job of a program that is killed when it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr import JobContext


async def charge(context: JobContext, log: str) -> None:
    """Note that it ran."""
    with Path(log).open("a") as file:  # noqa: ASYNC230 - a line at the end
        file.write("x")
