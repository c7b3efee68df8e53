"""The middle part of a pull, where its parts fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobFailed
from ticketr.app.sync import FileFailed
from ticketr.app.sync.writing.writer import FamilyWriter


async def test_a_file_that_cannot_be_written_is_told_though_more_is_on_its_way(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=300, seed=1), tmp_path / "work")

    async def slow_disk(sync_fn: Callable[..., object], /, *args: object, **_: object) -> object:
        """Fail to write, and only when the next families wait to be handed over."""
        await trio.lowlevel.checkpoint()
        if getattr(sync_fn, "__func__", None) is FamilyWriter.write:
            await trio.sleep(1)
            raise FileFailed(tmp_path, "write", "No space left on device")
        return sync_fn(*args)

    with pytest.raises(JobFailed) as failed:
        await bench.pull(run_sync=slow_disk)

    assert isinstance(failed.value.__cause__, FileFailed)
