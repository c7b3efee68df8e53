"""Test ``ticketr list``."""

from __future__ import annotations

import os

import pytest
from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty
from fakes.users import User

from ticketr.app.config import STATE_FOLDER, StateFolder, store_list_memory


@pytest.fixture
def worker(someone: User) -> User:
    """Return a user who has pulled, and then edited, drafted and broken something."""
    someone.runs("pull")
    someone.retitles("DEMO-3", "Mine")
    someone.site.edit("DEMO-3", summary="Theirs")
    someone.runs("sync")
    someone.edits("DEMO-9.md", "Priority: ", "Priority: not ")
    someone.writes("draft.md", "# TICKET: A draft\tof mine\n\n## Fields\nStatus: New\n")
    someone.writes("broken.md", "# TICKET: [DEMO-900]\n")
    return someone


def keys(out: str) -> list[str]:
    return [line.partition("\t")[0] for line in out.splitlines()]


def test_without_a_filter_every_issue_is_a_line_of_cells(worker: User) -> None:
    (worker.root / "broken.md").unlink()

    told = worker.runs("list")

    assert (told.code, told.err) == (0, "")
    lines = [line.split("\t") for line in told.out.splitlines()]
    assert {len(line) for line in lines} == {5}
    assert [line[0] for line in lines] == [f"DEMO-{n}" for n in range(1, 13)] + [""]
    status = worker.reads("DEMO-9.md").fields
    assert lines[8] == [
        "DEMO-9", status["Status"], worker.reads("DEMO-9.md").title, status["Assignee"], "edited",
    ]  # fmt: skip
    assert lines[2][2:] == ["Mine", lines[2][3], "conflict,edited"]
    assert lines[12] == ["", "New", "A draft of mine", "", "draft"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["edited"], ["DEMO-3", "DEMO-9"]),
        (["unpushed"], ["DEMO-3", "DEMO-9", ""]),
        (["draft"], [""]),
        (["conflict"], ["DEMO-3"]),
        (["edited", "--", "-conflict"], ["DEMO-9"]),
        (["key=demo-1", "-w"], None),
        (["mine"], ["DEMO-3", ""]),
        (['title="a draft"'], [""]),
    ],
)
def test_the_arguments_are_the_terms_of_one_filter(
    worker: User, arguments: list[str], found: list[str] | None
) -> None:
    told = worker.runs("list", *arguments)

    if found is None:  # -w needs a name
        assert told.code == 2
    else:
        assert keys(told.out) == found


def test_a_broken_file_is_a_line_too_and_the_exit_code_is_1(worker: User) -> None:
    told = worker.runs("list", "broken")

    assert told.code == 1
    assert told.out == (
        "\t\tbroken.md:1:11: there is a key but no title; write the title behind the key:"
        ' "# TICKET: [DEMO-900]"\t\tbroken\n'
    )


def test_the_order_can_be_chosen(worker: User) -> None:
    by_title = worker.runs("list", "key=demo", "--sort", "title").out
    titles = [line.split("\t")[2] for line in by_title.splitlines()]

    assert titles == sorted(titles, key=str.casefold)
    assert len(titles) == 12
    worker.site.edit("DEMO-2", summary="New")
    worker.runs("pull")
    assert keys(worker.runs("list", "--sort", "updated").out)[0] == "DEMO-2"


def test_json_has_all_that_is_known_of_the_place(worker: User) -> None:
    told = worker.runs("list", "unpushed", "--json")

    assert told.code == 1
    assert told.json["folder"] == str(worker.root)
    assert [each["key"] for each in told.json["tickets"]] == ["DEMO-3", "DEMO-9", None]
    assert told.json["tickets"][2] == {
        "key": None,
        "title": "A draft\tof mine",
        "status": "New",
        "assignee": "",
        "flags": ["draft"],
        "path": "draft.md",
        "line": 1,
    }
    assert [each["path"] for each in told.json["broken"]] == ["broken.md"]
    assert worker.runs("list", "broken", "--json").json["tickets"] == []


def test_a_wrong_filter_shows_where_it_is_wrong(someone: User) -> None:
    told = someone.runs("list", "edited", 'status="in', "pro")

    assert told.code == 2
    assert told.err == (
        "ticketr: Invalid value for FILTER: this quote is not closed\n"
        '  edited status="in pro\n'
        "                ^\n"
        "try 'ticketr list --help'\n"
    )


def test_an_empty_list_says_why_it_is_empty(someone: User) -> None:
    assert someone.runs("list") == (0, "", "there is no ticket here\n")
    assert someone.runs("list", "draft") == (0, "", "no ticket fits\n")
    assert someone.runs("list", "--json").json == {
        "folder": str(someone.root),
        "tickets": [],
        "broken": [],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_in_a_terminal_the_list_is_a_table_that_fits(
    worker: User, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr("ticketr.app.cli.list._is_terminal", lambda: True)
    monkeypatch.setattr("ticketr.app.cli.list._encoding", lambda: encoding)
    monkeypatch.setenv("COLUMNS", "60")

    told = worker.runs("list").out

    lines = told.splitlines()
    assert max(map(len, lines)) <= 60
    assert [line[0] for line in lines if line[0] != " "] == [
        "!", "*", "+", "×" if encoding == "utf-8" else "x",
    ]  # fmt: skip
    assert lines[0].startswith("  DEMO-1   ")
    assert lines[2].startswith("! DEMO-3   ")
    assert worker.runs("list", "nothing-of-this").out == ""


def test_a_title_with_control_characters_is_cleaned(someone: User) -> None:
    someone.writes("draft.md", "# TICKET: \x1b]0;x\x07Hello \x1b[2Jthere\n")

    assert someone.runs("list").out == "\t\tHello there\t\tdraft\n"


def test_a_table_in_a_real_terminal_is_as_wide_as_that(worker: User) -> None:
    command = [*PROGRAM, "list", "-C", str(worker.root), "unpushed"]
    environ = {**environment(), "TICKETR_CONFIG_DIR": os.environ["TICKETR_CONFIG_DIR"]}
    environ.pop("COLUMNS", None)  # the size of the terminal counts

    with job_on_pty(command, environ=environ, size=(50, 24)) as pty:
        assert pty.wait_for_end() == 1
        lines = [line.rstrip() for line in pty.output.splitlines() if "DEMO" in line]

    assert [line[:9] for line in lines] == ["! DEMO-3 ", "* DEMO-9 "]
    assert max(map(len, lines)) <= 50
    assert "…" in lines[1]


@pytest.mark.parametrize(
    ("bare", "quoted"),
    [
        ("status=to do", 'status="to do"'),
        ("STATUS=In Progress", 'status="In Progress"'),
        ("assignee=Priya Raman", '@"Priya Raman"'),
        ("@Priya Raman", '@"Priya Raman"'),
        ("-status=To Do", '-status="To Do"'),
    ],
)
def test_a_known_name_with_blanks_needs_no_quotes_of_its_own(
    someone: User, bare: str, quoted: str
) -> None:
    someone.runs("pull")

    told = someone.runs("list", "--", bare)

    assert (told.code, told.out) == (0, someone.runs("list", "--", quoted).out)
    assert told.out
    assert someone.runs("stats", "--", bare).out == someone.runs("stats", "--", quoted).out


def test_other_words_with_blanks_are_terms_as_before(someone: User) -> None:
    someone.runs("pull")

    assert (
        someone.runs("list", "status=To DEMO-1").out
        == someone.runs("list", "status=To", "DEMO-1").out
    )
    assert someone.runs("list", 'status="To Do" DEMO-1').code == 0


def test_a_filter_that_was_saved_in_the_app_is_used_by_its_name(someone: User) -> None:
    someone.runs("pull")
    folder = StateFolder(someone.root / STATE_FOLDER)
    saved = {"todo": 'status="To Do"', "now": "jql: sprint in openSprints()"}
    store_list_memory(folder, "", "key", saved)

    told = someone.runs("list", "use:todo")
    assert (told.code, told.out) == (0, someone.runs("list", 'status="To Do"').out)
    assert someone.runs("stats", "use:todo").out == someone.runs("stats", 'status="To Do"').out

    for name in ("now", "nothing"):
        told = someone.runs("list", f"use:{name}")
        assert told.code == 2
        assert f"no filter is saved as {name}; saved are todo" in told.err
