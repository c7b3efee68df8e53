"""Measure the longest CPU time for which Trio's thread lets no other task run, with large inputs.

The screen is drawn, and Esc and Ctrl+C take effect, between two such stretches.
"""

from __future__ import annotations

import gc
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio
from pull import EMAIL, TOKEN
from sizes import size
from table import show

from ticketr import open_job_queue
from ticketr.app.cli.demo_site import open_sandbox
from ticketr.app.cli.job_runner import GC_THRESHOLDS
from ticketr.app.jira import Credentials
from ticketr.app.jira.adf import MAX_JIRA_CHARACTERS
from ticketr.app.jira.transport import Response
from ticketr.app.jira.transport._httpx import HttpxTransport
from ticketr.app.sync import PullJob, PushJob, SyncJob

if TYPE_CHECKING:
    from ticketr.app.jira.transport import Request

TICKETS = size(100, toy=5)
MANY = size(5000, toy=20)
BOUND = 0.010
MEGABYTE = size(1_000_000, toy=10_000)
#: How many characters a text has, of those that Jira accepts.
TEXT = size(MAX_JIRA_CHARACTERS - 1000, toy=500)
#: The text in a ticket that Jira's answer replaces by something large.
MARK = "The description that is replaced"
#: The parts of texts: prose, and what a Markdown parser takes longest to read.
UNITS = {
    "prose": "Some *words* with `code`, [a link](https://example.com/a) and more. ",
    "a line each": "- some words\n",
    "asterisks": "a*",
    "brackets": "[a](",
    "backquotes": "`a",
    "quotes": "> a\n",
    "a table": "| a | b |\n|---|---|\n| c | d |\n\n",
    "tags": '<span adf="status">\t_](',
}


class Stretches(trio.abc.Instrument):
    """Finds the longest CPU time that a task ran without letting others run."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.place = ""
        self._begun = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._begun = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        took = time.thread_time() - self._begun
        if self._begun and took > self.longest:  # the instrument starts in the middle of a step
            self.longest, self.place = took, place_of(task)


def place_of(task: trio.lowlevel.Task) -> str:
    """Return the innermost function of ticketr that a task waits in after a stretch."""
    found: str = task.name
    coroutine: Any = task.coro
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and frame.f_globals["__name__"].startswith("ticketr."):
            found = f"{frame.f_globals['__name__']}.{frame.f_code.co_name}:{frame.f_lineno}"
        coroutine = getattr(coroutine, "cr_await", None)
    return found


class Replacing(HttpxTransport):
    """Replaces a small document in the site's answers by a large one."""

    def __init__(self, large: bytes) -> None:
        super().__init__()
        self._large = large

    async def send(self, request: Request) -> Response:
        answer = await super().send(request)
        if MARK.encode() not in answer.body:
            return answer
        body = answer.body.replace(document(MARK), self._large)
        return Response(answer.status, answer.headers, body, answer.requested_url)


def document(*texts: str) -> bytes:
    content = [{"type": "paragraph", "content": [{"type": "text", "text": each}]} for each in texts]
    return json.dumps(
        {"version": 1, "type": "doc", "content": content}, separators=(",", ":")
    ).encode()


def nested(depth: int) -> bytes:
    begin = b'{"type":"bulletList","content":[{"type":"listItem","content":['
    inmost = b'{"type":"paragraph","content":[{"type":"text","text":"inmost"}]}'
    return b'{"type":"doc","content":[' + begin * depth + inmost + b"]}]}" * depth + b"]}"


async def measured(job: PullJob | PushJob | SyncJob) -> tuple[float, str, object]:
    stretches = Stretches()
    trio.lowlevel.add_instrument(stretches)
    try:
        async with open_job_queue(workers=1) as queue:
            result = await queue.run(job)
    finally:
        trio.lowlevel.remove_instrument(stretches)
    return stretches.longest, stretches.place, result


def row(what: str, took: float, place: str) -> str:
    verdict = "" if took <= BOUND else f" (more than {BOUND * 1000:.0f} ms, before {place})"
    return f"longest stretch, {what}: {took * 1000:.1f} ms{verdict}"


async def texts(url: str, root: Path) -> None:
    """Push, pull and merge texts of the longest size that Jira accepts."""
    for number, (name, unit) in enumerate(UNITS.items()):
        text = (unit * TEXT)[:TEXT].rstrip()
        folder = root / f"text{number}"
        folder.mkdir()
        login = Credentials(url, EMAIL, TOKEN)
        path = folder / "new.md"
        path.write_text(f"# TICKET: Large {name}\n\nFirst.\n\n{text}\n\nLast.\n", encoding="utf-8")
        here: dict[str, Any] = {"project": "DEMO"}
        took, place, _ = await measured(PushJob(folder, login, **here))
        show(row(f"push of {len(text)} characters of {name}", took, place))
        path.write_text(path.read_text(encoding="utf-8").replace("First.", "Mine."), "utf-8")
        took, place, _ = await measured(SyncJob(folder, login, **here))
        show(row(f"sync of an edit beside {name}", took, place))


async def very_large(url: str, root: Path) -> None:
    """Push drafts, and pull answers, that are larger than Jira accepts."""
    login = Credentials(url, EMAIL, TOKEN)
    for number, megabytes in enumerate((1, 5, 20)):
        folder = root / f"draft{number}"
        folder.mkdir()
        prose = UNITS["prose"] * (megabytes * MEGABYTE // len(UNITS["prose"]))
        (folder / "new.md").write_text(f"# TICKET: Large\n\n{prose}\n", encoding="utf-8")
        took, place, _ = await measured(PushJob(folder, login, project="DEMO"))
        show(row(f"push of a draft of {megabytes} MB, refused", took, place))
    words = UNITS["prose"].strip()
    answers = {
        "a megabyte of prose": document(*[words] * (MEGABYTE // 130)),
        "a megabyte in one paragraph": document(words * (MEGABYTE // len(words))),
        "ten megabytes": document(*[words] * (10 * MEGABYTE // 130)),
        "a hundred thousand rules": b'{"type":"doc","content":['
        + b'{"type":"rule"},' * 100_000
        + b'{"type":"rule"}]}',
        "900 lists in each other": nested(900),
    }
    for number, (name, large) in enumerate(answers.items()):
        folder = root / f"answer{number}"
        folder.mkdir()
        (folder / "new.md").write_text(f"# TICKET: Large\n\n{MARK}\n", encoding="utf-8")
        async with open_job_queue(workers=1) as queue:
            await queue.run(PushJob(folder, login, project="DEMO"))
        (folder / "new.md").unlink()
        job = PullJob(folder, login, project="DEMO", transport=Replacing(large))
        took, place, _ = await measured(job)
        show(row(f"pull of {name}", took, place))


def join_files(folder: Path, whole: Path) -> None:
    """Move the tickets of a folder into one file."""
    paths = sorted(folder.glob("*.md"))
    whole.write_text(
        "\n".join(path.read_text(encoding="utf-8") for path in paths), encoding="utf-8"
    )
    for path in paths:
        path.unlink()


async def many(root: Path) -> None:
    """Pull and push thousands of tickets in one file."""
    async with open_sandbox(tickets=MANY, seed=1) as url:
        login = Credentials(url, EMAIL, TOKEN)
        folder = root / "many"
        here: dict[str, Any] = {"project": "DEMO"}
        took, place, _ = await measured(PullJob(folder, login, **here))
        show(row(f"pull of {MANY}", took, place))
        join_files(folder, folder / "all.md")
        took, place, _ = await measured(PullJob(folder, login, **here))
        show(row(f"pull of nothing new into a file of {MANY}", took, place))
        path = folder / "all.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\n# TICKET: One more\n", encoding="utf-8")
        took, place, _ = await measured(SyncJob(folder, login, **here))
        show(row(f"sync of a file of {MANY}", took, place))


async def measure(root: Path) -> None:
    async with open_sandbox(tickets=TICKETS, seed=1) as url:
        await measured(SyncJob(root / "first", Credentials(url, EMAIL, TOKEN), project="DEMO"))
        gc.freeze()  # as a command does after its imports
        gc.set_threshold(*GC_THRESHOLDS)
        await texts(url, root)
        await very_large(url, root)
    await many(root)


def run() -> None:
    """Measure, and show the table's rows."""
    with tempfile.TemporaryDirectory() as root:
        trio.run(measure, Path(root))
