"""Which fields are lines of a file, under which names."""

from __future__ import annotations

import pickle

import pytest

from ticketr.app.config import UserNamedField
from ticketr.app.jira import Field, Issue
from ticketr.app.sync import Columns, UnknownFieldInSettings, UnsupportedFieldInSettings
from ticketr.app.sync.compare.mapping import (
    IDS_WITHOUT_LINES,
    STANDARD_NAMES_AND_IDS,
    render_family,
)


def field(name: str, field_id: str = "customfield_1") -> Field:
    return Field(field_id, name, custom=field_id.startswith("custom"), schema_type="", item_type="")


ESTIMATE = field("Team Estimate")
SUMMARY = field("Summary", "summary")


def added(columns: Columns) -> tuple[tuple[str, str], ...]:
    """The columns beyond those that every file has."""
    assert columns.line_names_and_ids[: len(STANDARD_NAMES_AND_IDS)] == STANDARD_NAMES_AND_IDS
    return columns.line_names_and_ids[len(STANDARD_NAMES_AND_IDS) :]


def test_fields_that_are_asked_for_come_last_in_the_order_of_asking() -> None:
    other, points = field("Other", "customfield_2"), field("Story Points", "customfield_3")

    columns = Columns.of([ESTIMATE, other, points], ["Other", "Team Estimate"])

    assert added(columns) == (
        *(("Story Points", "customfield_3"), ("Other", "customfield_2")),
        ("Team Estimate", "customfield_1"),
    )
    assert columns.requested_ids[-2:] == ("customfield_2", "customfield_1")


def test_a_field_has_one_line_whatever_it_is_called() -> None:
    site = [field("Issue Type", "issuetype"), field("Fix versions", "fixVersions")]

    assert added(Columns.of(site, ["Issue Type", "Fix versions", "Type", "Fix Version"])) == ()


def test_a_field_of_the_sites_own_with_a_name_of_ours_gets_no_line() -> None:
    assert added(Columns.of([field("Status"), field("Parent", "customfield_2")], ["Status"])) == ()


def test_the_line_that_is_read_has_the_name_of_the_column() -> None:
    columns = Columns.of([field(" A: b ")], [" A: b "])

    (name,) = (name for name, _ in added(columns))
    issue = Issue("1", "AB-1", {"summary": "A", "customfield_1": "x"})

    assert dict(render_family(issue, (), columns).ticket.fields) == {name: "x"}


def test_a_field_that_the_site_does_not_have_is_refused_and_the_nearest_ones_are_offered() -> None:
    with pytest.raises(UnknownFieldInSettings) as caught:
        Columns.of([ESTIMATE, SUMMARY], ["Team Estimates"])

    assert caught.value.known_names == ("Team Estimate",)
    assert str(caught.value).endswith("did you mean Team Estimate?")


@pytest.mark.parametrize("field_id", sorted(IDS_WITHOUT_LINES))
def test_a_field_with_another_place_in_a_file_is_refused(field_id: str) -> None:
    with pytest.raises(UnknownFieldInSettings):
        Columns.of([field("Odd", field_id)], ["Odd"])


def test_a_field_of_the_sites_own_that_is_called_parent_is_refused() -> None:
    with pytest.raises(UnknownFieldInSettings):
        Columns.of([field("Parent")], ["Parent"])


TYPES = "com.atlassian.jira.plugin.system.customfieldtypes"
CMDB = "com.atlassian.jira.plugins.cmdb:cmdb-object-cftype"
TEAMS = "com.atlassian.teams:rm-teams-custom-field-team"
UNSUPPORTED = [
    Field("customfield_1", "Team", True, "any", "", TEAMS),
    Field("timetracking", "Time tracking", False, "timetracking", ""),
    Field("timespent", "Time Spent", False, "number", ""),
    Field("customfield_1", "Server", True, "array", "cmdb-object-field"),
    Field("customfield_1", "Server", True, "any", "", CMDB),
    Field("attachment", "Attachment", False, "array", "attachment"),
    Field("issuelinks", "Linked Issues", False, "array", "issuelinks"),
]


@pytest.mark.parametrize("unfit", UNSUPPORTED)
def test_a_field_that_a_line_cannot_hold_is_refused_with_the_reason(unfit: Field) -> None:
    with pytest.raises(
        UnsupportedFieldInSettings, match=f"{unfit.name}. cannot be kept .*: it holds "
    ):
        Columns.of([SUMMARY, unfit], [unfit.name])
    with pytest.raises(UnsupportedFieldInSettings, match=r"^here: the field .Mine. cannot be kept"):
        Columns.of([SUMMARY, unfit], [UserNamedField("Mine", unfit.id, "here")])


ENVIRONMENT = Field("environment", "Environment", False, "string", "")
IMPACT = Field("customfield_1", "Impact", True, "string", "", f"{TYPES}:textarea")


def test_rich_text_is_no_line_and_has_a_section_if_it_is_wanted() -> None:
    columns = Columns.of([SUMMARY, ENVIRONMENT, IMPACT], ["Impact", "Environment", "Impact"])

    assert columns.section_names_and_ids == (
        ("Impact", "customfield_1"),
        ("Environment", "environment"),
    )
    assert columns.line_names_and_ids == Columns.of([SUMMARY]).line_names_and_ids
    assert columns.line_and_section_fields == (
        *columns.line_names_and_ids,
        *columns.section_names_and_ids,
    )
    assert {"customfield_1", "environment"} <= set(columns.requested_ids)
    assert Columns.of([SUMMARY, ENVIRONMENT, IMPACT]).section_names_and_ids == ()


def test_rich_text_can_have_a_name_of_the_users_own() -> None:
    effect = UserNamedField("Effect", "customfield_1", "here")

    columns = Columns.of([SUMMARY, ENVIRONMENT, IMPACT], ["Impact", effect])

    assert columns.section_names_and_ids == (("Effect", "customfield_1"),)
    with pytest.raises(UnknownFieldInSettings):
        Columns.of([IMPACT], [UserNamedField("Parent", "customfield_1", "here")])


@pytest.mark.parametrize(
    "kind", ["textfield", "float", "select", "multiselect", "userpicker", "url"]
)
def test_other_custom_fields_are_taken(kind: str) -> None:
    fit = Field("customfield_1", "Team", True, "string", "", f"{TYPES}:{kind}")

    assert added(Columns.of([fit], ["Team"])) == (("Team", "customfield_1"),)


POINTS = field("Story Points", "customfield_1")
OTHER = field("Other", "customfield_2")
SPRINT = field("Sprint", "customfield_3")


def names(
    *wanted: UserNamedField, site: tuple[Field, ...] = (SPRINT, POINTS, OTHER)
) -> list[object]:
    return list(Columns.of(site, wanted).line_names_and_ids)


STANDARD = [*STANDARD_NAMES_AND_IDS, ("Sprint", "customfield_3"), ("Story Points", "customfield_1")]


def test_a_field_gets_a_line_of_the_name_that_the_user_gave_it() -> None:
    assert names(UserNamedField("Mine", "customfield_2")) == [*STANDARD, ("Mine", "customfield_2")]


def test_a_field_that_has_a_line_anyway_keeps_its_place_under_the_new_name() -> None:
    found = names(
        UserNamedField("Importance", "priority"), UserNamedField("Points", "customfield_1")
    )

    expected = dict.fromkeys(STANDARD)
    assert found == [
        {
            "Priority": ("Importance", "priority"),
            "Story Points": ("Points", "customfield_1"),
        }.get(pair[0], pair)
        for pair in expected
    ]


def test_a_name_that_has_a_line_anyway_stands_for_the_field_that_the_user_gave_it() -> None:
    again = field("Story Points", "customfield_9")

    found = names(UserNamedField("Story Points", "customfield_9"), site=(SPRINT, POINTS, again))

    assert found == [*STANDARD[:-1], ("Story Points", "customfield_9")]


@pytest.mark.parametrize(
    "wanted",
    [
        UserNamedField("FieldSpec", "issuetype"),
        UserNamedField("State", "status"),
        UserNamedField("Iteration", "customfield_3"),
        UserNamedField("Type", "customfield_2"),
        UserNamedField("Status", "customfield_2"),
        UserNamedField("Type", "issuetype"),
        UserNamedField("Sprint", "customfield_3"),
    ],
)
def test_lines_that_a_push_knows_by_their_names_stay_what_they_are(wanted: UserNamedField) -> None:
    assert names(wanted) == STANDARD


def test_an_id_that_the_site_does_not_have_is_refused_with_its_place() -> None:
    wanted = UserNamedField("Story Points", "customfield_10010", "f.yaml:3")

    with pytest.raises(UnknownFieldInSettings) as caught:
        names(wanted)

    assert str(caught.value) == (
        'f.yaml:3: the ID of "Story Points" is that of no field of the site, or of one with '
        "another place in a file; the site's own is customfield_1"
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_for_an_unknown_id_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownFieldInSettings, match="did you mean Other"):
        names(UserNamedField("Others", "customfield_7", "f.yaml:3"))


@pytest.mark.parametrize("field_id", sorted(IDS_WITHOUT_LINES))
def test_the_id_of_a_field_with_another_place_in_a_file_is_refused(field_id: str) -> None:
    with pytest.raises(UnknownFieldInSettings):
        names(UserNamedField("Odd", field_id), site=(field("Odd", field_id),))


def test_no_field_takes_the_line_of_the_parent() -> None:
    with pytest.raises(UnknownFieldInSettings):
        names(UserNamedField("Parent", "customfield_2"))
