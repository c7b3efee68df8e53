"""Test ``ticketr comment``."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from fakes.users import User

from ticketr.app.jira.adf import to_markdown


def comments(user: User, key: str = "DEMO-9") -> list[str]:
    return [to_markdown(comment.body).strip() for comment in user.finds(key).comments]


def as_editor(user: User, line: str) -> Path:
    """Write a program that stands in for an editor."""
    path = user.root.parent / "editor"
    path.write_text(f"#!{sys.executable} -I\nimport sys\npath = sys.argv[-1]\n{line}\n")
    path.chmod(0o755)
    return path


def test_a_comment_is_sent_at_once_and_is_in_the_file_that_keeps_comments(someone: User) -> None:
    someone.writes("ticketr.toml", "comments = true\n")
    someone.runs("pull")
    before = comments(someone)

    told = someone.runs("comment", "demo-9", "-m", "Fixed in *1.2*\n\n- one\n- two")

    assert (told.code, told.out) == (0, "commented on DEMO-9\n"), told.err
    assert comments(someone) == [*before, "Fixed in *1.2*\n\n- one\n- two"]
    assert someone.reads("DEMO-9.md").comments[-1].text == "Fixed in *1.2*\n\n- one\n- two"
    assert someone.runs("status", "--json").json["edited"] == []
    assert someone.runs("pull").code == 0


def test_files_without_comments_stay_as_they_are(someone: User) -> None:
    someone.runs("pull")
    before = someone.files()

    told = someone.runs("comment", "DEMO-9", "-m", "Hello @[Nobody Here]", "--json")

    assert (told.code, told.json["key"], told.json["status"]) == (0, "DEMO-9", "completed")
    assert told.json["id"] == str(someone.finds("DEMO-9").comments[-1].id)
    assert "warning: “@[Nobody Here]” goes to Jira as text" in told.err
    assert someone.files() == before


def test_a_comment_is_read_from_standard_input(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("From a script\n"))

    told = someone.runs("comment", "DEMO-9", "-m", "-")

    assert told.code == 0, told.err
    assert comments(someone)[-1] == "From a script"


def test_a_comment_is_written_in_the_editor(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    program = as_editor(someone, "open(path, 'a').write('From the editor\\n')")
    monkeypatch.setenv("EDITOR", str(program))

    told = someone.runs("comment", "DEMO-9")

    assert told.code == 0, told.err
    assert comments(someone)[-1] == "From the editor"


@pytest.mark.parametrize("line", ["pass", "open(path, 'w').write(' \\n')"])
def test_an_empty_comment_sends_nothing(
    someone: User, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("EDITOR", str(as_editor(someone, line)))
    before = comments(someone)

    told = someone.runs("comment", "DEMO-9")

    assert (told.code, told.err) == (0, "Nothing was sent.\n")
    assert comments(someone) == before


def test_a_comment_from_the_editor_that_cannot_be_sent_is_kept(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = as_editor(someone, "open(path, 'a').write('Long words\\n')")
    monkeypatch.setenv("EDITOR", str(program))

    told = someone.runs("comment", "DEMO-999")

    assert told.code == 1
    line = told.err.splitlines()[-1]
    path = Path(line.removeprefix("your text is in "))
    assert path.read_text().endswith("\nLong words\n")
    path.unlink()
