"""Test that one check of each field runs at a time, and that no sandbox is left behind."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio
from fakes.setups import FakeSetup
from trio.testing import MockClock

from ticketr.app.tui.services.setup_runner import SetupRunner
from ticketr.app.tui.setup import OpenedWorkspace, SetupField


async def wait(seconds: float, ended: list[str], name: str) -> str:
    try:
        await trio.sleep(seconds)
    except trio.Cancelled:
        ended.append(f"{name} cancelled")
        raise
    return name


async def test_the_newest_of_a_field_cancels_the_one_before_and_no_other(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    ended: list[str] = []
    values: list[str | None] = []
    async with trio.open_nursery() as nursery:
        runner = SetupRunner(FakeSetup(tmp_path), nursery)

        async def ask(place: SetupField, name: str) -> None:
            values.append(await runner.newest(place, partial(wait, 1, ended, name)))

        nursery.start_soon(ask, SetupField.SITE, "one")
        nursery.start_soon(ask, SetupField.FOLDER, "other")
        await trio.sleep(0.5)
        nursery.start_soon(ask, SetupField.SITE, "two")

    assert ended == ["one cancelled"]
    assert values == [None, "other", "two"]
    assert trio.current_time() == 1.5


async def test_a_cancel_from_outside_is_not_swallowed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        runner = SetupRunner(FakeSetup(tmp_path), nursery)
        with trio.move_on_after(0.5) as scope:
            await runner.newest(SetupField.SITE, partial(wait, 1, [], "one"))

    assert scope.cancelled_caught


async def test_an_error_comes_out_and_the_field_is_free_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("no")

    async with trio.open_nursery() as nursery:
        runner = SetupRunner(FakeSetup(tmp_path), nursery)
        with pytest.raises(ValueError, match="no"):
            await runner.newest(SetupField.SITE, fail)
        runner.cancel()

        assert await runner.newest(SetupField.SITE, partial(wait, 1, [], "two")) == "two"


@pytest.mark.parametrize("moment", [0.5, 1.0])
async def test_a_sandbox_whose_start_is_cancelled_ends(
    moment: float, tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake = FakeSetup(tmp_path)
    async with trio.open_nursery() as nursery:
        runner = SetupRunner(fake, nursery)
        with trio.move_on_at(moment):
            await runner.newest(None, runner.open_sandbox)
    # The nursery waits for what was left behind: without an end, this line is not reached.
    assert fake.noted[-1] in {"sandbox cancelled", "sandbox ended"}


async def test_a_sandbox_outlasts_its_start_and_the_cancel_of_the_checks(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake = FakeSetup(tmp_path)
    async with trio.open_nursery() as nursery:
        runner = SetupRunner(fake, nursery)
        opened = await runner.newest(None, runner.open_sandbox)
        runner.cancel()
        await trio.sleep(9)
        assert isinstance(opened, OpenedWorkspace)
        assert fake.noted == ["sandbox"]
        nursery.cancel_scope.cancel()

    assert fake.noted == ["sandbox", "sandbox ended"]
