"""Test ``ticketr stats``."""

from __future__ import annotations

import json
import re

import pytest
from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty
from fakes.users import User


@pytest.fixture
def reader(someone: User) -> User:
    """Return a user with four tickets of known fields."""
    for number, (status, points, who) in enumerate(
        [("To Do", 3, "Ada"), ("Done", 5, "工单\u202e"), ("Done", "?", "Ada"), ("Done", 1, "")]
    ):
        fields = f"Status: {status}\nStory Points: {points}\nAssignee: {who}\nType: Task\n"
        someone.writes(f"{number}.md", f"# TICKET: t{number}\n\n## Fields\n{fields}")
    return someone


def test_elsewhere_than_in_a_terminal_each_count_is_a_line_of_cells(reader: User) -> None:
    told = reader.runs("stats")

    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == [
        "Status\tDone\t3\t6",
        "Status\tTo Do\t1\t3",
        "Type\tTask\t4\t9",
        "Assignee\tAda\t2\t3",
        "Assignee\t工单\t1\t5",
        "Assignee\t\t1\t1",
    ]


@pytest.mark.parametrize("terms", [(), ("status=Nope",)])
def test_where_nothing_fits_it_says_so_as_a_list_does(
    terms: tuple[str, ...], someone: User
) -> None:
    if terms:
        someone.writes("a.md", "# TICKET: a\n")

    told = someone.runs("stats", *terms)

    assert (told.code, told.out) == (0, "")
    assert told.err == someone.runs("list", *terms).err != ""


def test_a_filter_and_the_fields_can_be_chosen(reader: User) -> None:
    told = reader.runs("stats", "status=done", "@ada", "--by", "type", "--by", "Nope")

    assert told.out.splitlines() == ["type\tTask\t1\t0", "Nope\t\t1\t0"]


def test_a_wrong_filter_is_refused_with_its_place(reader: User) -> None:
    told = reader.runs("stats", 'a"b')

    assert (told.code, told.out) == (2, "")
    assert "^" in told.err


def test_json_has_all_numbers(reader: User) -> None:
    told = json.loads(reader.runs("stats", "--json", "--by", "Assignee").out)

    assert told == {
        "folder": str(reader.root),
        "tickets": 4,
        "points": 9.0,
        "by": {
            "Assignee": [
                {"value": "Ada", "tickets": 2, "points": 3.0},
                {"value": "工单\u202e", "tickets": 1, "points": 5.0},
                {"value": None, "tickets": 1, "points": 1.0},
            ]
        },
    }


def test_a_broken_file_is_named_and_the_exit_code_is_1(reader: User) -> None:
    reader.writes("broken.md", "# TICKET: [DEMO-900]\n")

    told = reader.runs("stats", "--by", "Type")

    assert (told.code, told.out) == (1, "Type\tTask\t4\t9\n")
    assert told.err == "left out, since it cannot be read: broken.md\n"


@pytest.mark.parametrize(
    ("changes", "block"), [({}, "█"), ({"PYTHONIOENCODING": "ascii:replace"}, "#")]
)
def test_in_a_terminal_each_count_has_a_bar_that_fits(
    reader: User, changes: dict[str, str], block: str
) -> None:
    command = [*PROGRAM, "stats", "--by", "Status", "--by", "Type", "-C", str(reader.root)]
    environ = environment("http://127.0.0.1:9", **changes)
    environ.pop("COLUMNS", None)  # the size of the terminal counts

    with job_on_pty(command, size=(40, 20), environ=environ) as pty:
        assert pty.wait_for_end() == 0

    assert re.sub(r"\r+", "", pty.output.rpartition("\0")[2]).splitlines() == [
        "4 tickets, 9 points",
        "",
        "Status",
        f"  Done   3  6 pts  {block * 21}",
        f"  To Do  1  3 pts  {block * 7}",
        "",
        "Type",
        f"  Task  4  9 pts  {block * 22}",
    ]


def test_nothing_to_count_has_no_tables(someone: User) -> None:
    command = [*PROGRAM, "stats", "-C", str(someone.root)]

    with job_on_pty(command, environ=environment("http://127.0.0.1:9")) as pty:
        assert pty.wait_for_end() == 0

    assert re.sub(r"\r+", "", pty.output.rpartition("\0")[2]) == "0 tickets\n"


def test_a_field_that_no_ticket_has_is_named(reader: User) -> None:
    told = reader.runs("stats", "--by", "Assignees", "--by", "status", "--by", "Zzz")

    assert told.code == 0
    assert told.err.splitlines() == [
        'no ticket has the field "Assignees"; did you mean Assignee?',
        'no ticket has the field "Zzz"',
    ]
