"""Which values each field accepts, and the errors for others, on creation and in an edit."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import demo_site, open_client

from jira_sandbox.data.catalogue import USERS

PLAIN = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "New"}
TEXT_TOO_LONG = "The entered text is too long. It exceeds the allowed limit of {} characters."
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


def document(text: str) -> dict[str, Any]:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


GOOD = [
    ("summary", "x" * 255, "x" * 255),
    ("summary", " \U0001f469\u200d\U0001f467 \x1b[31m", "\U0001f469\u200d\U0001f467 \x1b[31m"),
    ("description", None, None),
    ("description", {"type": "doc", "version": 1, "content": []}, None),
    ("description", document("x" * 32_767), document("x" * 32_767)),
    ("labels", [], []),
    ("labels", None, []),
    ("labels", ["b", "a", "b"], ["a", "b"]),
    ("duedate", "2028-02-29", "2028-02-29"),
    ("duedate", None, None),
    ("customfield_10016", 0.5, 0.5),
    ("customfield_10016", -3, -3.0),
    ("customfield_10016", None, None),
    ("customfield_10032", "", None),
    ("customfield_10032", "x" * 255, "x" * 255),
    ("customfield_10032", " in \t", "in"),
    ("customfield_10032", "  ", None),
    ("customfield_10034", "2026-02-28T09:30:00.500+0100", "2026-02-28T14:00:00.500+0530"),
    ("customfield_10034", None, None),
    ("assignee", None, None),
    ("assignee", {"accountId": None}, None),
]
BAD = [
    ("summary", None, "You must specify a summary of the issue."),
    ("summary", " \t", "You must specify a summary of the issue."),
    ("summary", 5, "Operation value must be a string"),
    ("summary", "x" * 256, "Summary must be less than 255 characters."),
    ("summary", "a\nb", "The summary is invalid because it contains newline characters."),
    ("summary", "a\rb", "The summary is invalid because it contains newline characters."),
    ("description", "text", NOT_ADF),
    ("description", [], NOT_ADF),
    ("description", {"type": "paragraph"}, NOT_ADF),
    ("description", document("x" * 32_768), TEXT_TOO_LONG.format("32,767")),
    ("priority", "High", "Specify a valid 'id' or 'name'"),
    ("priority", None, "Specify a valid 'id' or 'name'"),
    ("priority", {"id": "9"}, "The priority selected is invalid."),
    ("priority", {"name": "high"}, "The priority selected is invalid."),
    ("labels", "a", "data was not an array"),
    ("labels", ["a b"], "The label 'a b' contains spaces which is invalid."),
    ("labels", ["a\u2003b"], "The label 'a\u2003b' contains spaces which is invalid."),
    ("labels", [""], "The label '' contains spaces which is invalid."),
    ("labels", [1], "Operation value must be a string"),
    ("labels", [["a"]], "Operation value must be a string"),
    ("labels", ["x" * 256], f"The label '{'x' * 20}...' exceeds 255 characters."),
    ("components", {"name": "Checkout"}, "data was not an array"),
    ("components", ["Checkout"], "Specify a valid 'id' or 'name'"),
    ("components", [{"name": "Check out"}], "Component name 'Check out' is not valid"),
    ("components", [{"id": "9"}], "Component id '9' is not valid"),
    ("fixVersions", [{"name": "1.0"}], "Version name '1.0' is not valid"),
    ("assignee", {"accountId": "nobody"}, "User 'nobody' does not exist."),
    ("assignee", {"name": "zoe"}, "Specify a user by 'accountId'."),
    ("assignee", "zoe@example.com", "Specify a user by 'accountId'."),
    ("assignee", {"accountId": ["x"]}, "Specify a user by 'accountId'."),
    ("reporter", None, "Reporter is required."),
    ("duedate", "28/Feb/26", "Error parsing date string: 28/Feb/26"),
    ("duedate", "2026-02-30", "Error parsing date string: 2026-02-30"),
    ("duedate", 20260228, "Operation value must be a string"),
    ("customfield_10016", "5", "Operation value must be a number"),
    ("customfield_10016", True, "Operation value must be a number"),
    ("customfield_10016", 1e15, "The number is too big."),
    ("customfield_10016", 10**400, "The number is too big."),
    ("customfield_10020", "8", "Number value expected as the Sprint id."),
    ("customfield_10020", [8], "Number value expected as the Sprint id."),
    ("customfield_10020", True, "Number value expected as the Sprint id."),
    ("customfield_10020", 99, "Sprint with id '99' does not exist."),
    ("customfield_10031", {"value": "web"}, "Option value 'web' is not valid"),
    ("customfield_10031", {"id": "1"}, "Option id '1' is not valid"),
    ("customfield_10031", "Web", "Specify a valid 'id' or 'value'"),
    ("customfield_10032", 1, "Operation value must be a string"),
    ("customfield_10032", "x" * 256, TEXT_TOO_LONG.format("255")),
    ("customfield_10033", {"accountId": "nobody"}, "User 'nobody' does not exist."),
    *(
        ("customfield_10034", text, f"Error parsing time string: {text}")
        for text in (
            "2026-02-28",
            "2026-02-28T09:30:00Z",
            "2026-02-28T09:30:00.000Z",
            "2026-02-28T09:30:00+0000",
            "2026-02-28T09:30:00.000+00:00",
            "2026-02-28 09:30:00.000+0000",
            "2026-02-30T09:30:00.000+0000",
        )
    ),
    ("customfield_10034", 1, "Operation value must be a string"),
    ("environment", None, None),
    ("status", {"name": "Done"}, None),
    ("created", "2025-01-01", None),
    ("resolution", {"name": "Done"}, None),
    ("Summary", "x", None),
]


@pytest.mark.parametrize(
    ("field", "value", "kept"), GOOD, ids=[f"{n}-{row[0]}" for n, row in enumerate(GOOD)]
)
async def test_a_value_that_fits_is_kept(field: str, value: Any, kept: Any) -> None:
    async with open_client(demo_site(3)) as client:
        made = await client.post("issue", json={"fields": {**PLAIN, field: value}})
        assert made.status_code == 201, made.text
        edited = await client.put("issue/DEMO-2", json={"fields": {field: value}})
        assert edited.status_code == 204, edited.text
        for key in ("DEMO-4", "DEMO-2"):
            fields = (await client.get(f"issue/{key}")).json()["fields"]
            assert fields[field] == kept


@pytest.mark.parametrize(
    ("field", "value", "complaint"), BAD, ids=[f"{n}-{row[0]}" for n, row in enumerate(BAD)]
)
async def test_a_value_that_does_not_fit_is_refused_by_its_field(
    field: str, value: Any, complaint: str | None
) -> None:
    site = demo_site(3)
    before = list(site)
    unknown = f"Field '{field}' cannot be set. It is not on the appropriate screen, or unknown."
    async with open_client(site) as client:
        made = await client.post("issue", json={"fields": {**PLAIN, field: value}})
        edited = await client.put("issue/DEMO-2", json={"fields": {field: value}})
        updated = await client.put("issue/DEMO-2", json={"update": {field: [{"set": value}]}})

    for response in (made, edited, updated):
        assert response.status_code == 400
        assert response.json() == {"errorMessages": [], "errors": {field: complaint or unknown}}
    assert list(site) == before


async def test_a_document_with_a_wrong_node_is_invalid_input() -> None:
    wrong = {"type": "doc", "version": 1, "content": [{"type": "text", "text": "x"}]}
    async with open_client(demo_site(3)) as client:
        response = await client.put("issue/DEMO-2", json={"fields": {"description": wrong}})

    assert response.status_code == 400
    assert response.json() == {"errorMessages": ["INVALID_INPUT"], "errors": {}}


async def test_version_2_takes_text_and_shows_it_as_both() -> None:
    site = demo_site(3)
    text = "Hello\n\nh3. Acceptance Criteria\n\n* One\n* Two"
    async with open_client(site, version="2") as client:
        response = await client.put("issue/DEMO-2", json={"fields": {"description": text}})
        two = (await client.get("issue/DEMO-2")).json()["fields"]["description"]
    async with open_client(site) as client:
        three = (await client.get("issue/DEMO-2")).json()["fields"]["description"]

    assert response.status_code == 204
    assert two == text
    assert [node["type"] for node in three["content"]] == ["paragraph", "heading", "bulletList"]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (document("x"), "Operation value must be a string"),
        ("x" * 32_768, TEXT_TOO_LONG.format("32,767")),
    ],
)
async def test_version_2_takes_neither_documents_nor_endless_text(
    value: Any, complaint: str
) -> None:
    async with open_client(demo_site(3), version="2") as client:
        response = await client.put("issue/DEMO-2", json={"fields": {"description": value}})

    assert response.status_code == 400
    assert response.json()["errors"] == {"description": complaint}


async def test_things_are_found_by_id_as_text_or_number() -> None:
    fields = {
        "project": {"id": 10000},
        "issuetype": {"id": 10002},
        "summary": "New",
        "priority": {"id": 1},
        "customfield_10031": {"id": "10021"},
        "assignee": {"id": USERS[1].account_id},
    }
    async with open_client(demo_site(3)) as client:
        made = await client.post("issue", json={"fields": fields})
        kept = (await client.get("issue/DEMO-4")).json()["fields"]

    assert made.status_code == 201
    assert kept["priority"]["name"] == "Highest"
    assert kept["customfield_10031"]["value"] == "iOS"
    assert kept["assignee"]["displayName"] == "Zoë Åkesson"
