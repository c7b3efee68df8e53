"""The terminal as a full screen: receive keys, pastes, the mouse, sizes and signals; draw frames.

::

    async with open_terminal() as terminal, trio.open_nursery() as nursery:
        send, events = trio.open_memory_channel[Event](0)
        nursery.start_soon(terminal.events, send)
        await terminal.draw(["Press q"])
        async for event in events:
            if event == Key("q", "q") or isinstance(event, QuitSignal | HungUp):
                nursery.cancel_scope.cancel()
"""

from __future__ import annotations

from ticketr.terminal.device import NotATerminal
from ticketr.terminal.session import Terminal, open_terminal
from ticketr.terminal.terminfo import sgr
from ticketr.terminal.tokens import (
    Event,
    FocusGained,
    HungUp,
    Key,
    Mouse,
    MouseAction,
    Paste,
    QuitSignal,
    Resize,
    Resumed,
)

__all__ = [
    "Event",
    "FocusGained",
    "HungUp",
    "Key",
    "Mouse",
    "MouseAction",
    "NotATerminal",
    "Paste",
    "QuitSignal",
    "Resize",
    "Resumed",
    "Terminal",
    "open_terminal",
    "sgr",
]
