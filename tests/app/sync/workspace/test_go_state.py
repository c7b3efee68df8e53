"""Folders of the Go program Ticketr."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.sync.workspace.store import (
    GO_STATE_FILE,
    MAX_GO_STATE_BYTES,
    go_hash,
    read_go_hashes,
)
from ticketr.app.tickets import parse

EXAMPLES = Path(__file__).parents[2] / "tickets" / "go_format"


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    bench.root.mkdir()
    return bench


def left_by_go(bench: Bench, text: str) -> Path:
    """A ticket with that program's state of it: a hash of what it wrote itself."""
    path = bench.root / "pulled_tickets.md"
    path.write_text(text)
    (ticket,) = parse(text).tickets
    state = {ticket.key: {"local_hash": go_hash(ticket), "remote_hash": "of no use"}}
    (bench.root / GO_STATE_FILE).write_text(json.dumps(state))
    return path


OLD = "# TICKET: [DEMO-9] An old title\n\n## Description\nOld words.\n"


@pytest.mark.parametrize("name", ["1-minimal-new", "2-story-with-subtasks", "3-two-tickets"])
def test_a_hash_is_the_one_that_the_go_program_makes(name: str) -> None:
    tickets = parse((EXAMPLES / f"{name}.md").read_text()).tickets

    lines = (EXAMPLES / f"{name}.hash").read_text().splitlines()
    hashes = [line.split()[-1] for line in lines]
    assert [go_hash(ticket) for ticket in tickets] == hashes


async def test_a_ticket_that_was_not_edited_is_replaced_and_put_aside(bench: Bench) -> None:
    path = left_by_go(bench, OLD)

    result = await bench.pull()

    assert result.conflicts == ()
    (ticket,) = parse(path.read_text()).tickets
    found = bench.site.find("DEMO-9")
    assert found is not None
    assert ticket.title == found.summary
    assert (bench.root / ".ticketr" / "trash" / "DEMO-9.md").read_text() == OLD
    assert not (bench.root / "DEMO-9.md").exists()


async def test_a_ticket_that_was_edited_since_is_a_conflict(bench: Bench) -> None:
    path = left_by_go(bench, OLD)
    path.write_text(OLD.replace("Old words", "My words"))

    result = await bench.pull()

    assert [note.key for note in result.conflicts] == ["DEMO-9"]
    assert "My words" in path.read_text()


async def test_the_go_programs_state_counts_once(bench: Bench) -> None:
    path = left_by_go(bench, OLD)
    await bench.pull()
    path.write_text(OLD)  # an edit now, though it is what that program left
    bench.site.edit("DEMO-9", summary="Theirs")

    result = await bench.pull()

    assert [note.key for note in result.conflicts] == ["DEMO-9"]
    assert path.read_text() == OLD


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"DEMO-9": 1}', "[" * 100_000, "\xff"])
def test_a_state_that_nobody_can_read_says_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / GO_STATE_FILE).write_bytes(text.encode("latin-1"))

    assert read_go_hashes(tmp_path) == {}


def test_a_folder_without_such_a_state_says_nothing(tmp_path: Path) -> None:
    assert read_go_hashes(tmp_path) == {}


def test_what_has_the_name_of_its_state_and_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / GO_STATE_FILE
    for make in (
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to(path.name),
        path.mkdir,
        lambda: path.write_text(
            json.dumps({"A-1": {"local_hash": "x"}}) + " " * MAX_GO_STATE_BYTES
        ),
    ):
        make()

        assert read_go_hashes(tmp_path) == {}

        path.rmdir() if path.is_dir() else path.unlink()
