"""Test ``ticketr schema``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import job_on_pty
from fakes.users import User, user_of_all_fields


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


def test_the_list_becomes_comments_of_the_settings_and_is_replaced_the_next_time(
    owner: User,
) -> None:
    path = owner.root / "ticketr.toml"
    before = path.read_text()

    told = owner.runs("schema", "--write")

    assert re.fullmatch(rf"\d+ fields are now comments in {re.escape(str(path))}\n", told.out)
    text = path.read_text()
    assert text.startswith(before.rstrip())
    assert "\n#    * Channel (choice, needed by Bug): Shop, Web, Post: abroad\n" in text
    assert owner.runs("status").code == 0
    path.write_text(text.replace("Channel", "Kanal") + "# after\n")
    owner.runs("schema", "--write")
    again = path.read_text()
    assert "Kanal" not in again
    assert again.count("# [schema]") == 1
    assert "# after\n" in again


def test_no_value_of_the_settings_is_lost(owner: User) -> None:
    owner.runs("schema", "--write")
    block = (owner.root / "ticketr.toml").read_text().partition("# [schema]")[2]
    inside = f'jql = """\n# [schema]{block}"""\n'
    owner.writes("ticketr.toml", inside)

    told = owner.runs("schema", "--write")

    assert told.code == 2
    assert "ticketr.toml: a value in it holds " in told.err
    assert (owner.root / "ticketr.toml").read_text() == inside


def test_a_refused_login_is_an_error_of_one_line(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_API_TOKEN", "canary-7391")

    told = owner.runs("schema")

    assert (told.code, told.out) == (1, "")
    assert "canary" not in told.err


def test_an_unknown_project_is_named_with_its_setting(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_PROJECT_KEY", "NOPE")

    told = owner.runs("schema")

    assert (told.code, told.out) == (1, "")
    assert "JIRA_PROJECT_KEY is NOPE: there is no such project at http://127.0.0.1" in told.err


def test_in_a_terminal_the_table_fits(tmp_path: Path) -> None:
    with sandbox_process(tickets=1) as url:
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
