"""Large texts: converted on a thread, or not at all; nothing waits for them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.pulls import Bench

from jira_sandbox.content.seed import make_site
from ticketr import open_job_queue
from ticketr.app.jira import adf
from ticketr.app.jira.adf import MAX_JIRA_CHARACTERS, _conversion
from ticketr.app.sync import Code, PushJob
from ticketr.app.sync.concurrency import compute_in_batches
from ticketr.app.sync.push import refresh

PROSE = "Some *prose* with `code`, [a link](https://example.com/a) and words. "
SOON_DONE = 2_000
LONGEST = (PROSE * 1000)[: MAX_JIRA_CHARACTERS - 2_000] + "\n\nMiddle.\n\nEnd."


class Converting:
    """How long the texts were that were converted.

    Attributes:
        here: the longest on the main thread, which is Trio's.
        elsewhere: the longest on another one.
    """

    def __init__(self) -> None:
        self.here = self.elsewhere = 0

    def watch(self, convert: Callable[..., Any]) -> Callable[..., Any]:
        def watched(text: Any, *more: Any, **named: Any) -> Any:
            size = len(text) if isinstance(text, str) else adf.text_length(text)
            if threading.current_thread() is threading.main_thread():
                self.here = max(self.here, size)
            else:
                self.elsewhere = max(self.elsewhere, size)
            return convert(text, *more, **named)

        return watched


@pytest.fixture
def converting(monkeypatch: pytest.MonkeyPatch) -> Converting:
    watch = Converting()
    for name in ("read_untidied", "render_noting_short_forms"):
        monkeypatch.setattr(_conversion, name, watch.watch(getattr(_conversion, name)))
    return watch


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=3, seed=1), tmp_path / "work")


def threaded(bench: Bench) -> dict[str, Any]:
    return bench.settings(run_sync=trio.to_thread.run_sync)


@pytest.mark.unmeasured
async def test_the_longest_texts_are_converted_on_threads_alone(
    bench: Bench, converting: Converting
) -> None:
    bench.site.edit("DEMO-1", description=adf.to_adf(LONGEST))
    converting.here = 0
    await bench.pull(run_sync=trio.to_thread.run_sync)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("Some *prose*", "My *prose*", 1))
    (bench.root / "new.md").write_text(f"# TICKET: New\n\n{LONGEST}\n")
    assert converting.here <= SOON_DONE
    bench.site.edit("DEMO-1", description=adf.to_adf(f"{LONGEST}\n\nMore."))
    converting.here = 0
    result = await bench.sync(run_sync=trio.to_thread.run_sync)

    assert len(result.push.created) == len(result.push.updated) == 1
    assert "My *prose*" in path.read_text()
    assert "More." in path.read_text()
    assert converting.elsewhere > 10 * SOON_DONE
    assert converting.here <= SOON_DONE


async def test_a_draft_of_megabytes_is_refused_unconverted(
    bench: Bench, converting: Converting
) -> None:
    await bench.pull()
    (bench.root / "new.md").write_text("# TICKET: New\n\n" + PROSE * 80_000)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text() + PROSE * 80_000)
    converting.here = converting.elsewhere = 0

    result = await bench.push(run_sync=trio.to_thread.run_sync)

    assert result.total == 0
    (edit, draft) = sorted(result.failed, key=lambda note: note.path)
    assert edit.code is draft.code is Code.BAD_VALUE
    size = len((PROSE * 80_000).strip())
    assert draft.reason == (
        f"Description: new.md:3: it has {size} characters; Jira takes {MAX_JIRA_CHARACTERS}"
    )
    assert edit.path == "DEMO-1.md"
    assert max(converting.here, converting.elsewhere) <= MAX_JIRA_CHARACTERS


async def test_a_megabyte_that_jira_sends_is_shown_unconverted(
    bench: Bench, converting: Converting
) -> None:
    block = {"type": "paragraph", "content": [{"type": "text", "text": PROSE.strip()}]}
    large = {"type": "doc", "version": 1, "content": [block] * 20_000}
    bench.site.edit("DEMO-1", description=large)

    result = await bench.pull(run_sync=trio.to_thread.run_sync)

    assert result.inexact == ("DEMO-1",)
    text = (bench.root / "DEMO-1.md").read_text()
    assert text.count(PROSE.strip()) == 20_000
    assert max(converting.here, converting.elsewhere) <= MAX_JIRA_CHARACTERS
    again = await bench.push(run_sync=trio.to_thread.run_sync)
    assert again.total == 0


async def test_a_cancel_does_not_wait_for_a_text(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    (bench.root / "new.md").write_text(f"# TICKET: New\n\n{LONGEST}\n")
    begun, go_on, ended = trio.Event(), threading.Event(), threading.Event()
    convert = _conversion.read_untidied

    def slow(text: str, *files: Any) -> Any:
        trio.from_thread.run_sync(begun.set)
        go_on.wait()
        try:
            return convert(text, *files)
        finally:
            ended.set()

    monkeypatch.setattr(_conversion, "read_untidied", slow)
    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(PushJob(**threaded(bench)))
        await begun.wait()
        await handle.cancel_and_wait()
        assert not ended.is_set()
        go_on.set()
        await trio.to_thread.run_sync(ended.wait)
    assert not [each for each in bench.asked if each.startswith("issue {")]


async def test_a_cancelled_push_does_not_wait_for_a_comparison(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Another title")
    begun, may_end, waits = trio.Event(), threading.Event(), list[bool]()

    def compare(*_: Any, **__: Any) -> None:
        trio.from_thread.run_sync(begun.set)
        waits.append(may_end.wait(10))

    monkeypatch.setattr(refresh, "_compare_change", compare)

    async def push() -> None:
        await bench.push(run_sync=trio.to_thread.run_sync)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(push)
        await begun.wait()
        nursery.cancel_scope.cancel()
    assert waits == []
    may_end.set()


async def test_a_cancel_does_not_wait_for_heavy_work() -> None:
    begun, go_on, ended = trio.Event(), threading.Event(), threading.Event()

    def work() -> None:
        trio.from_thread.run_sync(begun.set)
        go_on.wait()
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(compute_in_batches, trio.to_thread.run_sync, [work])
        await begun.wait()
        nursery.cancel_scope.cancel()

    assert not ended.is_set()
    go_on.set()
    await trio.to_thread.run_sync(ended.wait)


async def test_no_result_is_left_out_where_a_function_raises_stop_iteration() -> None:
    values = iter([1])

    with pytest.raises(RuntimeError, match="StopIteration"):
        await compute_in_batches(trio.to_thread.run_sync, [lambda: next(values)] * 2)


TESTS = Path(__file__).parents[2]
#: Pulls and pushes in a process of its own, and prints on which threads marklas was imported, the
#: table of emoji was read, and a pull compiled long patterns for a family's text.
PROGRAM = """
import re._compiler
import sys, threading
from pathlib import Path

import trio

seen = set()

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"marklas", "mistune"}:
            seen.add(threading.current_thread() is threading.main_thread())

def audit(event, args):
    if event == "open" and str(args[0]).endswith("emoji.txt"):
        seen.add(threading.current_thread() is threading.main_thread())

def compile_pattern(pattern, flags=0):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "render_family":
        frame = frame.f_back
    if len(str(pattern)) > 150 and frame is not None:
        seen.add(threading.current_thread() is threading.main_thread())
    return compile_as_before(pattern, flags)

from fakes.pulls import Bench
from jira_sandbox import make_site

bench = Bench(make_site(tickets=60, seed=1), Path(sys.argv[1]))  # some hold odd text
job, *rest = sys.argv[2:]
sys.meta_path.insert(0, Finder())
sys.addaudithook(audit)
compile_as_before = re._compiler.compile
if job == "pull":
    re._compiler.compile = compile_pattern
trio.run(lambda: getattr(bench, job)(run_sync=trio.to_thread.run_sync))
print(*sorted(seen))
"""


def test_a_pull_imports_and_compiles_them_on_a_thread(tmp_path: Path) -> None:
    assert imported_on_trio(tmp_path, "pull") == "False"


def test_a_pull_of_nothing_new_does_not_import_them(tmp_path: Path) -> None:
    imported_on_trio(tmp_path, "pull")

    assert not imported_on_trio(tmp_path, "pull")


@pytest.mark.parametrize("job", ["push", "sync"])
def test_a_push_imports_them_on_a_thread(tmp_path: Path, job: str) -> None:
    (tmp_path / "new.md").write_text("# TICKET: New\n\nSome *text* :smile:\n", encoding="utf-8")

    assert imported_on_trio(tmp_path, job) == "False"


def imported_on_trio(root: Path, job: str) -> str:
    """Run a job; return whether marklas was imported on Trio's thread, or an empty string."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root), job],
        check=True,
        capture_output=True,
        text=True,
        cwd=TESTS,
    )
    return done.stdout.strip()
