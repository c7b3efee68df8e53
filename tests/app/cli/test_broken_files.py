"""Test that a broken file is left out and named, and that the run goes on with the rest."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.users import User

ODD = os.fsdecode(b"odd-\xff\xfe.md")


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as here:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            here.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def put_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.md")


def break_text(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n# STORY: old\n")


def put_markers(path: Path) -> None:
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n>>>>>>> main\n")


def put_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n\xff\xfe\n")


def put_odd_name(path: Path) -> None:
    path.rename(path.with_name(ODD))


def put_copy(path: Path) -> None:
    path.with_name("copy.md").write_text(path.read_text())


BAD: dict[str, Callable[[Path], None]] = {
    "pipe": put_pipe,
    "socket": put_socket,
    "folder": put_folder,
    "loop": put_loop,
    "dangling link": put_dangling_link,
    "broken text": break_text,
    "markers": put_markers,
    "no UTF-8": put_bytes,
    "odd name": put_odd_name,
    "copy": put_copy,
}


@pytest.fixture(params=BAD)
def bad(request: pytest.FixtureRequest, someone: User) -> User:
    """Make a workspace with a broken DEMO-1.md, an edit of DEMO-2, a draft, and changes in Jira."""
    assert someone.runs("pull").code == 0
    someone.retitles("DEMO-2", "Mine")
    someone.writes("draft.md", "# TICKET: A draft\n")
    BAD[request.param](someone.root / "DEMO-1.md")
    someone.site.edit("DEMO-1", summary="Theirs")
    someone.site.edit("DEMO-6", summary="Theirs too")
    return someone


def is_named(text: str) -> bool:
    return any(name in text for name in ("DEMO-1.md", "odd-", "DEMO-1 "))


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", ["pull", "push", "sync"])
def test_a_broken_file_is_named_and_the_rest_goes_on(bad: User, command: str) -> None:
    before = {path.name for path in bad.root.iterdir()}

    told = bad.runs(command)

    assert told.code == 3, told.err
    assert is_named(told.err)
    assert "should not happen" not in told.err
    assert "Trio nursery" not in told.err
    if command != "pull":
        assert bad.finds("DEMO-2").summary == "Mine"
        assert bad.reads("draft.md").key == "DEMO-13"
    if command != "push":
        assert bad.reads("DEMO-6.md").title == "Theirs too"
    assert {path.name for path in bad.root.iterdir()} == before
    assert bad.finds("DEMO-1").summary == "Theirs"
    assert not (bad.root / "nowhere.md").exists()


@pytest.mark.unmeasured
def test_a_broken_file_is_in_json_under_any_name(bad: User) -> None:
    told = bad.runs("sync", "--json")

    assert told.code == 3
    failed = told.json["pull"]["failed"] + told.json["push"]["failed"]
    assert any(is_named(f"{each['key']} {each['path']} {each['reason']}") for each in failed)
    assert {each["code"] for each in failed} == {"broken"}


def test_status_and_diff_name_it_and_show_the_rest(bad: User) -> None:
    shown = {"status": "edited    DEMO-2 (DEMO-2.md): Title", "diff": "+# TICKET: [DEMO-2] Mine"}
    for command, line in shown.items():
        told = bad.runs(command)
        assert told.code == 1
        assert is_named(told.out + told.err)
        assert line in told.out.splitlines()
        assert bad.runs(command, "--json").code == 1


def test_a_repaired_file_gets_the_changes_of_jira(
    someone: User,
) -> None:
    assert someone.runs("pull").code == 0
    path = someone.root / "DEMO-1.md"
    text = path.read_text()
    path.write_text(f"{text}\n# STORY: old\n")
    someone.site.edit("DEMO-1", summary="Theirs")
    assert someone.runs("pull").code == 3
    assert someone.runs("pull").code == 3

    path.write_text(text)

    assert someone.runs("pull").code == 0
    assert someone.reads("DEMO-1.md").title == "Theirs"


def test_a_new_ticket_whose_name_is_taken_fails_alone(someone: User) -> None:
    (someone.root / "DEMO-3.md").mkdir()
    (someone.root / "DEMO-6.md").symlink_to("elsewhere/DEMO-6.md")
    (someone.root / "DEMO-7.md").symlink_to("DEMO-7.md")
    os.mkfifo(someone.root / "DEMO-8.md")

    told = someone.runs("pull")

    assert told.code == 3
    for name in ("DEMO-3.md", "DEMO-6.md", "DEMO-7.md", "DEMO-8.md"):
        assert name in told.err
    assert (someone.root / "DEMO-1.md").is_file()
    assert not (someone.root / "elsewhere").exists()


def test_a_folder_that_leads_nowhere_is_not_made(someone: User) -> None:
    assert someone.runs("pull").code == 0
    (someone.root / "sprint").mkdir()
    (someone.root / "DEMO-1.md").rename(someone.root / "sprint" / "DEMO-1.md")
    assert someone.runs("pull").code == 0
    (someone.root / "sprint" / "DEMO-1.md").unlink()
    (someone.root / "sprint").rmdir()
    (someone.root / "sprint").symlink_to("nowhere")

    told = someone.runs("pull", "--full")

    assert told.code == 0
    assert "1 new, 0 updated, 11 unchanged" in told.err
    assert someone.reads("DEMO-1.md").key == "DEMO-1"
    assert not (someone.root / "nowhere").exists()


@pytest.mark.parametrize(("deep", "code"), [("- ", 0), ("> ", 3), ("1. ", 0), ("- > ", 3)])
def test_a_text_that_is_900_deep_stops_at_most_itself(someone: User, deep: str, code: int) -> None:
    assert someone.runs("pull").code == 0
    nested = deep * (900 // len(deep.split())) + "x"
    someone.edits("DEMO-1.md", "## Description\n", f"## Description\n{nested}\n\n")
    someone.retitles("DEMO-2", "Mine")

    told = someone.runs("push")

    assert told.code == code
    assert ("DEMO-1.md:4: Jira has no place for" in told.err) is (code == 3)
    assert "should not happen" not in told.err
    assert someone.finds("DEMO-2").summary == "Mine"
    assert someone.runs("sync").code == code


@pytest.mark.parametrize("command", ["push", "sync"])
def test_many_writes_need_a_yes_also_beside_a_broken_file(someone: User, command: str) -> None:
    assert someone.runs("pull").code == 0
    break_text(someone.root / "DEMO-1.md")
    someone.writes("drafts.md", "".join(f"# TICKET: Draft {number}\n\n" for number in range(21)))

    told = someone.runs(command)

    assert (told.code, "create or change 21 tickets" in told.err) == (2, True)
    assert someone.site.find("DEMO-13") is None


def test_a_ticket_in_a_broken_file_of_another_name_is_not_called_missing(someone: User) -> None:
    assert someone.runs("pull").code == 0
    moved = (someone.root / "DEMO-1.md").rename(someone.root / "sprint.md")
    put_markers(moved)

    for command in ("status", "diff"):
        assert someone.runs(command, "--json").json["missing"] == []
    told = someone.runs("sync", "--full", "--prune")

    assert told.code == 3
    assert "sprint.md:1:1: this file holds a git conflict; resolve it" in told.err
    assert not (someone.root / "DEMO-1.md").exists()


def test_a_broken_ticket_is_asked_for_and_never_written_to(someone: User) -> None:
    assert someone.runs("pull").code == 0
    someone.retitles("DEMO-1", "Mine")
    break_text(someone.root / "DEMO-1.md")
    someone.retitles("DEMO-2", "Mine too")

    told = someone.runs("sync", "--full")

    assert told.code == 3
    assert not any(each.startswith("issue/DEMO-1") for each in someone.asked)
    assert any(each.startswith("issue/DEMO-2") for each in someone.asked)
    assert someone.finds("DEMO-1").summary != "Mine"
    assert someone.finds("DEMO-2").summary == "Mine too"
