"""Make pushes that end before it is known whether their issues were created."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio
from fakes.lossy import Lossy
from fakes.pulls import Bench

from jira_sandbox import Site, create_app, make_site
from ticketr.app.sync import Creation, State
from ticketr.app.tickets import parse

BEFORE = 12
"""How many issues the site has at first."""
DRAFT = "# TICKET: Once\n\n## Description\nFor all.\n"
SETTLE = 30.0


def write(bench: Bench, text: str, name: str = "drafts.md") -> Path:
    bench.root.mkdir(exist_ok=True)
    path = bench.root / name
    path.write_text(text)
    return path


def new(bench: Bench) -> list[str]:
    """Return the titles of the issues that were created."""
    return sorted(each.summary for each in bench.site if each.number > BEFORE)


def unsettled(bench: Bench) -> list[Creation]:
    state = State(bench.root / ".ticketr" / "state.db")
    try:
        return state.creations.read_in_no_file()
    finally:
        state.close()


async def lose_answers(bench: Bench, text: str, what: str = "answer") -> Path:
    """Push drafts, lose the answers, and stop before it is known whether they were created."""
    path = write(bench, text)

    def lose(method: str, at: str) -> str | None:
        return what if (method, at) == ("POST", "issue") else None

    with trio.move_on_after(SETTLE / 3):
        await bench.push(transport=Lossy(create_app(bench.site), lose))
    assert unsettled(bench)
    return path


async def check_settled(bench: Bench, path: Path, titles: Sequence[str] = ("Once",)) -> None:
    """Check that after a sync each issue is in Jira once, and in its file."""
    synced = await bench.sync()
    assert (synced.pull.failed, synced.pull.kept, synced.pull.conflicts) == ((), (), ())
    assert (synced.push.failed, synced.push.conflicts, synced.push.warnings) == ((), (), ())
    assert new(bench) == sorted(titles)
    assert unsettled(bench) == []
    written = [ticket for ticket in parse(path.read_text()).tickets if ticket.key]
    assert sorted(each.title for each in written) == sorted(titles)
    before = bench.files()
    assert (await bench.sync()).push.total == 0
    assert bench.files() == before


def site_in_virtual_time(search_lag: float, *, tickets: int = BEFORE) -> Site:
    """Return a site with Trio's clock."""
    start = datetime(2025, 10, 1, 12, tzinfo=UTC)
    return make_site(
        tickets=tickets,
        seed=1,
        clock=lambda: start + timedelta(seconds=trio.current_time()),
        search_lag=search_lag,
    )
