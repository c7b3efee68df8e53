"""A program with a status line, for the tests on a real terminal. Its argument says how it ends."""

# ruff: noqa: T201, LOG015  # printing in every way there is, is the point

from __future__ import annotations

import contextlib
import logging
import os
import sys

import trio

from ticketr import JobContext, open_job_queue
from ticketr.statusline import StatusLine

MODE = sys.argv[1]
ROWS = 40


async def forever(context: JobContext) -> None:
    """Report steps until cancelled."""
    done = 0
    while True:
        context.report(current=done, total=100, message="Going on")
        done = min(done + 1, 99)
        await trio.sleep(0.01)


async def noisy(context: JobContext) -> None:
    """Print in every way while the line is drawn as often as possible."""
    for row in range(ROWS):
        context.report(current=row, total=ROWS, message="Printing")
        print(f"out {row}")
        print(f"err {row}", file=sys.stderr)
        logging.warning("log %s", row)
        await trio.to_thread.run_sync(print, f"thread {row}\nthread {row} again")
        print("in ", end="")
        await trio.sleep(0.01)
        print(f"mid row {row}", flush=True)
        sys.stdout.writelines(["one\n", f"by one {row}\n"])
        await trio.sleep(0.01)


async def count(context: JobContext, total: int) -> None:
    """Report without waiting for others."""
    for done in range(total + 1):
        context.report(current=done, total=total, message="Counting")
        await trio.lowlevel.checkpoint()


def fill_terminal() -> None:
    """Write until the terminal accepts no more, as if nobody read it."""
    descriptor = os.open(os.ttyname(1), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, b"x" * 80)
    os.close(descriptor)


async def main() -> None:
    """Run the scenario that the argument names."""
    logging.basicConfig(format="%(message)s")
    async with open_job_queue() as queue, StatusLine(queue, hint="ctrl+c cancel") as line:
        if MODE == "forever":
            await queue.submit(forever)
        elif MODE == "noisy":
            await queue.submit(noisy)
        elif MODE == "boom":
            await queue.submit(forever)
            await trio.Path(sys.argv[2]).read_text()
            raise RuntimeError("boom")
        elif MODE == "hidden":
            await queue.submit(forever)
            await trio.sleep(0.1)
            with line.hidden():
                await trio.run_process(["printf", "child one\nchild two\n"])
            await trio.to_thread.run_sync(sys.stdin.readline)
            queue.cancel("job-1")
        elif MODE == "stalled":
            fill_terminal()
            await queue.submit(count, 100_000)
            await queue.wait_idle()
            await trio.Path(sys.argv[2]).write_text("all counted")
            await trio.to_thread.run_sync(sys.stdin.readline)
        elif MODE == "idle":
            await queue.run(count, 1)
            print("now idle", flush=True)
            await trio.to_thread.run_sync(sys.stdin.readline)
            print("read", flush=True)
    print("after")


if __name__ == "__main__":
    trio.run(main)
