"""A small full-screen program for the tests of the terminal.

It shows the number of events, the last one and the size; it leaves at `q`, at a `QuitSignal` and at a
`HungUp`, and then prints all events, one a line. The first argument makes it special.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import trio

from ticketr.terminal import (
    Event,
    HungUp,
    Key,
    NotATerminal,
    Paste,
    QuitSignal,
    Resumed,
    Terminal,
    key_protocol,
    open_terminal,
    session,
    sgr,
)

MODE = sys.argv[1] if len(sys.argv) > 1 else ""
FILE = Path(sys.argv[2]) if len(sys.argv) > 2 else None
#: What the key `c` copies: more than a terminal accepts at once.
COPIED = "DEMO-9 größer " * 2000
#: The program to which the key `v` hands over the terminal.
OTHER_PROGRAM = """
import os, select, signal
signalled, signals = os.pipe()
os.set_blocking(signals, False)
signal.set_wakeup_fd(signals)
signal.signal(signal.SIGINT, lambda *_: None)
os.write(1, b"your turn\\n")
if signalled in select.select([0, signalled], [], [])[0]:
    os.write(1, b"interrupted\\n")
os.write(1, b"read " + os.read(0, 100))
"""


def shown(event: Event | None) -> str:
    if isinstance(event, Paste):
        return f"Paste of {len(event.text)}, {event.text.count(chr(10))} lines"
    return repr(event)


@dataclass
class Demo:
    terminal: Terminal
    events: list[Event] = field(default_factory=list)
    changed: trio.Event = field(default_factory=trio.Event)

    def rows(self) -> list[str]:
        width, height = self.terminal.size
        last = shown(self.events[-1]) if self.events else "none yet"
        rows = [
            sgr("demo", "bold", "green", colors=self.terminal.colors),
            f"events {len(self.events)}.",
            f"last {last}.",
            f"size {width}x{height}.",
            f"unicode {self.terminal.unicode}.",
        ]
        return [*rows, *["." * width] * (height - len(rows))]

    async def paint(self) -> None:
        while True:
            self.changed = trio.Event()
            await self.terminal.draw(self.rows())
            await self.changed.wait()

    async def hand_over(self) -> None:
        async with self.terminal.handed_over():
            await trio.run_process([sys.executable, "-ISc", OTHER_PROGRAM], stdin=None)
        self.changed.set()

    async def run(self) -> None:
        send, received = trio.open_memory_channel[Event](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.terminal.events, send)
            nursery.start_soon(self.paint)
            async for event in received:
                self.events.append(event)
                self.changed.set()
                if self.hears(event):
                    break
                if MODE == "keys":
                    continue
                if event == Key("v", "v"):
                    nursery.start_soon(self.hand_over)
                elif event == Key("c", "c"):
                    nursery.start_soon(self.terminal.copy, COPIED)
            nursery.cancel_scope.cancel()

    def hears(self, event: Event) -> bool:
        """Do as an event says; gives whether to leave."""
        match event:
            case Key(char_or_key_name=name) if MODE == "keys":
                return name == "q"
            case Key(char_or_key_name="x"):
                raise RuntimeError("boom")
            case Key(char_or_key_name="w"):
                logging.getLogger("demo").warning("a warning")
                os.write(1, b"a stray print\n")
            case Key(char_or_key_name="m"):
                os.write(1, b"x" * 100_000 + b"the end\n")
            case Key(char_or_key_name="l"):
                self.terminal.draw_next_frame_whole()
            case Key(char_or_key_name="h"):
                hog()
            case QuitSignal() if MODE == "stubborn":
                return False
            case Key(char_or_key_name="q") | QuitSignal() | HungUp():
                return MODE != "resumed"
            case Resumed() if MODE == "resumed":
                return True
        return False


def hog() -> None:
    """Hold up the program for good, as a task without checkpoints does."""
    os.write(os.open(os.ttyname(0), os.O_WRONLY | os.O_NOCTTY), b"hogging")
    while True:
        time.sleep(0.01)  # noqa: TID251 - the point


async def stalled(terminal: Terminal) -> None:
    """Draw as fast as the terminal takes it, while another task counts to 100."""
    frames = 0

    async def draw() -> None:
        nonlocal frames
        width, height = terminal.size
        while True:
            await terminal.draw([f"{frames} {row} ".ljust(width, "x") for row in range(height)])
            frames += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(draw)
        for _ in range(100):
            await trio.sleep(0.005)
        nursery.cancel_scope.cancel()
    assert FILE is not None
    await trio.Path(FILE).write_text(str(frames))


async def burst(terminal: Terminal) -> None:
    """Draw 20 large frames, then say so."""
    width, height = terminal.size
    for number in range(20):
        await terminal.draw([f"{number} {row} ".ljust(width, "x") for row in range(height)])
    await terminal.draw(["burst over"])


async def main() -> None:
    logging.basicConfig()
    if MODE == "slow":  # keys are typed before the terminal is ours
        os.write(1, b"starting")
        assert FILE is not None
        with FILE.open() as fifo:  # until the test has typed
            fifo.read()
    async with open_terminal() as terminal:
        if MODE == "stalled":
            return await stalled(terminal)
        if MODE == "burst":
            await burst(terminal)
        demo = Demo(terminal)
        await demo.run()
    if not any(isinstance(event, HungUp) for event in demo.events):
        sys.stdout.writelines(f"event {shown(event)}\n" for event in demo.events)
        sys.stdout.write("bye\n")
    elif FILE is not None:
        await trio.Path(FILE).write_text("\n".join(map(repr, demo.events)))
    return None


if __name__ == "__main__":
    if "DEMO_WITHOUT_DEADLINES" in os.environ:
        deadlines = ((session, "_FLUSH_TIMEOUT_SECONDS"), (key_protocol, "_ANSWER_TIMEOUT_SECONDS"))
        for module, name in deadlines:
            assert name in vars(module), name  # else the deadline has another name now
            vars(module)[name] = math.inf
    try:
        trio.run(main)
    except NotATerminal as error:
        sys.exit(str(error))
