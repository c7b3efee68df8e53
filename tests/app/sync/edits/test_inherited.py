from __future__ import annotations

import json

import pytest

from ticketr.app.sync.edits.drafts import inheritable
from ticketr.app.tickets import Ticket


def taken(fields: dict[str, str], columns: dict[str, str], site_fields: str | None = None) -> str:
    return " ".join(inheritable(Ticket("Parent", fields=fields), columns, site_fields))


def test_what_belongs_to_one_issue_alone_is_not_taken_over() -> None:
    jira = ("Type", "Status", "Parent", "Reporter", "Resolution", "Sprint", "Flagged")
    numbers = ("Story Points", "Story point estimate", "STORY POINTS", "Original estimate")
    own = dict.fromkeys((*jira, *numbers), "x")

    assert taken({**own, "Priority": "High", "Labels": "", "Team": "Web"}, {}) == "Priority Team"


def test_only_fields_that_files_hold_are_taken_over_once_they_are_known() -> None:
    columns = {"Priority": "priority", "Left": "timeestimate", "Reported by": "reporter"}
    fields = {"Priority": "High", "Left": "2h", "Reported by": "Mia", "Blocks": "DEMO-1"}

    assert taken(fields, columns) == "Priority"


def test_fields_of_the_site_are_known_by_their_kinds_and_names_whatever_files_call_them() -> None:
    site_fields = json.dumps(
        [
            {"id": "customfield_1", "name": "Sprint-Zuordnung", "custom_type": "x:gh-sprint"},
            {"id": "customfield_2", "name": " story points", "custom_type": "x:float"},
            {"id": "customfield_3", "name": "Platform", "custom_type": "x:select"},
            {"id": "priority", "name": "Priority", "custom_type": ""},
        ]
    )
    columns = {"S": "customfield_1", "P": "customfield_2", "Platform": "customfield_3"}

    assert taken(dict.fromkeys(columns, "x"), columns, site_fields) == "Platform"


@pytest.mark.parametrize(
    "damaged", ["{", "[1]", '[{"id": "a"}]', '{"a": 1}', '[{"custom_type": 1}]']
)
def test_a_damaged_list_of_fields_says_nothing(damaged: str) -> None:
    assert taken({"Priority": "High"}, {"Priority": "priority"}, damaged) == "Priority"
