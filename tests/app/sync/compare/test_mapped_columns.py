"""Columns for fields that the user has given names of their own."""

from __future__ import annotations

import pickle

import pytest

from ticketr.app.config import MappedField
from ticketr.app.jira import Field
from ticketr.app.sync.compare.mapping import NEVER_LINES, STANDARD_FIELDS, Columns
from ticketr.app.sync.errors import UnknownField


def field(name: str, field_id: str) -> Field:
    return Field(field_id, name, custom=field_id.startswith("custom"), schema_type="", items="")


POINTS = field("Story Points", "customfield_1")
OTHER = field("Other", "customfield_2")
SPRINT = field("Sprint", "customfield_3")


def names(*wanted: MappedField, site: tuple[Field, ...] = (SPRINT, POINTS, OTHER)) -> list[object]:
    return list(Columns.of(site, wanted).names)


STANDARD = [*STANDARD_FIELDS, ("Sprint", "customfield_3"), ("Story Points", "customfield_1")]


def test_a_field_gets_a_line_of_the_name_that_the_user_gave_it() -> None:
    assert names(MappedField("Mine", "customfield_2")) == [*STANDARD, ("Mine", "customfield_2")]


def test_a_field_that_has_a_line_anyway_keeps_its_place_under_the_new_name() -> None:
    found = names(MappedField("Importance", "priority"), MappedField("Points", "customfield_1"))

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

    found = names(MappedField("Story Points", "customfield_9"), site=(SPRINT, POINTS, again))

    assert found == [*STANDARD[:-1], ("Story Points", "customfield_9")]


def test_a_name_of_one_line_and_the_field_of_another_make_one_line() -> None:
    found = names(MappedField("Sprint", "customfield_1"))

    assert found == [*STANDARD[:-2], ("Sprint", "customfield_1")]


@pytest.mark.parametrize(
    "wanted",
    [
        MappedField("FieldSpec", "issuetype"),
        MappedField("State", "status"),
        MappedField("Iteration", "customfield_3"),
        MappedField("Type", "customfield_2"),
        MappedField("Status", "customfield_2"),
        MappedField("Type", "issuetype"),
        MappedField("Sprint", "customfield_3"),
    ],
)
def test_lines_that_a_push_knows_by_their_names_stay_what_they_are(wanted: MappedField) -> None:
    assert names(wanted) == STANDARD


def test_a_standard_field_needs_no_entry_in_the_sites_list() -> None:
    assert Columns.of([], [MappedField("Tags", "labels")]).names[5] == ("Tags", "labels")


def test_an_id_that_the_site_does_not_have_is_refused_with_its_place() -> None:
    wanted = MappedField("Story Points", "customfield_10010", "f.yaml:3")

    with pytest.raises(UnknownField) as caught:
        names(wanted)

    assert str(caught.value) == (
        'f.yaml:3: the ID of "Story Points" is that of no field of the site, or of one with '
        "another place in a file; the site's own is customfield_1"
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_for_an_unknown_id_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownField, match="did you mean Other"):
        names(MappedField("Others", "customfield_7", "f.yaml:3"))


@pytest.mark.parametrize("field_id", sorted(NEVER_LINES))
def test_a_field_with_another_place_in_a_file_is_refused(field_id: str) -> None:
    with pytest.raises(UnknownField):
        names(MappedField("Odd", field_id), site=(field("Odd", field_id),))


def test_no_field_takes_the_line_of_the_parent() -> None:
    with pytest.raises(UnknownField):
        names(MappedField("Parent", "customfield_2"))
