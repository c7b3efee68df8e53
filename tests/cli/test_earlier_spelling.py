"""Test a folder that an earlier version has pulled, which wrote other Markdown for the same documents."""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.users import User

from ticketr.sandbox import make_site

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

#: Written by commit 686a1ef: addresses in angle brackets, blank lines in lists, sizes of tables.
OLD = Path(__file__).with_name("old_spelling")
DOCUMENT: Json = json.loads((OLD / "document.json").read_text())


@pytest.fixture
def upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user whose folder the earlier version has pulled."""
    user = User(tmp_path / "work", make_site(tickets=2, seed=1), monkeypatch, capsys)
    user.site.edit("DEMO-1", description=copy.deepcopy(DOCUMENT))
    for path in OLD.glob("*.md"):
        shutil.copy(path, user.root)
    (user.root / ".ticketr").mkdir()
    with closing(sqlite3.connect(user.root / ".ticketr" / "state.db")) as database:
        database.executescript((OLD / "state.sql").read_text())
    assert user.runs("workspace", "trust").code == 0
    return user


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines of a text that another one does not have."""
    known = before.split("\n")
    return [line for line in after.split("\n") if line not in known]


def blocks(document: Json, kind: str) -> Iterator[Json]:
    return (block for block in document["content"] if block["type"] == kind)


def test_the_first_pull_changes_nothing_and_asks_nothing(upgraded: User) -> None:
    before = upgraded.files()
    assert "](<https://e.com/a_b?c=d>)" in before["DEMO-1.md"]

    assert "DEMO-1" not in upgraded.runs("status").out
    assert upgraded.runs("push", "--dry-run").out == ""
    assert upgraded.runs("pull").code == 0
    assert "DEMO-1" not in upgraded.runs("status").out
    synced = upgraded.runs("sync", "--json")
    assert (synced.code, synced.json["pull"]["conflicts"], synced.json["push"]["updated"]) == (
        0,
        [],
        [],
    )
    assert not any(each.startswith("PUT") for each in upgraded.asked)
    assert upgraded.files() == before
    assert upgraded.finds("DEMO-1").description == DOCUMENT


def test_a_change_in_jira_changes_its_own_lines_only(upgraded: User) -> None:
    before = upgraded.files()["DEMO-1.md"]
    document = copy.deepcopy(DOCUMENT)
    document["content"][0]["content"][0]["text"] = "Read "
    upgraded.site.edit("DEMO-1", description=document)

    assert upgraded.runs("pull").code == 0

    after = upgraded.files()["DEMO-1.md"]
    (line,) = changed_lines(before, after)
    assert line.startswith('Read [the docs](https://e.com/a_b?c=d), [a page](https://e.com/x_(y) "')
    assert line.endswith('") and [a file](<https://e.com/a b>).')
    assert len(before.split("\n")) == len(after.split("\n"))
    assert "DEMO-1" not in upgraded.runs("status").out


def test_edits_on_both_sides_of_it_do_not_clash(upgraded: User) -> None:
    upgraded.edits("DEMO-1.md", "- two", "- two and a half")
    upgraded.edits("DEMO-1.md", "| b | 2 |", "| b | 3 |")
    document = copy.deepcopy(DOCUMENT)
    document["content"][0]["content"][0]["text"] = "Read "
    upgraded.site.edit("DEMO-1", description=document)

    synced = upgraded.runs("sync", "--json")

    assert (synced.code, synced.json["pull"]["conflicts"]) == (0, []), synced
    sent = upgraded.finds("DEMO-1").description
    assert sent is not None
    expected = json.dumps(document).replace('"two"', '"two and a half"').replace('"2"', '"3"')
    assert json.loads(expected) == sent


def test_a_width_that_was_written_by_hand_is_sent(upgraded: User) -> None:
    upgraded.edits("DEMO-1.md", '"width":900', '"width":800')

    assert upgraded.runs("push").code == 0

    sent = upgraded.finds("DEMO-1").description
    assert sent is not None
    (table,) = blocks(sent, "table")
    assert table["attrs"]["width"] == 800
    assert table["content"] == next(blocks(DOCUMENT, "table"))["content"]
