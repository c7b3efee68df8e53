"""Type words and paste lines into the app by mistake: nothing is written, in Jira or in a file."""

from __future__ import annotations

import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from fakes.apps import Run, running_app
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.tickets import Ticket, render
from ticketr.app.tui.services.opening import open_workspace
from ticketr.terminal import Paste

DRAFTS = 30
KEYS = [key for key in string.printable if key.isprintable() and key != "q"]
WORDS = ["/spam", "push", "sync", ":push", "ppp", "sss", "P p", "uuu", "c", "fall"]


@asynccontextmanager
async def unpushed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Run, Bench]]:
    """Run the app on a workspace with an edited ticket and 30 drafts.

    At the end, Jira must have got no write, and each file must be as before, byte for byte.
    """
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("BROWSER", "true")
    bench = Bench(make_site(tickets=12, seed=1), root)
    await bench.pull()
    bench.retitles("DEMO-1", "Edited here")
    for number in range(DRAFTS):
        (root / f"draft-{number}.md").write_text(render([Ticket(title=f"Draft {number}")]))
    before = bench.files()
    async with running_app((open_workspace("work", bench.options()),)) as run:
        await run.settle()
        assert "1 edited" in run.screen.rows[0]
        assert f"{DRAFTS} drafts" in run.screen.rows[0]
        yield run, bench
    assert bench.writes == []
    assert bench.files() == before


async def home(run: Run) -> None:
    """Wait until nothing runs, and go back to the main screen."""
    while run.queue.statistics().running:
        await run.settle()
    await trio.sleep(1)
    for _ in range(5):
        if run.app.state.overlays:
            await run.press("KEY_ESCAPE")
    assert not run.app.state.overlays


@pytest.mark.unmeasured
async def test_no_key_pressed_twice_writes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for key in KEYS:
            await run.type(key * 2)
            await home(run)
            assert bench.writes == [], key
        assert not run.left.is_set()


@pytest.mark.parametrize("typed", ["qq", "quit?"])
async def test_q_leaves_and_what_follows_it_writes_nothing(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, _):
        run.screen.press(*typed)
        with trio.fail_after(1):
            await run.left.wait()


@pytest.mark.parametrize("ends", [[], ["KEY_ENTER"] * 3], ids=["", "enter"])
async def test_no_typed_word_writes_anything(
    ends: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for word in WORDS:
            run.screen.press(*word, *ends)
            await home(run)
            assert bench.writes == [], word


@pytest.mark.unmeasured
@pytest.mark.parametrize("gap", [0.05, 0.12, 0.15, 0.2, 0.25])
async def test_no_word_typed_at_the_speed_of_people_writes_anything(
    gap: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for word in (*WORDS, "p", "s", "u"):
            for key in (*word, "KEY_ENTER"):
                run.screen.press(key)
                await trio.sleep(gap)
            await home(run)
            assert bench.writes == [], word


@pytest.mark.unmeasured
@pytest.mark.parametrize("opened", ["", "/", "f", ":", "p", "s", "J", "u", "t"])
async def test_no_paste_of_lines_writes_anything(
    opened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for lines in ("push\n\n\n", "\n\np\n\n", "q\ns\n\n", "show what a push would write\n\n"):
            await run.press(*opened)
            await trio.sleep(1)
            before = len(run.app.state.overlays)
            run.screen.tell(Paste(lines))
            await run.settle()
            assert len(run.app.state.overlays) == before
            await home(run)
            assert bench.writes == [], lines
        assert not run.left.is_set()
