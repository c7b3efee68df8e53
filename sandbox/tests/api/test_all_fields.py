"""Each field of the projects ``KIT`` and ``TEAM`` is read, set, cleared and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from rows import for_each
from sandbox_client import NOW, open_client
from sandbox_specs import problems, schema_validator

from jira_sandbox import Site, SiteFile, make_site, open_site
from jira_sandbox.content.extra import KIT_VALUES, TEAM_VALUES
from jira_sandbox.data import catalogue, kit
from jira_sandbox.data.extra_fields import BY_ID, EXTRA_FIELDS

ZOE, PRIYA = catalogue.USERS[1], catalogue.USERS[2]
TEXT = {"type": "paragraph", "content": [{"type": "text", "text": "New"}]}
DOCUMENT = {"type": "doc", "version": 1, "content": [TEXT]}
NO_OPTION = "Option value 'x' is not valid"
NO_ARRAY = "data was not an array"
#: A field of the project KIT, what is sent, what of it comes back, a wrong value, the error.
KIT_CASES: list[tuple[str, Any, Any, Any, str]] = [
    ("environment", DOCUMENT, DOCUMENT, "x", "must be an Atlassian Document"),
    ("versions", [{"name": "2026.1"}], [{"id": "10001"}], [{"name": "x"}], "is not valid"),
    ("security", {"name": "Management"}, {"id": "10001"}, {"id": "7"}, "is not valid"),
    (
        "timetracking",
        {"remainingEstimate": "2h"},
        {"remainingEstimateSeconds": 7200},
        {"originalEstimate": "x"},
        "Invalid time duration",
    ),
    ("timetracking", {"originalEstimate": "1d"}, {"remainingEstimate": "1d"}, 5, "not an object"),
    ("customfield_10001", kit.TEAMS[1].id, {"name": "Back office"}, {"id": "x"}, "by its ID"),
    ("customfield_10014", "KIT-1", "KIT-1", "KIT-2", "appropriate hierarchy"),
    ("customfield_10014", "KIT-1", "KIT-1", {"key": "KIT-1"}, "by its key"),
    ("customfield_10015", "2026-01-02", "2026-01-02", "tomorrow", "Error parsing date string"),
    ("customfield_10021", [{"value": "Impediment"}], [{"id": "10019"}], "x", NO_ARRAY),
    ("customfield_10101", DOCUMENT, DOCUMENT, {"type": "doc"}, "INVALID_INPUT"),
    ("customfield_10103", 0.25, 0.25, "1", "must be a number"),
    ("customfield_10104", {"value": "Web"}, {"id": "10121"}, {"value": "x"}, NO_OPTION),
    (
        "customfield_10105",
        [{"id": "10132"}, {"id": "10132"}],
        [{"value": "Power, gas"}],
        {},
        NO_ARRAY,
    ),
    ("customfield_10106", {"id": "10142"}, {"value": "Grave"}, "Grave", "Specify a valid 'id'"),
    ("customfield_10107", [{"value": "Export"}], [{"id": "10151"}], [{"value": "x"}], NO_OPTION),
    (
        "customfield_10108",
        {"value": "Europe", "child": {"value": "Norway"}},
        {"value": "Europe", "child": {"id": "10163", "value": "Norway"}},
        {"value": "Asia", "child": {"value": "Norway"}},
        "Option value 'Norway' is not valid",
    ),
    ("customfield_10108", {"id": "10170"}, {"value": "Asia"}, {"value": "x"}, NO_OPTION),
    (
        "customfield_10109",
        {"accountId": ZOE.account_id},
        {"displayName": ZOE.name},
        "x",
        "accountId",
    ),
    (
        "customfield_10110",
        [{"accountId": ZOE.account_id}, {"id": PRIYA.account_id}],
        [{"displayName": ZOE.name}, {"displayName": PRIYA.name}],
        [None],
        "Specify a user",
    ),
    (
        "customfield_10111",
        {"name": "managers"},
        {"groupId": kit.GROUPS[2].id},
        {},
        "does not exist",
    ),
    (
        "customfield_10112",
        [{"groupId": kit.GROUPS[0].id}],
        [{"name": "booksellers"}],
        [{"name": "x"}],
        "Group 'x' does not exist",
    ),
    ("customfield_10113", "2026-02-28", "2026-02-28", "2026-02-30", "Error parsing date string"),
    (
        "customfield_10114",
        "2026-01-02T10:00:00.000+0000",
        "2026-01-02T15:30:00.000+0530",
        "2026-01-02",
        "Error parsing time string",
    ),
    ("customfield_10115", ["b", "a"], ["a", "b"], ["a b"], "contains spaces"),
    ("customfield_10116", {"id": "10002"}, {"name": "2026.2"}, {"id": "10011"}, "is not valid"),
    ("customfield_10117", [{"id": "10000"}], [{"name": "2025.4"}], [{}], "Specify a valid 'id'"),
    ("customfield_10118", {"key": "TEAM"}, {"id": "10003"}, {"key": "X"}, "valid project"),
    ("customfield_10119", "https://x.test/", "https://x.test/", "x.test", "not valid"),
    ("customfield_10122", "dark_blue", "dark_blue", "pink", "not valid"),
    ("customfield_10120", DOCUMENT, DOCUMENT, 5, "must be an Atlassian Document"),
]
TEAM_CASES: list[tuple[str, Any, Any, Any, str]] = [
    ("versions", [{"name": "Autumn"}], [{"id": "10011"}], [{"name": "2026.1"}], "is not valid"),
    ("customfield_10028", 8, 8.0, True, "must be a number"),
    ("customfield_10201", " Hi ", "Hi", 5, "must be a string"),
    ("customfield_10204", {"value": "Attic"}, {"id": "10220"}, {"id": "1"}, "is not valid"),
    (
        "customfield_10209",
        [{"accountId": ZOE.account_id}],
        [{"displayName": ZOE.name}],
        "x",
        NO_ARRAY,
    ),
]


def site() -> Site:
    return make_site(tickets=3, seed=1, all_fields=True, clock=lambda: NOW)


async def field(client: httpx.AsyncClient, key: str, name: str) -> Any:
    response = await client.get(f"issue/{key}?fields={name}")
    return response.json()["fields"][name]


def contains(whole: Any, part: Any) -> bool:
    """Return whether JSON has everything that a part of it states."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            contains(whole.get(key), value) for key, value in part.items()
        )
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


@for_each(
    ("key", "name", "sent", "expected", "wrong", "message"),
    [("KIT-3", *case) for case in KIT_CASES] + [("TEAM-3", *case) for case in TEAM_CASES],
)
async def test_a_field_is_set_cleared_and_refused(
    key: str, name: str, sent: Any, expected: Any, wrong: Any, message: str
) -> None:
    async with open_client(site()) as client:
        empty = await field(client, key, name)
        made = await client.put(f"issue/{key}", json={"fields": {name: sent}})
        value = await field(client, key, name)
        refused = await client.put(f"issue/{key}", json={"fields": {name: wrong}})
        unchanged = await field(client, key, name)
        cleared = await client.put(f"issue/{key}", json={"fields": {name: None}})
        after = await field(client, key, name)

    assert made.status_code == cleared.status_code == 204
    assert contains(value, expected), value
    assert (refused.status_code, message in refused.text) == (400, True), refused.text
    assert unchanged == value
    assert after == empty == ([] if name == "versions" else {} if name == "timetracking" else None)


def test_every_field_that_can_be_edited_has_a_case() -> None:
    cases = {case[0] for case in (*KIT_CASES, *TEAM_CASES)} - {"timetracking"}
    kinds = {BY_ID[name].kind for name in cases}
    editable = {field for field in EXTRA_FIELDS if "edit" in field.screens}

    assert {field.kind for field in editable} == kinds
    assert {field.id for field in editable if kit.KIT.id in field.projects} <= cases


@pytest.mark.parametrize(
    ("key", "values"), [("KIT-2", KIT_VALUES), ("TEAM-2", TEAM_VALUES)], ids=["KIT", "TEAM"]
)
async def test_a_full_issue_has_a_value_of_every_field_and_an_empty_one_none(
    key: str, values: dict[str, Any]
) -> None:
    project = kit.KIT.id if key == "KIT-2" else kit.TEAM.id
    async with open_client(site()) as client:
        full = (await client.get(f"issue/{key}")).json()["fields"]
        empty = (await client.get(f"issue/{key[:-1]}3")).json()["fields"]

    known = {field.id for field in EXTRA_FIELDS if project in field.projects}
    assert values.keys() == known - {"customfield_10014"}  # the parent, by another name
    assert full.get("customfield_10014") == {"KIT-2": "KIT-1"}.get(key)
    for name in values:
        assert full[name] not in (None, []), name
        assert empty[name] in (None, []), name
    assert full.keys() == empty.keys()


async def test_only_the_issues_of_its_projects_have_a_field() -> None:
    async with open_client(site()) as client:
        demo = (await client.get("issue/DEMO-1")).json()["fields"]
        team = (await client.get("issue/TEAM-2")).json()["fields"]
        kit_issue = (await client.get("issue/KIT-2")).json()["fields"]

    assert "customfield_10101" in kit_issue
    assert "customfield_10101" not in demo.keys() | team.keys()
    assert "customfield_10016" not in team
    assert "customfield_10016" in demo


async def test_lists_are_changed_by_single_operations() -> None:
    async with open_client(site()) as client:

        async def update(name: str, *operations: Any) -> Any:
            body = {"update": {name: list(operations)}}
            response = await client.put("issue/KIT-2", json=body)
            assert response.status_code == 204, response.text
            return await field(client, "KIT-2", name)

        checks = await update(
            "customfield_10105", {"add": {"value": "Water"}}, {"remove": {"value": "Fire"}}
        )
        topics = await update("customfield_10115", {"remove": "fish"}, {"remove": "new-shop"})
        time = await update(
            "timetracking", {"edit": {"originalEstimate": "2h", "remainingEstimate": "1h"}}
        )
        wrong = await client.put("issue/KIT-2", json={"update": {"timetracking": [{"add": {}}]}})

    assert [check["value"] for check in checks] == ["Water", "Power, gas"]
    assert topics is None
    assert (time["originalEstimate"], time["remainingEstimate"]) == ("2h", "1h")
    assert wrong.status_code == 400


async def test_the_screens_differ() -> None:
    async with open_client(site()) as client:
        types = (await client.get("issue/createmeta/KIT/issuetypes")).json()["issueTypes"]
        ids = {kind["name"]: kind["id"] for kind in types}
        create = (await client.get(f"issue/createmeta/KIT/issuetypes/{ids['Bug']}")).json()
        edit = (await client.get("issue/KIT-5/editmeta")).json()["fields"]
        story = (await client.get(f"issue/createmeta/KIT/issuetypes/{ids['Story']}")).json()

    on_create = {entry["key"]: entry for entry in create["fields"]}
    assert "customfield_10102" in on_create.keys() - edit.keys()
    assert "customfield_10120" in edit.keys() - on_create.keys()
    assert "customfield_10121" not in on_create.keys() | edit.keys()
    assert on_create["customfield_10104"]["required"] is True
    assert {entry["key"]: entry["required"] for entry in story["fields"]}[
        "customfield_10104"
    ] is False
    assert edit["customfield_10104"]["required"] is False
    assert edit["comment"]["operations"] == ["add", "edit", "remove"]
    validator = schema_validator("FieldMetadata")
    for entry in edit.values():
        assert problems(validator, entry) == []


async def test_metadata_states_types_and_allowed_values() -> None:
    async with open_client(site()) as client:
        fields = (await client.get("issue/KIT-2/editmeta")).json()["fields"]
        listed = {entry["id"]: entry for entry in (await client.get("field")).json()}

    prefix = "com.atlassian.jira.plugin.system.customfieldtypes"
    region = fields["customfield_10108"]
    assert region["schema"] == {
        "type": "option-with-child",
        "custom": f"{prefix}:cascadingselect",
        "customId": 10108,
    }
    assert [option["value"] for option in region["allowedValues"]] == [
        "Europe",
        "Asia",
        "Antarctica",
    ]
    assert [child["value"] for child in region["allowedValues"][1]["children"]] == [
        "India",
        "Japan",
    ]
    assert [level["name"] for level in fields["security"]["allowedValues"]] == [
        "Staff",
        "Management",
    ]
    assert [each["key"] for each in fields["customfield_10118"]["allowedValues"]] == [
        "DEMO",
        "BLANK",
        "KIT",
        "TEAM",
    ]
    assert "user/assignable/search?project=KIT" in fields["customfield_10110"]["autoCompleteUrl"]
    assert listed["customfield_10203"]["name"] == listed["customfield_10103"]["name"] == "Budget"
    assert listed["customfield_10203"]["scope"] == {"type": "PROJECT", "project": {"id": "10003"}}
    assert listed["customfield_10203"]["clauseNames"] == ["cf[10203]", "Budget", "Budget[Number]"]
    assert "scope" not in listed["customfield_10103"]


async def test_a_required_field_is_asked_for_at_the_creation() -> None:
    async with open_client(site()) as client:

        async def create(kind: str, **fields: Any) -> httpx.Response:
            given = {"project": {"key": "KIT"}, "issuetype": {"name": kind}, "summary": "x"}
            return await client.post("issue", json={"fields": {**given, **fields}})

        refused = await create("Bug")
        made = await create("Bug", customfield_10104={"value": "Web"}, customfield_10102="C 1")
        other = await create("Task")
        audit = await create("Task", customfield_10121="x")

    assert refused.json()["errors"] == {"customfield_10104": "customfield_10104 is required."}
    assert made.status_code == other.status_code == 201
    assert "not on the appropriate screen" in audit.text


async def test_a_team_managed_project_has_its_own_types_and_workflow() -> None:
    async with open_client(site()) as client:
        project = (await client.get("project/TEAM")).json()
        statuses = (await client.get("project/TEAM/statuses")).json()
        made = await client.post(
            "issue",
            json={
                "fields": {
                    "project": {"key": "TEAM"},
                    "issuetype": {"name": "Subtask"},
                    "summary": "x",
                    "parent": {"key": "TEAM-2"},
                }
            },
        )
        foreign = await client.post(
            "issue",
            json={
                "fields": {
                    "project": {"key": "TEAM"},
                    "issuetype": {"name": "Bug"},
                    "summary": "x",
                }
            },
        )
        key = made.json()["key"]
        transitions = (await client.get(f"issue/{key}/transitions")).json()["transitions"]
        done = await client.post(f"issue/{key}/transitions", json={"transition": {"id": "31"}})
        status = await field(client, key, "status")

    assert (project["style"], project["simplified"]) == ("next-gen", True)
    assert [kind["name"] for kind in project["issueTypes"]] == ["Epic", "Story", "Task", "Subtask"]
    assert project["issueTypes"][0]["scope"]["project"] == {"id": "10003"}
    assert [each["name"] for each in project["components"]] == ["Guests", "Rooms"]
    assert [each["name"] for each in statuses[0]["statuses"]] == ["To Do", "In Progress", "Done"]
    assert foreign.json()["errors"] == {"issuetype": "Specify a valid issue type"}
    assert [each["name"] for each in transitions] == ["To Do", "In Progress", "Done"]
    assert all(each["isGlobal"] and each["isAvailable"] for each in transitions)
    assert done.status_code == 204
    assert status["id"] == str(kit.TEAM_DONE.id)


@pytest.mark.parametrize("version", ["2", "3"])
async def test_everything_about_these_projects_is_as_documented(version: str) -> None:
    """The client checks each answer itself."""
    async with open_client(site(), version=version) as client:
        for path in (
            "field",
            "project/KIT",
            "project/TEAM",
            "project/TEAM/statuses",
            "issue/createmeta/TEAM/issuetypes",
            "issue/createmeta/TEAM/issuetypes/10011",
            "issue/createmeta/KIT/issuetypes/10003?maxResults=200",
            "issue/KIT-2/editmeta",
            "issue/TEAM-2/editmeta",
            "issue/KIT-2?expand=names,schema",
            "issue/TEAM-2",
            "issue/TEAM-2/transitions?expand=transitions.fields",
            "search/jql?jql=project in (KIT, TEAM)&fields=*all",
        ):
            assert (await client.get(path)).status_code == 200


async def test_attachments_of_the_full_issue_can_be_read() -> None:
    async with open_client(site()) as client:
        files = await field(client, "KIT-2", "attachment")
        contents = [
            (await client.get(file["content"], follow_redirects=True)).content for file in files
        ]

    assert [len(content) for content in contents] == [file["size"] for file in files]
    assert contents[0].startswith(b"\x89PNG")


def test_a_stored_site_keeps_these_projects(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        first = open_site(file, tickets=3, all_fields=True, clock=lambda: NOW)
    with SiteFile(tmp_path / "a.db") as file:
        again = open_site(file, clock=lambda: NOW)

    plain = open_site(None, tickets=3, all_fields=True, clock=lambda: NOW)
    assert list(first) == list(again) == list(plain) == list(site())
    assert [project.key for project in again.projects] == ["DEMO", "BLANK", "KIT", "TEAM"]
    assert first.content(401) == again.content(401) == plain.content(401)
