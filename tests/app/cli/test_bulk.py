"""Test ``ticketr bulk``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, sandbox_thread
from fakes.ptys import job_on_pty
from fakes.users import User, user_of_all_fields

from jira_sandbox import make_site

THREE = "key in (DEMO-1, DEMO-2, DEMO-3)"


def writes(user: User) -> list[str]:
    return [line for line in user.asked if line.startswith("bulk/issues/") and "{" in line]


def test_a_field_of_the_issues_of_a_query_is_set(someone: User) -> None:
    told = someone.runs("bulk", "--jql", THREE, "--set", "Priority=highest")

    assert told.code == 0, told.err
    assert told.err.splitlines()[-2:] == [
        "Changed 3 tickets",
        "to see it in the files: ticketr pull",
    ]
    names = {each.priority.name for each in someone.site if each.number <= 3}
    assert names == {"Highest"}
    assert len(writes(someone)) == 1


def test_labels_are_added_and_removed(someone: User) -> None:
    before = set(someone.finds("DEMO-1").labels)

    someone.runs("bulk", "demo-1", "DEMO-2", "--set", "Labels+=urgent, web")

    assert set(someone.finds("DEMO-1").labels) == {*before, "urgent", "web"}
    someone.runs("bulk", "DEMO-1", "--set", "Labels-=web")
    assert set(someone.finds("DEMO-1").labels) == {*before, "urgent"}
    someone.runs("bulk", "DEMO-1", "--set", "Labels=")
    assert someone.finds("DEMO-1").labels == ()


def test_issues_are_moved_to_a_status_and_those_that_cannot_are_named(someone: User) -> None:
    someone.site.edit("DEMO-2", labels=())
    at = {each.key: each.status.name for each in someone.site}

    told = someone.runs("bulk", "--jql", "project = DEMO", "--transition", "in progress", "--yes")

    assert told.code in {0, 3}
    now = {each.key: each.status.name for each in someone.site}
    failed = [line.split()[1].rstrip(":") for line in told.err.splitlines() if "failed: " in line]
    assert {key for key in now if now[key] != "In Progress"} == set(failed)
    assert any(at[key] != now[key] for key in now)


def test_issues_are_moved_under_a_parent(someone: User) -> None:
    epic = next(each for each in someone.site if each.type.name == "Epic")
    other = next(each for each in someone.site if each.type.name in {"Task", "Story", "Bug"})

    told = someone.runs("bulk", other.key, "--move", epic.key.lower())

    assert told.code == 0, told.err
    assert someone.finds(other.key).parent == epic.id


def test_a_deletion_without_a_terminal_needs_yes(someone: User) -> None:
    told = someone.runs("bulk", "DEMO-9", "--delete")

    assert told.code == 2
    assert "delete: 1 ticket" in told.err
    assert "--yes" in told.err
    assert someone.site.find("DEMO-9") is not None
    again = someone.runs("bulk", "DEMO-9", "--delete", "--yes")
    assert again.code == 0, again.err
    assert someone.site.find("DEMO-9") is None
    assert again.err.splitlines()[-1] == "to see it in the files: ticketr pull --prune"


def test_more_than_20_changes_without_a_terminal_need_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(tmp_path / "work", make_site(tickets=21, seed=1), monkeypatch, capsys)

    told = user.runs("bulk", "--jql", "project = DEMO", "--set", "Priority=Low")

    assert told.code == 2
    assert "set Priority=Low: 21 tickets" in told.err
    assert writes(user) == []


def test_a_deletion_counts_each_sub_task_once(someone: User) -> None:
    below = [each for each in someone.site if each.type.subtask]
    parents = {each.parent for each in below}
    keys = [each.key for each in someone.site if each.id in parents]
    all_keys = (*keys, *(each.key for each in below))

    alone = someone.runs("bulk", *keys, "--delete", "--dry-run")
    whole = someone.runs("bulk", *all_keys, "--delete", "--dry-run")

    count, some = len(keys), len(below)
    assert some > 0
    s, more = "s" * (count != 1), "s" * (some != 1)
    assert alone.err.splitlines()[-1] == f"delete: {count} ticket{s} with {some} sub-task{more}"
    assert whole.err.splitlines()[-1] == f"delete: {len(all_keys)} tickets"


def test_a_dry_run_lists_and_changes_nothing(someone: User) -> None:
    told = someone.runs("bulk", "--jql", THREE, "--delete", "--dry-run")

    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["DEMO-1", "DEMO-2", "DEMO-3"]
    assert told.err.splitlines()[-1].startswith("delete: 3 tickets")
    assert len(someone.site) == 12
    listed = json.loads(someone.runs("bulk", "DEMO-1", "--delete", "-n", "--json").out)
    assert listed["tickets"][0]["key"] == "DEMO-1"


def test_a_query_that_finds_nothing_changes_nothing(someone: User) -> None:
    told = someone.runs("bulk", "--jql", "key = DEMO-1 AND key = DEMO-2", "--delete", "--yes")

    assert told.code == 0
    assert told.err.splitlines()[-1] == "delete: 0 tickets"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--delete"], "name the issues, or give a query"),
        (["DEMO-1", "--jql", "x = 1", "--delete"], "name the issues, or give a query"),
        (["DEMO-1"], "give one of --set, --transition, --move and --delete"),
        (["DEMO-1", "--delete", "--transition", "Done"], "give one of --set"),
        (["DEMO-1", "--set", "Priority"], "is not like Priority=High"),
        (
            ["DEMO-1", "--set", "Priority=High", "--set", "priority=Low"],
            "Priority is given more than once",
        ),
        (["DEMO-1", "--set", "Labels+=a", "--set", "Labels-=b"], "a list as in Labels+=urgent,web"),
        (["DEMO-1", "--set", "=High"], "is not like Priority=High"),
        (["nonsense", "--delete"], "nonsense"),
        (["DEMO-1", "--move", "nonsense"], "nonsense"),
        (["--jql", "@nope", "--delete"], "there is no such alias"),
    ],
)
def test_wrong_usage_is_refused(someone: User, arguments: list[str], problem: str) -> None:
    told = someone.runs("bulk", *arguments)

    assert (told.code, told.out) == (2, "")
    assert problem in told.err
    assert writes(someone) == []


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("Priority=Purple", 'Priority: "Purple" is not possible'),
        ("Priority+=High", "only labels, components and versions can be added"),
        ("Priority=", "Priority: it cannot be cleared"),
        ("Labels+=", "there is nothing to add or to remove"),
        ("Labels=two words", "has a space in it"),
        ("Status=Done", "Status: --transition STATUS sets it"),
        ("parent=DEMO-1", "parent: --move KEY sets it"),
        ("Nope=1", "the files here do not keep it; they keep"),
        ("Sprint=Harbour Sprint 7", "it cannot be set in bulk; edit the files"),
        ("Type=", "Type: it cannot be cleared"),
        ("Type=Nonsense", "is not possible"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_sent(
    someone: User, setting: str, problem: str
) -> None:
    someone.runs("pull")

    told = someone.runs("bulk", "DEMO-1", "DEMO-2", "--set", setting)

    assert told.code == 3
    assert problem in told.err
    assert writes(someone) == []


def test_a_key_that_jira_does_not_have_is_refused(someone: User) -> None:
    told = someone.runs("bulk", "DEMO-1", "DEMO-999", "--set", "Priority=Low")

    assert told.code == 1
    words = "Find issues failed: Jira does not have DEMO-999, or you may not see it\n"
    assert told.err.endswith(words)
    assert writes(someone) == []


def test_json_has_what_was_changed_and_what_not(someone: User) -> None:
    told = someone.runs("bulk", "DEMO-1", "--set", "Priority=Purple", "--json")

    found = json.loads(told.out)
    assert (told.code, found["status"], found["changed"]) == (3, "completed", [])
    assert [each["key"] for each in found["failed"]] == ["DEMO-1"]
    assert found["unknown"] == []


def test_fields_of_many_types_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {
        "Budget": "7.5",
        "Channel": "Web",
        "Checks": 'Fire, "Power, gas"',
        "Owner": "Demo User",
        "Approvers": "Demo User, Priya Raman",
        "Opening Day": "2026-01-02",
        "Opening Time": "2026-01-02T14:00:00.000+0530",
        "Found In": "2026.1",
        "Ships In": "2026.2",
        "Topics": "cake, tea",
        "Components": "Checkout",
        "Website": "https://example.com/a",
    }
    fields = f"fields = {[*wanted]}\n"
    user = user_of_all_fields(tmp_path / "work", monkeypatch, capsys, fields)
    settings = [each for name, text in wanted.items() for each in ("--set", f"{name}={text}")]

    told = user.runs("bulk", "KIT-3", "KIT-8", *settings)

    assert told.code == 0, told.err
    assert len(writes(user)) == 1
    user.runs("pull")
    for key in ("KIT-3", "KIT-8"):
        found = user.reads(f"{key}.md").fields
        assert {name: found.get(name) for name in wanted} == wanted
    cleared = [each for name in wanted for each in ("--set", f"{name}=")]
    assert user.runs("bulk", "KIT-3", *cleared).code == 0
    user.runs("pull")
    assert not [name for name in wanted if user.reads("KIT-3.md").fields.get(name)]


def test_a_rich_text_that_the_files_keep_is_set_and_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = 'fields = ["Environment"]\n'
    user = user_of_all_fields(tmp_path / "work", monkeypatch, capsys, settings)

    told = user.runs("bulk", "KIT-2", "KIT-3", "--set", "environment=Chrome **120**")

    assert told.code == 0, told.err
    user.runs("pull")
    assert "Chrome **120**" in (user.root / "KIT-2.md").read_text()
    assert user.runs("bulk", "KIT-2", "--set", "Environment=").code == 0
    user.runs("pull")
    assert "Chrome" not in (user.root / "KIT-2.md").read_text()
    refused = user.runs("bulk", "KIT-2", "--set", f"Environment={'x' * 40_000}")
    assert (refused.code, writes(user)) == (3, [])
    assert "Environment: it has 40000 characters" in refused.err
    assert user.runs("bulk", "KIT-2", "--set", "Lessons=x").code == 3  # the files do not keep it


@pytest.mark.parametrize(("answer", "is_there"), [("n", True), ("y", False)])
def test_in_a_terminal_it_shows_the_issues_and_asks(
    tmp_path: Path, answer: str, *, is_there: bool
) -> None:
    with sandbox_thread(tickets=12) as url:
        (tmp_path / "ticketr.toml").write_text(f'site = "{url}"\nproject = "DEMO"\n')
        command = [*PROGRAM, "bulk", "DEMO-9", "--delete", "-C", str(tmp_path)]
        with job_on_pty(command, size=(120, 24), environ=environment(url)) as pty:
            pty.wait_for(r"DEMO-9  .*\r\n[\s\S]*This cannot be undone. Go on\? \[y/N\]: ")
            pty.type(f"{answer}\r")
            assert pty.wait_for_end() == 0
        look = [*PROGRAM, "bulk", "--jql", "key = DEMO-9", "--delete", "-n", "-C", str(tmp_path)]
        with job_on_pty(look, environ=environment(url)) as pty:
            assert pty.wait_for_end() == (0 if is_there else 1)


HOSTILE = '[aliases]\nmine = "project = DEMO"\nMINE = "project = DEMO"\nours = "key in (DEMO-1)"\n'


def settings_of(user: User, text: str = HOSTILE) -> None:
    user.root.mkdir(exist_ok=True)
    (user.root / "ticketr.toml").write_text(text)


def test_a_cloned_file_does_not_change_what_mine_is(someone: User) -> None:
    settings_of(someone)
    own = {each.key for each in someone.site if each.assignee == someone.site.user}
    others = {each.key: each.priority.name for each in someone.site if each.key not in own}

    told = someone.runs("bulk", "--jql", "@mine", "--set", "Priority=Lowest", "--yes")

    assert told.code == 0, told.err
    assert {key: someone.finds(key).priority.name for key in others} == others
    warnings = [line for line in told.err.splitlines() if "is built in" in line]
    assert [line.partition(": ")[0].rpartition(":")[2] for line in warnings] == ["2", "3"]
    assert "ticketr.toml:2: ignored: @mine is built in" in told.err
    assert "alias @mine (built in): assignee = currentUser()" in told.err


def test_the_users_own_settings_change_what_mine_is(someone: User) -> None:
    settings_of(someone)
    assert someone.runs("alias", "mine", "key = DEMO-2").code == 0

    told = someone.runs("bulk", "--jql", "@mine", "--set", "Priority=Lowest", "--yes")

    assert "alias @mine of your settings: key = DEMO-2" in told.err
    assert "Changed 1 ticket" in told.err


def test_a_plan_names_the_file_of_each_alias_also_of_one_within_another(someone: User) -> None:
    settings_of(someone)
    assert someone.runs("alias", "wide", "@ours OR (@mine AND key = DEMO-3)").code == 0

    told = someone.runs("bulk", "--jql", "@wide", "--transition", "Done", "--dry-run", "--json")

    aliases = json.loads(told.out)["aliases"]
    assert [(each["name"], each["source"]) for each in aliases] == [
        ("wide", "your settings"),
        ("ours", "ticketr.toml"),
        ("mine", "built in"),
    ]
    assert "alias @ours of ticketr.toml: key in (DEMO-1)" in told.err


def test_a_deletion_without_a_question_takes_no_alias_of_a_shared_file(someone: User) -> None:
    settings_of(someone)
    assert someone.runs("alias", "wide", "@ours").code == 0

    for query in ("@ours", "@wide", "key = DEMO-2 OR @ours"):
        told = someone.runs("bulk", "--jql", query, "--delete", "--yes")
        assert told.code == 2
        lines = told.err.splitlines()
        start = next(n for n, line in enumerate(lines) if line.startswith("ticketr: "))
        assert lines[start].startswith(
            "ticketr: --delete with --yes takes no alias of ticketr.toml"
        )
        assert lines[start + 1] == "alias @ours of ticketr.toml: key in (DEMO-1)"
        assert "write its query after --jql" in told.err
    assert someone.site.find("DEMO-1") is not None
    again = someone.runs("bulk", "--jql", "key in (DEMO-1)", "--delete", "--yes")
    assert again.code == 0, again.err


def test_an_issue_is_assigned_in_jira_and_in_its_file(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "An edit of mine")
    me = someone.site.user

    told = someone.runs("assign", "demo-9", "DEMO-1", "me")

    assert told.code == 0, told.err
    assert someone.finds("DEMO-9").assignee == someone.finds("DEMO-1").assignee == me
    assert someone.reads("DEMO-9.md").fields["Assignee"] == "Demo User"
    assert someone.reads("DEMO-9.md").title == "An edit of mine" != someone.finds("DEMO-9").summary
    assert someone.runs("pull").code == 0
    edited = someone.runs("status", "--json").json["edited"]
    assert [(issue["key"], issue["parts"]) for issue in edited] == [("DEMO-9", ["Title"])]


def test_nobody_and_others_are_assigned_by_name(someone: User) -> None:
    someone.runs("pull")

    assert someone.runs("assign", "DEMO-9", "amara", "okafor").code == 0
    assert someone.reads("DEMO-9.md").fields["Assignee"] == "Amara Okafor"
    assert someone.runs("assign", "DEMO-9", "-").code == 0
    assert someone.finds("DEMO-9").assignee is None
    assert "Assignee" not in someone.reads("DEMO-9.md").fields
    assert someone.runs("assign", "DEMO-9").code == 0  # to me
    assert someone.reads("DEMO-9.md").fields["Assignee"] == "Demo User"
    unknown = someone.runs("assign", "DEMO-9", "Nobody Here", "--json")
    assert (unknown.code, unknown.json["failed"][0]["key"]) == (3, "DEMO-9")
    assert 'nobody called "Nobody Here"' in unknown.json["failed"][0]["reason"]
    misspelt = someone.runs("assign", "DEMO-9", "Amara Okafr")
    assert "did you mean Amara Okafor?" in misspelt.err
    misspelt = someone.runs("assign", "DEMO-9", "amra")
    assert 'nobody called "amra" can be chosen; there is Amara Okafor' in misspelt.err


def test_me_is_a_value_of_every_field_with_a_person(someone: User) -> None:
    someone.runs("pull")

    told = someone.runs("bulk", "DEMO-9", "--set", "Assignee=@me")

    assert told.code == 0, told.err
    assert someone.finds("DEMO-9").assignee == someone.site.user
    someone.writes("draft.md", "# TICKET: Mine\n\n## Fields\nAssignee: me\n")
    assert someone.runs("push").code == 0
    assert someone.reads("draft.md").fields["Assignee"] == "Demo User"
    assert someone.runs("status", "--json").json["edited"] == []


def test_an_issue_is_moved_in_jira_and_in_its_file(someone: User) -> None:
    someone.runs("pull")
    before = someone.finds("DEMO-9").status.name
    after = {"To Do": "In Progress", "In Progress": "In Review"}[before]

    told = someone.runs("move", "DEMO-9", *after.lower().split(), "--json")

    assert (told.code, told.json["changed"], told.json["pulled"]) == (0, ["DEMO-9"], ["DEMO-9"])
    assert someone.finds("DEMO-9").status.name == after
    assert someone.reads("DEMO-9.md").fields["Status"] == after
    assert someone.runs("status", "--json").json["edited"] == []
    again = someone.runs("move", "DEMO-9", after.lower().replace(" ", "-"))
    assert again.code == 0
    assert f"already {after}, left alone: DEMO-9" in again.err
    wrong = someone.runs("move", "DEMO-9", f"{before}x")
    assert (wrong.code, f"did you mean {before}?" in wrong.err) == (3, True)
    assert someone.runs("move", "DEMO-9", before.lower().replace(" ", "")).code == 0
    assert someone.finds("DEMO-9").status.name == before


def test_an_issue_that_was_not_pulled_gets_no_file(someone: User) -> None:
    told = someone.runs("assign", "DEMO-9", "me")

    assert told.code == 0, told.err
    assert someone.finds("DEMO-9").assignee == someone.site.user
    assert someone.files() == {}
    assert told.err.splitlines()[-1] == "to see it in the files: ticketr pull"


def test_an_issue_with_an_edit_of_the_same_field_is_left_alone(someone: User) -> None:
    someone.runs("pull")
    for key in ("DEMO-1", "DEMO-9"):
        before = someone.reads(f"{key}.md").fields["Priority"]
        someone.edits(f"{key}.md", f"Priority: {before}", "Priority: Low")

    told = someone.runs("bulk", "DEMO-1", "DEMO-9", "DEMO-3", "--set", "Priority=highest")

    assert told.code == 3
    words = "its file has an edit of Priority (Low) that is not pushed; push it first, or undo it"
    assert told.err.count(f"failed: DEMO-9 (DEMO-9.md): {words}") == 1
    assert someone.finds("DEMO-3").priority.name == "Highest"
    assert someone.finds("DEMO-9").priority.name != "Highest"
    dry = someone.runs("bulk", "DEMO-9", "--set", "Priority=highest", "-n", "--json")
    assert (dry.code, dry.json["tickets"]) == (3, [])
    assert [note["key"] for note in dry.json["failed"]] == ["DEMO-9"]
    same = someone.runs("bulk", "DEMO-9", "--set", "Priority=low")
    assert same.code == 0, same.err
    assert "DEMO-9" not in [
        issue["key"] for issue in someone.runs("status", "--json").json["edited"]
    ]
    assert someone.runs("sync").code == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["assign", "DEMO9", "me"], "DEMO9 is not a key; a key looks like PROJ-123"),
        (["assign"], "Missing argument"),
        (["move", "DEMO-9"], "name a status after the key, as in: ticketr move DEMO-9 Done"),
        (["move", "Done"], "Done is not a key"),
    ],
)
def test_a_verb_without_what_it_needs_is_refused(
    someone: User, arguments: list[str], problem: str
) -> None:
    told = someone.runs(*arguments)

    assert (told.code, told.out) == (2, "")
    assert problem in told.err


def test_assign_shows_the_issues_in_a_terminal_and_asks(tmp_path: Path) -> None:
    with sandbox_thread(tickets=12) as url:
        (tmp_path / "ticketr.toml").write_text(f'site = "{url}"\nproject = "DEMO"\n')
        command = [*PROGRAM, "assign", "DEMO-9", "me", "-C", str(tmp_path)]
        with job_on_pty(command, size=(120, 24), environ=environment(url)) as pty:
            pty.wait_for(r"DEMO-9  .*\r\n[\s\S]*set Assignee=me: 1 ticket. Go on\? \[y/N\]: ")
            pty.type("n\r")
            assert pty.wait_for_end() == 0
        assert "Nothing was sent." in pty.output
