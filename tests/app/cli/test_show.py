"""Test ``ticketr show``."""

from __future__ import annotations

import pytest
from fakes.users import User

FILE = """\
Some words.

# TICKET: [DEMO-7] Pay in \x1b[2Jinstalments

## Description
First line.

Second \x1b[31mline.

## Fields
Status: To Do
Notes: |
  one
  two

## Acceptance Criteria
- It pays
  twice
- It stops

## Comments
- [7] Mia Chen, 2026-03-01 09:30Z:
  One.

  Two.
- new: Mine

## Tasks
- [DEMO-8] Write the API
  ## Description
  With words.
  ## Fields
  Status: Done
- Draw it

# TICKET: [DEMO-10] Another
"""
TICKET = """\
DEMO-7  Pay in instalments

Status: To Do
Notes: one
  two

First line.

Second line.

Acceptance criteria
- It pays
  twice
- It stops

Comments
- Mia Chen, 2026-03-01 09:30Z:
  One.

  Two.
- new:
  Mine

Sub-tasks
- DEMO-8  Write the API  (Done)
- draft  Draw it

tickets/more.md:3
"""
TASK = """\
DEMO-8  Write the API
below DEMO-7  Pay in instalments

Status: Done

With words.

tickets/more.md:29
"""


@pytest.fixture
def owner(someone: User) -> User:
    someone.writes("tickets/more.md", FILE)
    someone.writes("notes.md", "DEMO-7 and DEMO-8 are mentioned here\n")
    someone.writes("broken.md", "# TICKET: [DEMO-99]\n\nDEMO-7\n")
    return someone


@pytest.mark.parametrize("key", ["DEMO-7", "demo-7", " Demo-7 "])
def test_a_ticket_is_printed_for_reading(owner: User, key: str) -> None:
    assert owner.runs("show", key) == (0, TICKET, "")


def test_a_sub_task_is_printed_by_itself(owner: User) -> None:
    assert owner.runs("show", "DEMO-8") == (0, TASK, "")


def test_a_ticket_without_content_is_its_title_and_its_place(owner: User) -> None:
    assert owner.runs("show", "DEMO-10").out == "DEMO-10  Another\n\ntickets/more.md:36\n"


def test_raw_is_the_text_of_the_file_to_the_letter(owner: User) -> None:
    start = FILE.index("# TICKET: [DEMO-7]")

    assert (
        owner.runs("show", "DEMO-7", "--raw").out
        == FILE[start : FILE.index("\n# TICKET: [DEMO-10]")]
    )
    assert owner.runs("show", "DEMO-8", "--raw").out == (
        "- [DEMO-8] Write the API\n  ## Description\n  With words.\n  ## Fields\n  Status: Done\n"
    )


def test_raw_in_a_terminal_is_cleaned(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticketr.app.cli.show._is_terminal", lambda: True)

    shown = owner.runs("show", "DEMO-7", "--raw").out

    assert "\x1b" not in shown
    assert shown.startswith("# TICKET: [DEMO-7] Pay in instalments\n")
    assert len(shown.splitlines()) == 32


def test_json_has_every_part(owner: User) -> None:
    told = owner.runs("show", "DEMO-7", "--json").json

    assert told == {
        "folder": str(owner.root),
        "key": "DEMO-7",
        "title": "Pay in \x1b[2Jinstalments",
        "fields": {"Status": "To Do", "Notes": "one\ntwo"},
        "description": "First line.\n\nSecond \x1b[31mline.",
        "acceptance_criteria": ["It pays\ntwice", "It stops"],
        "texts": {},
        "comments": [
            {
                "id": "7",
                "author": "Mia Chen",
                "time": "2026-03-01 09:30Z",
                "text": "One.\n\nTwo.",
            },
            {"id": None, "author": "", "time": "", "text": "Mine"},
        ],
        "parent": None,
        "tasks": [
            {
                "key": "DEMO-8",
                "title": "Write the API",
                "fields": {"Status": "Done"},
                "description": "With words.",
                "acceptance_criteria": [],
                "texts": {},
                "comments": [],
            },
            {
                "key": None,
                "title": "Draw it",
                "fields": {},
                "description": "",
                "acceptance_criteria": [],
                "texts": {},
                "comments": [],
            },
        ],
        "path": "tickets/more.md",
        "line": 3,
        "text": told["text"],
    }
    assert owner.runs("show", "DEMO-8", "--json").json["parent"] == "DEMO-7"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["DEMO-77"], "DEMO-77 is in no file of {root}; 'ticketr pull' brings what is in Jira"),
        (["x-y"], "x-y is not a key; a key looks like PROJ-123"),
        (["DEMO-7", "--raw", "--json"], "say --raw or --json, not both"),
    ],
)
def test_wrong_usage_is_explained(owner: User, arguments: list[str], reason: str) -> None:
    told = owner.runs("show", *arguments)

    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[0] == f"ticketr: {reason.format(root=owner.root)}"


def test_a_broken_file_of_its_own_name_is_the_error(owner: User) -> None:
    owner.writes("DEMO-77.md", "# TICKET: [DEMO-77]\n")

    told = owner.runs("show", "DEMO-77")

    assert told.code == 1
    assert told.err.startswith("ticketr: DEMO-77.md:1:11: there is a key but no title")


def test_a_file_that_cannot_be_read_is_passed_over(owner: User) -> None:
    (owner.root / "DEMO-70.md").mkdir()

    assert owner.runs("show", "DEMO-7").code == 0
