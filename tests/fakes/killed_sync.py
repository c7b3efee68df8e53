"""Run jobs in child processes that kill themselves at a given step.

The program reads jobs from its standard input, one line of JSON each, and forks for each one. So no
job waits for imports, and a timed kill hits the job itself. For each job it writes two lines of
JSON: the child's process ID, then how it ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import trio

from ticketr import open_job_queue
from ticketr.app.jira import Credentials
from ticketr.app.jira.transport import Request, Response
from ticketr.app.jira.transport._httpx import HttpxTransport
from ticketr.app.sync import PushJob, SyncJob

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

#: Seconds after which the sandbox counts as hanging.
SETTLE = 0.5


class Steps:
    """Counts the steps of a job, and sends a signal at one of them.

    A step is the start or the end of a call in a worker thread or of a request, or the moment
    before a file is renamed. The signal may also come with an upload: some seconds after it began,
    or, without seconds, when its answer has arrived.
    """

    def __init__(
        self,
        at: int,
        strike: signal.Signals,
        victim: int | None,
        upload: int = 0,
        seconds: float | None = None,
    ) -> None:
        self.seen = 0
        self._at = at
        self._uploads = 0
        self._upload = upload
        self._seconds = seconds
        self._strike = strike
        self._victim = victim or os.getpid()
        sys.addaudithook(self._hear)

    def count(self) -> None:
        self.seen += 1
        if self.seen == self._at:
            self._kill()

    def begin_upload(self) -> None:
        self._uploads += 1
        if self._uploads == self._upload and self._seconds is not None:
            threading.Timer(self._seconds, self._kill).start()

    def end_upload(self) -> None:
        if self._uploads == self._upload:
            self._kill()

    def _kill(self) -> None:
        os.kill(self._victim, self._strike)

    def _hear(self, event: str, _: tuple[object, ...]) -> None:
        if event == "os.rename":
            self.count()

    async def in_thread(
        self, sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        self.count()
        result = await trio.to_thread.run_sync(sync_fn, *args)
        self.count()
        return result

    def transport(self) -> HttpxTransport:
        steps = self

        class Counted(HttpxTransport):
            async def send(self, request: Request) -> Response:
                steps.count()
                if request.source is not None:
                    steps.begin_upload()
                response = await super().send(request)
                if request.source is not None:
                    steps.end_upload()
                steps.count()
                return response

        return Counted()


async def run_job(task: dict[str, Any], steps: Steps) -> None:
    kind = {"push": PushJob, "sync": SyncJob}[task["kind"]]
    job = kind(
        root=Path(task["root"]),
        credentials=Credentials(task["url"], "demo@example.com", "demo"),
        project=task["project"],
        browser_site=task["browse"],
        run_sync=steps.in_thread,
        transport=steps.transport(),
        lost_request_life_seconds=SETTLE,
        fields=tuple(task["fields"]),
        comments=task["comments"],
    )
    async with open_job_queue(workers=1) as queue:
        await queue.run(job)


def be_child(task: dict[str, Any]) -> None:
    strike = signal.Signals[task["signal"]]
    steps = Steps(task["step"], strike, task["victim"], task["upload"], task["seconds"])
    trio.run(run_job, task, steps)
    os.write(1, json.dumps({"steps": steps.seen}).encode() + b"\n")


def main() -> None:
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                be_child(task)
            except KeyboardInterrupt:
                os._exit(130)
            except BaseException:  # noqa: BLE001 - a child must never go on as its parent
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.write(1, json.dumps({"pid": child}).encode() + b"\n")
        _, status = os.waitpid(child, 0)
        os.write(1, json.dumps({"ended": os.waitstatus_to_exitcode(status)}).encode() + b"\n")


def catch_up(url: str) -> None:
    """Wait until a sandbox has carried out what a killed job has sent it.

    A sandbox that stalls for longer than `SETTLE` would carry it out after the next job has looked.
    Of two requests, the one that was sent first has been read first, and waits as long.
    """
    for _ in range(3):
        with (
            suppress(OSError, HTTPException),  # one that injects faults
            urllib.request.urlopen(f"{url}/rest/api/3/serverInfo") as answer,
        ):
            answer.read()


class Runner:
    """Runs jobs with the program; made by `open_runner`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, *, after: float | None = None, **task: object) -> dict[str, int]:
        """Run a job until it ends or is killed; return how it ended.

        Args:
            after: Kill it after so many seconds.
            task: As for `start`.
        """
        pid = self.start(**task)
        if after is not None and not self._speaks(after):
            os.kill(pid, signal.SIGKILL)
        told = self.wait()
        if told["ended"] < 0:
            catch_up(str(task["url"]))
        return told

    def start(self, **task: object) -> int:
        """Start a job; return the process that it runs in.

        Args:
            task: `root`, `url`, `browse` and `kind`; at which `step` to send which `signal`, and
                the `victim`, if that is another process, further `fields` of files, whether these
                hold `comments`, and the `project`; or with which `upload` to send the signal, and
                how many `seconds` after its begin.
        """
        assert self._process.stdin is not None
        usual = {"step": 0, "signal": "SIGKILL", "victim": None, "fields": (), "comments": False}
        usual |= {"project": "DEMO", "upload": 0, "seconds": None}
        self._process.stdin.write(json.dumps(usual | task).encode() + b"\n")
        return self._read()["pid"]

    def wait(self) -> dict[str, int]:
        """Wait for the end of the job; return how it ended."""
        told: dict[str, int] = {}
        while "ended" not in told:
            told |= self._read()
        return told

    def _speaks(self, within: float) -> bool:
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], within)[0])

    def _read(self) -> dict[str, int]:
        assert self._process.stdout is not None
        told: dict[str, int] = json.loads(self._process.stdout.readline())
        return told


@contextmanager
def open_runner() -> Generator[Runner]:
    """Start the program; stop it at the end of the block."""
    from fakes.processes import piped_program  # the program has another search path

    with piped_program(__file__) as process:
        yield Runner(process)


if __name__ == "__main__":
    main()
