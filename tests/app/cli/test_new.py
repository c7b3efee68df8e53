"""Test ``ticketr new``: a draft and the name of its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.users import User

from ticketr.app.tickets import Ticket, parse


def drafted(someone: User, *arguments: str) -> tuple[str, Ticket]:
    """Write a draft; return its file's name and content."""
    told = someone.runs("new", *arguments)
    assert (told.code, told.err) == (0, "")
    path = Path(told.out.removesuffix("\n"))
    (ticket,) = parse(path.read_text(encoding="utf-8")).tickets
    return os.path.relpath(path, someone.root), ticket


def test_a_draft_is_named_after_its_title_and_pushed_as_it_is(someone: User) -> None:
    name, ticket = drafted(someone, "Search", "by author!", "--type", "Story", "--parent", "DEMO-1")

    assert (name, ticket.title, ticket.key) == ("search-by-author.md", "Search by author!", None)
    assert dict(ticket.fields) == {"Type": "Story", "Parent": "DEMO-1"}
    assert someone.runs("push").code == 0
    assert someone.reads(name).key == "DEMO-13"
    assert someone.finds("DEMO-13").parent == someone.finds("DEMO-1").id


def test_the_type_is_the_one_that_is_set_for_new_tickets(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_STORY_TYPE", "Bug")

    assert drafted(someone, "A")[1].fields["Type"] == "Bug"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../x", "x.md"),
        ("/etc/passwd", "etc-passwd.md"),
        ("..", "draft.md"),
        ("Ärger mit 漢字", "ärger-mit-漢字.md"),
        ("漢" * 300, f"{'漢' * 60}.md"),
        ("DEMO-1", "draft-demo-1.md"),
        ("[WIP] Thing", "wip-thing.md"),
        ("[DEMO-1] Taken", "demo-1-taken.md"),
        ("## Tasks", "tasks.md"),
        ("# TICKET: x", "ticket-x.md"),
        ("-_-", "draft.md"),
    ],
)
def test_any_title_is_kept_and_none_becomes_a_path(someone: User, title: str, name: str) -> None:
    assert drafted(someone, "--", title)[0] == name

    assert someone.reads(name).title == title
    assert [*someone.files()] == [name]


def test_control_characters_are_left_out(someone: User) -> None:
    name, ticket = drafted(someone, "two\nlines \x1b[2J\x07of it")

    assert (name, ticket.title) == ("two-lines-of-it.md", "two lines \ufffdof it")


def test_bytes_that_are_no_text_do_no_harm(someone: User) -> None:
    assert drafted(someone, "caf\udce9")[1].title == "caf\ufffd"


def test_a_file_that_is_there_is_never_overwritten(someone: User) -> None:
    someone.writes("a.md", "Mine.\n")
    (someone.root / "a-2.md").symlink_to("nowhere")

    assert drafted(someone, "A")[0] == "a-3.md"

    assert (someone.root / "a.md").read_text() == "Mine.\n"


def test_it_goes_to_the_current_folder_inside_the_workspace_and_never_to_a_hidden_one(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.writes("ticketr.toml", "")
    for folder in ("sub", ".hidden/deep"):
        (someone.root / folder).mkdir(parents=True)
        monkeypatch.chdir(someone.root / folder)
        drafted(someone, folder)

    assert [*someone.files()] == ["hidden-deep.md", "sub/sub.md"]


def test_a_folder_that_is_named_counts_more_than_the_current_one(
    someone: User, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()

    assert drafted(someone, "-C", "../other", "A")[0] == "../other/a.md"


def test_json_has_the_path(someone: User) -> None:
    told = someone.runs("new", "A", "--json").json

    assert told == {"folder": str(someone.root), "path": str(someone.root / "a.md")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["  "], "the title is empty"),
        (["\x1b[2J"], "the title is empty"),
        (["A", "--parent", "the epic"], "it has to be a key like PROJ-123"),
    ],
)
def test_wrong_usage_writes_nothing(someone: User, arguments: list[str], words: str) -> None:
    told = someone.runs("new", *arguments)

    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert someone.files() == {}


def test_a_folder_that_is_not_there_is_named(someone: User) -> None:
    told = someone.runs("new", "-C", "nowhere", "A")

    assert told.code == 1
    assert f"cannot write {someone.root / 'nowhere' / 'a.md'}: No such file" in told.err
