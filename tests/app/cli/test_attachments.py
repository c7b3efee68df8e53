"""Test ``ticketr attachments``."""

from __future__ import annotations

import pytest
from fakes.users import User


def test_attachments_are_added_listed_and_downloaded(someone: User) -> None:
    someone.writes("shot.png", "picture")

    added = someone.runs("attachments", "add", "demo-1", "shot.png")
    listed = someone.runs("attachments", "list", "DEMO-1", "DEMO-2")
    got = someone.runs("attachments", "get", "DEMO-1")
    again = someone.runs("attachments", "get", "DEMO-1")

    assert (added.code, added.out) == (0, "attached shot.png\n")
    assert listed.out == "DEMO-1  1 attachment\n  shot.png  7 bytes\nDEMO-2  no attachments\n"
    assert (got.code, got.out) == (0, "downloaded attachments/DEMO-1/shot.png\n")
    assert (someone.root / "attachments" / "DEMO-1" / "shot.png").read_bytes() == b"picture"
    assert (again.code, again.out) == (0, "1 were there already\n")


def test_they_are_printed_as_json(someone: User) -> None:
    someone.writes("shot.png", "picture")

    added = someone.runs("attachments", "add", "DEMO-1", "shot.png", "--json").json
    listed = someone.runs("attachments", "list", "DEMO-1", "DEMO-99", "--json")

    assert added == {
        "status": "completed",
        "message": "Attached 1 file to DEMO-1",
        "attached": ["shot.png"],
        "unchanged": 0,
        "failed": [],
    }
    ((found,),) = listed.json["issues"].values()
    assert (found["name"], found["size"], listed.code) == ("shot.png", 7, 3)
    assert [each["key"] for each in listed.json["failed"]] == ["DEMO-99"]


def test_an_issue_that_jira_does_not_have_is_told(someone: User) -> None:
    someone.writes("shot.png", "picture")

    told = someone.runs("attachments", "add", "DEMO-99", "shot.png")

    assert (told.code, told.out) == (3, "")
    assert "DEMO-99 (shot.png): " in told.err


def test_a_file_that_is_not_there_is_told(someone: User) -> None:
    told = someone.runs("attachments", "add", "DEMO-1", "none.png")

    assert told.code == 3
    assert "DEMO-1 (none.png): it cannot be read: No such file or directory\n" in told.err


def test_a_job_that_fails_ends_the_command(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_API_KEY", "wrong")
    monkeypatch.setenv("JIRA_API_TOKEN", "wrong")

    told = someone.runs("attachments", "list", "DEMO-1", "--json")

    assert (told.code, told.json["status"], told.json["error"]) == (
        1,
        "failed",
        "AuthenticationFailed",
    )


@pytest.mark.parametrize(
    "arguments",
    [["list", "nokey"], ["add", "x", "shot.png"], ["get"]],
)
def test_wrong_usage_is_refused(someone: User, arguments: list[str]) -> None:
    someone.writes("shot.png", "picture")

    assert someone.runs("attachments", *arguments).code == 2
