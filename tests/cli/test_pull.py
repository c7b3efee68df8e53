"""What ``ticketr pull`` prints of what others named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.processes import environment, sandbox_process, ticketr

from ticketr.tickets import parse

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "a\x1b[2J\x9b2Kb\u202e.md"


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_is_wrong_usage(query: str, tmp_path: Path) -> None:
    ended = ticketr("pull", "--jql", query, folder=tmp_path)

    assert ended.returncode == 2
    assert "'--jql': the query is empty" in ended.stderr


def test_a_hostile_file_name_reaches_no_terminal(tmp_path: Path) -> None:
    with sandbox_process(tickets=10) as url:
        ticketr("pull", folder=tmp_path, env=environment(url))
        path = next(tmp_path.glob("*.md"))
        edited = path.rename(tmp_path / HOSTILE)
        edited.write_text(path_text := f"{edited.read_text()}\nMine.\n")
        told = ticketr("pull", "--full", folder=tmp_path, env=environment(url))
        listed = ticketr("pull", "--full", "--json", folder=tmp_path, env=environment(url))

    key = parse(path_text).tickets[0].key
    assert f"kept: {key} (ab.md): it was edited here" in told.stderr
    assert told.stderr.replace("\n", "").isprintable()
    assert listed.stdout.isascii()
    (kept,) = json.loads(listed.stdout)["kept"]
    assert kept["path"] == HOSTILE
