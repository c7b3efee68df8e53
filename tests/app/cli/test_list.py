"""Test ``ticketr list``, ``stats``, ``alias`` and ``schema``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, sandbox_thread
from fakes.ptys import job_on_pty
from fakes.users import User, user_of_all_fields


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
        (["title=a draft"], [""]),
        (["status=new key="], [""]),
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


@pytest.mark.parametrize("command", ["list", "stats"])
def test_a_misspelt_field_is_refused_with_the_nearest_one(someone: User, command: str) -> None:
    someone.runs("pull")

    told = someone.runs(command, "edited", "staus=done")

    assert (told.code, told.out) == (2, "")
    assert 'no ticket has a field "staus"; did you mean Status?\n' in told.err
    assert told.err.splitlines()[1:3] == ["  edited staus=done", "         ^"]
    assert someone.runs(command, "sprint=", "key=demo").code == 0


def test_me_and_mine_are_the_tickets_of_the_user(someone: User) -> None:
    assert "who you are is not known before a pull" in someone.runs("list", "@me").err
    someone.runs("pull")
    someone.runs("assign", "DEMO-9", "me")
    mine = {issue.key for issue in someone.site if issue.assignee == someone.site.user}

    for text in ("@me", "@mine"):
        listed = someone.runs("list", text, "--json").json["tickets"]
        assert {issue["key"] for issue in listed} == mine != set()


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
    assert someone.runs("list", "draft") == (0, "", "no ticket fits draft\n")
    assert someone.runs("list", "status=Done draft", "x\x1b") == (
        0,
        "",
        'no ticket fits status="Done draft" x\ufffd\n',
    )
    assert someone.runs("list", "--json").json == {
        "folder": str(someone.root),
        "tickets": [],
        "broken": [],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_in_a_terminal_the_list_is_a_table_that_fits(
    worker: User, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr("ticketr.app.cli.listing._is_output_terminal", lambda: True)
    monkeypatch.setattr("ticketr.app.cli.listing._output_encoding", lambda: encoding)
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
def test_an_argument_that_is_one_term_needs_no_quotes_of_its_own(
    someone: User, bare: str, quoted: str
) -> None:
    someone.runs("pull")

    told = someone.runs("list", "--", bare)

    assert (told.code, told.out) == (0, someone.runs("list", "--", quoted).out)
    assert told.out
    assert someone.runs("stats", "--", bare).out == someone.runs("stats", "--", quoted).out


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


def test_in_a_terminal_the_counts_are_a_table(reader: User) -> None:
    command = [*PROGRAM, "stats", "--by", "Status", "--by", "Type", "-C", str(reader.root)]
    environ = environment("http://127.0.0.1:9")
    environ.pop("COLUMNS", None)  # the size of the terminal counts

    with job_on_pty(command, size=(40, 20), environ=environ) as pty:
        assert pty.wait_for_end() == 0

    assert re.sub(r"\r+", "", pty.output.rpartition("\0")[2]).splitlines() == [
        "Status  Done        3  6",
        "Status  To Do       1  3",
        "Type    Task        4  9",
    ]


def test_a_field_that_no_ticket_has_is_named(reader: User) -> None:
    told = reader.runs("stats", "--by", "Assignees", "--by", "status", "--by", "Zzz")

    assert told.code == 0
    assert told.err.splitlines() == [
        'no ticket has the field "Assignees"; did you mean Assignee?',
        'no ticket has the field "Zzz"',
    ]


def test_the_aliases_that_everybody_has_are_listed(someone: User) -> None:
    told = someone.runs("alias")

    assert told.code == 0
    assert told.out.splitlines() == [
        '@blocked  issueLinkType = "is blocked by" AND resolution = EMPTY',
        "@mine     assignee = currentUser() AND resolution = EMPTY",
        "@recent   updated >= -7d",
        "@sprint   sprint in openSprints()",
    ]
    assert json.loads(someone.runs("alias", "--json").out)[2] == {
        "name": "recent",
        "query": "updated >= -7d",
    }


def test_a_query_gets_a_name_and_a_pull_uses_it(someone: User) -> None:
    assert someone.runs("alias", "two", "key in (DEMO-1, DEMO-2)").code == 0
    assert someone.runs("alias", "@bugs", "@two AND type = Bug").code == 0

    told = someone.runs("pull", "--jql", "@two")

    assert (told.code, told.err.splitlines()[-1]) == (0, "2 new, 0 updated, 0 unchanged")
    assert "@bugs     @two AND type = Bug" in someone.runs("alias").out


def test_a_name_is_taken_away(someone: User) -> None:
    someone.runs("alias", "two", "key in (DEMO-1, DEMO-2)")

    assert someone.runs("alias", "--remove", "@two").out == "removed @two\n"

    again = someone.runs("alias", "two", "--remove")
    assert (again.code, again.err) == (1, "your settings have no alias @two\n")
    built_in = someone.runs("alias", "--remove", "mine")
    assert "(it is built in, or in ticketr.toml)" in built_in.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["two"], "give NAME and QUERY, or NAME and --remove"),
        (["two", "x = 1", "--remove"], "give NAME and QUERY, or NAME and --remove"),
        (["--remove"], "--remove needs the NAME of an alias"),
        (["2 a", "x = 1"], "letters, digits, '-' and '_' alone"),
        (["a", " "], "the query is empty"),
        (["a", "@a OR x = 1"], "the alias stands for itself (@a > @a)"),
        (["a", "@mien"], "did you mean @mine?"),
    ],
)
def test_wrong_usage_is_refused_and_changes_nothing(
    someone: User, arguments: list[str], problem: str
) -> None:
    before = someone.runs("alias").out

    told = someone.runs("alias", *arguments)

    assert (told.code, told.out) == (2, "")
    assert problem in told.err
    assert someone.runs("alias").out == before


def test_an_unknown_alias_in_a_query_ends_with_2_and_sends_nothing(someone: User) -> None:
    told = someone.runs("pull", "--jql", "@nope")

    assert (told.code, told.out) == (2, "")
    assert "--jql is '@nope': there is no such alias" in told.err


@pytest.fixture
def owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user of the project with fields of every type."""
    settings = '# ours\nfields = ["Budget", "Rollout Plan"]\n\n[sync]\nstrategy = "mine"\n'
    return user_of_all_fields(tmp_path / "work", monkeypatch, capsys, settings)


def test_each_field_is_a_line_of_cells(owner: User) -> None:
    told = owner.runs("schema")

    lines = [line.split("\t") for line in told.out.splitlines()]
    by_name = {line[1]: line for line in lines}
    assert told.code == 0
    assert {len(line) for line in lines} == {5}
    assert lines[0][:3] == ["+*", "Type", "issue type"]
    assert by_name["Sprint"][2] == "sprint"
    assert by_name["Budget"] == ["+ ", "Budget", "number", "customfield_10103", ""]
    channel = ["  ", "Channel", "choice", "customfield_10104", "Shop, Web, Post: abroad"]
    assert by_name["Channel"] == [" *", *channel[1:]]
    assert by_name["Checks"][2:] == ["choices", "customfield_10105", 'Fire, Water, "Power, gas"']
    assert by_name["Region"][4].startswith("Europe, Europe > Spain, Europe > Ireland")
    assert by_name["Rollout Plan"] == ["+ ", "Rollout Plan", "rich text", "customfield_10101", ""]
    assert by_name["Environment"] == ["  ", "Environment", "rich text", "environment", ""]
    assert by_name["Time tracking"][4] == "it holds tracked time"
    assert not {"Summary", "Description", "Parent", "Project"} & set(by_name)
    first_other = [line[0][0] for line in lines].index(" ")
    assert all(line[0][0] == "+" for line in lines[:first_other])
    assert not any(line[0][0] == "+" for line in lines[first_other:])


def test_json_says_which_types_have_and_need_a_field(owner: User) -> None:
    told = json.loads(owner.runs("schema", "--json").out)

    (channel,) = [each for each in told if each["name"] == "Channel"]
    assert channel == {
        "name": "Channel",
        "id": "customfield_10104",
        "kind": "choice",
        "values": ["Shop", "Web", "Post: abroad"],
        "types": channel["types"],
        "required": ["Bug"],
        "is_kept": False,
        "reason": "",
    }
    assert "Bug" in channel["types"]


def test_in_a_terminal_the_table_fits(tmp_path: Path) -> None:
    with sandbox_thread(tickets=1) as url:
        (tmp_path / "ticketr.toml").write_text(f'site = "{url}"\nproject = "DEMO"\n')
        command = [*PROGRAM, "schema", "-C", str(tmp_path)]
        environ = environment(url)
        environ.pop("COLUMNS", None)  # the size of the terminal counts
        with job_on_pty(command, size=(50, 60), environ=environ) as pty:
            assert pty.wait_for_end() == 0

    lines = re.sub(r"\r+", "", pty.output.rpartition("\0")[2]).splitlines()
    table = lines[next(n for n, line in enumerate(lines) if line.startswith("+* Type")) :]
    assert max(map(len, table)) <= 50
    assert re.match(r"\+  Priority +\S.*Highest", next(each for each in table if "Prior" in each))
