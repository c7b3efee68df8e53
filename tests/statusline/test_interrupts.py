"""Ctrl+C that comes while the line is drawn ends the program, not the drawing alone."""

from __future__ import annotations

import io
import signal
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock

from ticketr import JobContext, open_job_queue
from ticketr.statusline import StatusLine

if TYPE_CHECKING:
    from collections.abc import Callable


class Interrupt:
    """Sends SIGINT once, and records whether it raised on the spot."""

    def __init__(self) -> None:
        self.is_pressed = False
        self.went_off_here = False

    def press(self) -> None:
        if self.is_pressed:
            return
        self.is_pressed = True
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            self.went_off_here = True
            raise


class InterruptedOutput:
    """An output in one of whose calls Ctrl+C is pressed."""

    def __init__(self, interrupt: Interrupt, during: str) -> None:
        self._interrupt = interrupt
        self._during = during

    def open(self, redraw: Callable[[], object]) -> None:
        pass

    def columns(self) -> int:
        self._press_during("columns")
        return 80

    def try_draw(self, line: str, *, fills_width: bool) -> bool:
        self._press_during("draw")
        return self._during != "wait_writable"

    async def wait_writable(self) -> None:
        self._press_during("wait_writable")
        await trio.sleep_forever()

    def close(self, line: str) -> None:
        pass

    def _press_during(self, name: str) -> None:
        if name == self._during:
            self._interrupt.press()


class InterruptedStream(io.StringIO):
    """A stream, not a terminal, in whose write Ctrl+C is pressed."""

    def __init__(self, interrupt: Interrupt) -> None:
        super().__init__()
        self._interrupt = interrupt

    def write(self, text: str, /) -> int:
        self._interrupt.press()
        return super().write(text)


async def work(context: JobContext) -> None:
    context.report(current=1, total=2, message="Working")
    await trio.sleep_forever()


def end_of(
    interrupt: Interrupt, *, stream: io.StringIO, output: InterruptedOutput | None
) -> list[BaseException]:
    """Run a program whose body waits; return how the body and the run ended."""
    ends: list[BaseException] = []

    async def main() -> None:
        async with open_job_queue() as queue, StatusLine(queue, stream=stream, output=output):
            await queue.submit(work)
            try:
                await trio.sleep(60)
            except BaseException as error:
                ends.append(error)
                raise

    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    except BaseException as error:  # noqa: BLE001 - what else than a KeyboardInterrupt?
        ends.append(error)
    assert interrupt.is_pressed
    return ends


@pytest.mark.parametrize("during", ["columns", "draw", "wait_writable"])
def test_ctrl_c_while_the_line_is_drawn_reaches_the_body(during: str) -> None:
    interrupt = Interrupt()
    output = InterruptedOutput(interrupt, during)

    ends = end_of(interrupt, stream=io.StringIO(), output=output)

    assert [type(error) for error in ends] == [KeyboardInterrupt, KeyboardInterrupt]
    assert not interrupt.went_off_here


def test_ctrl_c_while_a_plain_line_is_printed_reaches_the_body() -> None:
    interrupt = Interrupt()

    ends = end_of(interrupt, stream=InterruptedStream(interrupt), output=None)

    assert [type(error) for error in ends] == [KeyboardInterrupt, KeyboardInterrupt]
    assert not interrupt.went_off_here
