"""A screen without a terminal: keys come through a channel, frames are recorded with times."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import trio

from ticketr.terminal import Event, Key

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def plain(row: str) -> str:
    """Return a row without its styles."""
    return STYLE.sub("", row)


class FakeScreen:
    """A terminal of a fixed size, which `resize` changes."""

    def __init__(self, width: int = 80, height: int = 12) -> None:
        self.size = (width, height)
        self.frames: list[tuple[float, list[str]]] = []
        self.redraws = 0
        self.dropped = 0
        self.handovers = 0
        self.is_handed_over = False
        self.copied: list[str] = []
        self.held: float | None = None
        self.stalled = trio.Event()
        self.stalled.set()
        self._send, self._events = trio.open_memory_channel["Event"](math.inf)

    def press(self, *names: str) -> None:
        for name in names:
            self._send.send_nowait(Key(name))

    def tell(self, event: Event) -> None:
        self._send.send_nowait(event)

    @property
    def rows(self) -> list[str]:
        """Return the last frame, without styles."""
        return [plain(row).rstrip() for row in self.frames[-1][1]]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    async def events(self, send: trio.MemorySendChannel[Event]) -> None:
        async for event in self._events:
            await send.send(event)

    async def draw(self, rows: Sequence[str]) -> None:
        await self.stalled.wait()
        assert len(rows) == self.size[1], rows
        self.frames.append((trio.current_time(), list(rows)))

    def redraw(self) -> None:
        self.redraws += 1

    def drop_keys(self) -> None:
        """Forget the keys that were pressed and not read."""
        self.dropped = self._events.statistics().current_buffer_used
        for _ in range(self.dropped):
            self._events.receive_nowait()

    async def copy(self, text: str) -> None:
        self.copied.append(text)

    @asynccontextmanager
    async def handed_over(self) -> AsyncGenerator[None]:
        self.handovers += 1
        self.is_handed_over = True
        yield
        self.is_handed_over = False

    def hold_escape(self, seconds: float | None) -> None:
        self.held = seconds
