"""Test the first run in the whole app on a virtual clock, with a setup that answers by script."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from fakes.apps import running_app
from fakes.setups import FakeSetup, as_setup
from trio.testing import MockClock

from ticketr.app.tui.setup import FolderAnswer, FolderKind, Problem, Setup, SetupField

CANARY = "canary-7391"


def setup(root: Path) -> tuple[FakeSetup, Setup]:
    fake = FakeSetup(root / "harbour")
    return fake, as_setup(fake)


async def test_the_sandbox_is_started_shown_pulled_and_ends_after_the_jobs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER")
        assert "Starting a Jira with made-up tickets" in run.screen.text
        await trio.sleep(1.5)

        assert "demo" in run.screen.rows[0]
        assert [each.name for each in run.queue.jobs()] == ["Pull demo"]
        assert fake.noted == ["sandbox"]
        await run.press("q")
        with trio.fail_after(0.5):
            await run.left.wait()
        assert fake.noted == ["sandbox"]

    assert fake.noted == ["sandbox", "sandbox ended"]
    assert all(each.status.is_terminal for each in run.queue.jobs())


async def test_a_sandbox_that_does_not_start_says_why(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    fake.sandbox = Problem("the demo needs more packages")
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER")
        await trio.sleep(1.5)

        assert "          ✗ the demo needs more packages" in run.screen.rows
        assert fake.noted == ["sandbox", "sandbox ended"]


async def test_escape_stops_the_start_of_the_sandbox_and_it_can_be_started_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER", "KEY_ESCAPE")
        await trio.sleep(2)
        assert fake.noted == ["sandbox", "sandbox cancelled"]
        assert list(run.queue.jobs()) == []

        await run.press("KEY_ENTER")
        await trio.sleep(2)
        assert "demo" in run.screen.rows[0]


async def test_a_newer_check_cancels_the_older_one_of_its_field(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("c")
        await run.type("h")
        await trio.sleep(0.8)
        await run.type("a")
        await trio.sleep(0.8)

        assert fake.noted == ["site h", "site ha", "site h cancelled"]
        await trio.sleep(1)
        assert "✓ Jira Cloud answers, 120 ms" in run.screen.text


async def test_the_whole_form_leads_to_a_workspace_that_is_pulled(
    tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    fake, given = setup(tmp_path)
    caplog.set_level(0)
    async with running_app(setup=given) as run:
        await run.press("c")
        await run.type("harbour.example")
        await run.press("KEY_TAB")
        await run.type("priya@harbour.example")
        await run.press("KEY_TAB")
        await trio.sleep(1)
        await run.type(CANARY)
        await run.press("KEY_TAB")
        await trio.sleep(1.5)
        assert "✓ you are Priya Raman" in run.screen.text
        await run.press("KEY_ENTER", "KEY_TAB")
        await trio.sleep(1.5)
        assert "~/harbourdemo" in run.screen.text

        await run.press("KEY_ENTER")
        await trio.sleep(2)

        login = f"login https://harbour.example priya@harbour.example {CANARY}"
        assert login in fake.noted
        assert fake.noted[-1] == f"add https://harbour.example DEMO ~/harbourdemo {CANARY}"
        assert "harbour" in run.screen.rows[0]
        assert [each.name for each in run.queue.jobs()] == ["Pull harbour"]
        assert "the token is in your keyring" in run.screen.text
        frames = "".join(row for _, frame in run.screen.frames for row in frame)
        assert CANARY not in frames + caplog.text + repr(run.app.state)


async def test_escape_while_a_workspace_is_added_cancels_the_adding(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    fake.folder = FolderAnswer(FolderKind.WORKSPACE)
    async with running_app(setup=given) as run:
        await run.press("o")
        await run.type("/x")
        await run.press("KEY_ENTER")
        await trio.sleep(1)
        await run.press("KEY_ESCAPE")
        await trio.sleep(2)

        assert fake.noted[:3] == ["folder /x", "open /x", "open /x cancelled"]
        assert "Cancelled; nothing was added" in "\n".join(run.screen.rows)
        assert run.app.state.workspaces == ()


async def test_a_folder_that_cannot_be_opened_says_why_and_one_that_can_is_shown(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    fake.folder = FolderAnswer(FolderKind.WORKSPACE)
    fake.opened = Problem("no token is stored", SetupField.TOKEN)
    async with running_app(setup=given) as run:
        await run.press("o")
        await run.type("/x")
        await run.press("KEY_ENTER")
        await trio.sleep(2.5)
        assert "          ✗ no token is stored" in run.screen.rows

        fake.opened = None
        await run.press("KEY_ENTER")
        await trio.sleep(1.5)

        assert "harbour" in run.screen.rows[0]
        assert [each.name for each in run.queue.jobs()] == ["Pull harbour"]


async def test_leaving_in_the_first_run_cancels_what_is_asked(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("c")
        await run.type("x")
        await run.press("KEY_TAB", "KEY_F10")

        with trio.fail_after(0.5):
            await run.left.wait()
        assert fake.noted == ["site x", "site x cancelled"]


async def test_a_second_workspace_is_added_beside_the_first(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER")
        await trio.sleep(1.5)
        fake.root = tmp_path / "second"
        await run.press("1", "a", "KEY_ENTER")
        await trio.sleep(1.5)

        assert [each.name for each in run.app.state.workspaces] == ["demo", "demo-2"]
        assert "demo-2" in run.screen.rows[0]
