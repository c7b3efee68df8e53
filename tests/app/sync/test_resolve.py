"""Conflicts, settled offline, whatever became of their files meanwhile."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.pulls import Bench

from ticketr.app.config import UnsafePath
from ticketr.app.sync import FileFailed, State, Store, Take, resolve
from ticketr.app.tickets import TicketSyntaxError, parse

BROKEN = "<<<<<<< HEAD\n# TICKET: Somebody else's\n"


@pytest.fixture
def state(bench: Bench) -> Generator[State]:
    store = Store(bench.root, ".ticketr")
    store.prepare()
    state = State(store.own / "state.db")
    yield state
    state.close()


def settle(bench: Bench, state: State, take: Take, key: str = "DEMO-9") -> str:
    return resolve(Store(bench.root, ".ticketr"), state, key, take).path


async def conflict(bench: Bench, key: str = "DEMO-9") -> Path:
    """Let both sides change a title, and give the ticket's file."""
    path = bench.root / f"{key}.md"
    title = parse(path.read_text()).tickets[0].title
    path.write_text(path.read_text().replace(title, "Mine", 1))
    bench.site.edit(key, summary="Theirs")
    (note,) = (await bench.pull()).conflicts
    assert (note.key, note.reason) == (key, f"changed here and in Jira: {key}: Title")
    return path


def title(path: Path) -> str:
    return parse(path.read_text()).tickets[0].title


async def test_what_cannot_be_put_aside_is_not_replaced(bench: Bench, state: State) -> None:
    await bench.pull()
    path = await conflict(bench)
    (bench.root / ".ticketr" / "trash").write_text("in the way")

    with pytest.raises(UnsafePath, match=r"trash is a file and not a folder of ticketr's own"):
        settle(bench, state, Take.JIRA)

    assert title(path) == "Mine"
    assert [each.key for each in state.conflicts.all()] == ["DEMO-9"]


@pytest.mark.parametrize(
    ("take", "begins"),
    [
        (Take.MINE, "# TICKET: [DEMO-9] Mine\n"),
        (Take.JIRA, "# TICKET: [DEMO-9] Theirs\n"),
        (Take.BOTH, "<<<<<<< here\n# TICKET: [DEMO-9] Mine\n=======\n# TICKET: [DEMO-9] Theirs\n"),
    ],
)
async def test_a_file_that_was_moved_since_is_found(
    bench: Bench, state: State, take: Take, begins: str
) -> None:
    await bench.pull()
    old = await conflict(bench)
    new = bench.root / "mine" / "renamed.md"
    new.parent.mkdir()
    old.rename(new)

    assert settle(bench, state, take) == "mine/renamed.md"

    assert new.read_text().startswith(begins)
    assert not old.exists()


async def test_another_file_that_is_broken_is_no_matter(bench: Bench, state: State) -> None:
    await bench.pull()
    path = await conflict(bench)
    (bench.root / "A.md").write_text(BROKEN)
    path.rename(bench.root / "Z.md")

    assert settle(bench, state, Take.JIRA) == "Z.md"


async def test_a_ticket_that_may_stand_in_a_broken_file_is_written_nowhere_else(
    bench: Bench, state: State
) -> None:
    await bench.pull()
    path = await conflict(bench)
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}")
    path.rename(bench.root / "Z.md")

    with pytest.raises(TicketSyntaxError, match=r"Z\.md:1:1: this file holds a git conflict"):
        settle(bench, state, Take.JIRA)

    assert not path.exists()
    assert [each.key for each in state.conflicts.all()] == ["DEMO-9"]


@pytest.mark.parametrize("take", [Take.MINE, Take.JIRA])
async def test_a_file_that_holds_something_else_by_now_is_left_alone(
    bench: Bench, state: State, take: Take
) -> None:
    await bench.pull()
    path = await conflict(bench)
    path.write_text("# Notes of mine\n")

    with pytest.raises(FileFailed, match=r"cannot write DEMO-9 into .*: the file holds something"):
        settle(bench, state, take)

    assert path.read_text() == "# Notes of mine\n"
    assert [each.key for each in state.conflicts.all()] == ["DEMO-9"]


async def test_a_file_that_went_away_comes_with_jiras_version(bench: Bench, state: State) -> None:
    await bench.pull()
    path = await conflict(bench)
    path.unlink()

    with pytest.raises(FileFailed, match="it is not there any more; pull again"):
        settle(bench, state, Take.BOTH)
    settle(bench, state, Take.JIRA)

    assert title(path) == "Theirs"
    assert (await bench.sync()).push.total == 0


async def test_the_lines_between_the_markers_end_as_the_file_does(
    bench: Bench, state: State
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    await bench.pull()
    old = title(path)
    path.write_bytes(path.read_bytes().replace(old.encode(), b"Mine", 1))
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull()

    settle(bench, state, Take.BOTH)

    data = path.read_bytes()
    assert data.startswith(b"<<<<<<< here\r\n# TICKET: [DEMO-9] Mine\r\n=======\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")


async def test_without_a_last_sync_only_what_differs_stands_between_markers(
    bench: Bench, state: State, tmp_path: Path
) -> None:
    other = Bench(bench.site, tmp_path / "other")
    await other.pull()
    theirs = (other.root / "DEMO-9.md").read_text()
    path = bench.root / "DEMO-9.md"
    path.write_text(theirs.replace(title(other.root / "DEMO-9.md"), "Mine", 1))
    assert [note.key for note in (await bench.pull()).conflicts] == ["DEMO-9"]

    settle(bench, state, Take.BOTH)

    first, rest = theirs.split("\n", 1)
    wanted = f"<<<<<<< here\n# TICKET: [DEMO-9] Mine\n=======\n{first}\n>>>>>>> Jira\n{rest}"
    assert path.read_text() == wanted
