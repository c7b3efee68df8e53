"""Make conflicts in virtual time, and look at all of a workspace."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from fakes.pulls import Bench

from ticketr.app.jira.adf import to_adf
from ticketr.app.sync import State, Store, Take, resolve
from ticketr.app.tickets import parse


@contextmanager
def opened(bench: Bench) -> Generator[tuple[Store, State]]:
    """Open a workspace that was pulled."""
    with bench.state() as state:
        yield bench.store, state


def settle(bench: Bench, key: str, take: Take) -> str:
    """Settle a conflict by a side; return the path of the file."""
    with opened(bench) as (store, state), store.lock():
        return resolve(store, state, key, take).path


async def make_conflict(bench: Bench, key: str = "DEMO-9") -> Path:
    """Let both sides change title, priority and a paragraph, and each something else."""
    bench.site.edit(key, description=to_adf("One.\n\nTwo.\n\nThree."), labels=("search",))
    await bench.pull()
    path = bench.root / f"{key}.md"
    ticket = parse(path.read_text()).tickets[0]
    text = path.read_text().replace(ticket.title, "Mine", 1).replace("One.", "Zero.\n\nOne.")
    text = text.replace(f"Priority: {ticket.fields['Priority']}", "Priority: Low")
    path.write_text(text.replace("Two.", "Two, mine."))
    priority = bench.finds("DEMO-3").priority  # High
    bench.site.edit(key, summary="Theirs", priority=priority, labels=("remote",))
    bench.site.edit(key, description=to_adf("One.\n\nTwo, theirs.\n\nThree."))
    assert [note.key for note in (await bench.pull()).conflicts][-1:] == [key]
    return path


def tree(bench: Bench) -> dict[str, bytes]:
    """Return all files of a workspace but the state and the lock."""
    return {
        each.relative_to(bench.root).as_posix(): each.read_bytes()
        for each in bench.root.rglob("*")
        if each.is_file() and not each.name.startswith(("state.db", "lock"))
    }


def dump(bench: Bench) -> list[str]:
    """Return all that the state holds, but for what can be undone."""
    with closing(sqlite3.connect(bench.root / ".ticketr" / "state.db")) as db:
        return [line for line in db.iterdump() if not line.startswith('INSERT INTO "undo"')]
