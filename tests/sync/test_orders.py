"""What a push finds out before it sends anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

import pytest
from fakes.pulls import Bench, inline

from ticketr.sandbox import make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trio.testing import MockClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=100, seed=1), tmp_path / "work")


def retitle(bench: Bench, key: str, title: str) -> None:
    path = bench.root / f"{key}.md"
    path.write_text(f"# TICKET: [{key}] {title}\n{path.read_text().partition(chr(10))[2]}")


async def test_a_thread_is_visited_for_many_tickets_at_once(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    edited = [name.removesuffix(".md") for name in bench.files()]
    for key in edited:
        retitle(bench, key, "Mine")
    visits: list[object] = []

    async def run_sync(sync_fn: Callable[[*Ts], T], /, *args: *Ts) -> T:
        visits.append(sync_fn)
        return await inline(sync_fn, *args)

    result = await bench.push(dry_run=True, run_sync=run_sync)

    assert result.total == len(edited) > 30
    assert len(visits) < 20
