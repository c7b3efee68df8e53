"""Test a folder that an earlier version has pulled, which wrote other Markdown for the same documents."""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.users import User

from jira_sandbox import make_site

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


def item(*words: str) -> Json:
    texts = [{"type": "text", "text": word} for word in words]
    return {"type": "listItem", "content": [{"type": "paragraph", "content": texts}]}


CARD = {"url": "https://e.com/page"}
#: Blocks that have had another spelling since: now, and before.
RESPELT = {
    "\n- a\n-\n- b\n": "\n- a\n- <p></p>\n- b\n",
    "\n<https://e.com/page>\n": "\n<https://e.com/page><!-- -->\n",
    "\n<https://e.com/page>{card}\n": "\n<https://e.com/page>\n",
}
RESPELT_BLOCKS: list[Json] = [
    {"type": "bulletList", "content": [item("a"), item(), item("b")]},
    {"type": "paragraph", "content": [{"type": "inlineCard", "attrs": CARD}]},
    {"type": "blockCard", "attrs": CARD},
]


def in_former_spelling(text: str) -> str:
    for now, before in reversed(RESPELT.items()):
        assert now in text
        text = text.replace(now, before, 1)
    return text


@pytest.fixture
def respelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user whose folder has empty items and cards in their former spelling."""
    user = User(tmp_path / "work", make_site(tickets=2, seed=1), monkeypatch, capsys)
    words = {"type": "paragraph", "content": [{"type": "text", "text": "Read this."}]}
    document = {"type": "doc", "version": 1, "content": [words, *RESPELT_BLOCKS]}
    user.site.edit("DEMO-1", description=copy.deepcopy(document))
    assert user.runs("pull").code == 0
    path = user.root / "DEMO-1.md"
    text = path.read_text()
    with closing(sqlite3.connect(user.root / ".ticketr" / "state.db")) as database:
        changes = database.execute(
            "UPDATE ticket SET text = ? WHERE text = ?", (in_former_spelling(text), text)
        )
        assert changes.rowcount == 1
        database.commit()
    path.write_text(in_former_spelling(text))
    return user


def test_a_former_spelling_stays_where_it_means_the_same_and_asks_nothing(respelt: User) -> None:
    before = respelt.files()["DEMO-1.md"]
    document = respelt.finds("DEMO-1").description

    assert respelt.runs("push", "--dry-run").out == ""
    assert respelt.runs("pull", "--full").code == 0

    # An address alone is a small card now, so a large one that is fetched gets its sign.
    after = respelt.files()["DEMO-1.md"]
    assert after == before.replace("<https://e.com/page>\n", "<https://e.com/page>{card}\n")
    assert "DEMO-1" not in respelt.runs("status").out
    assert respelt.runs("sync", "--yes").code == 0
    assert respelt.files()["DEMO-1.md"] == after
    assert respelt.finds("DEMO-1").description == document


def test_an_edit_beside_a_former_spelling_leaves_jira_its_own_blocks(respelt: User) -> None:
    respelt.edits("DEMO-1.md", "Read this.", "Read that.")

    assert respelt.runs("push").code == 0

    sent = respelt.finds("DEMO-1").description
    assert sent is not None
    assert sent["content"][0]["content"][0]["text"] == "Read that."
    assert sent["content"][1:] == RESPELT_BLOCKS
    assert "DEMO-1" not in respelt.runs("status").out
    assert respelt.runs("sync", "--yes").code == 0
    after = respelt.finds("DEMO-1").description
    assert after == sent
