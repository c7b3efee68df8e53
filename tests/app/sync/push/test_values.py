from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes.ticket_texts import texts
from hypothesis import given, strategies as st

from ticketr.app.jira import Allowed, User
from ticketr.app.sync.compare.mapping import field_text
from ticketr.app.sync.errors import nearest
from ticketr.app.sync.push.values import (
    BadValue,
    FieldSpec,
    NameLookup,
    find_name,
    jira_value,
    read_list,
    shown,
)
from ticketr.app.tickets import Ticket

HIGH, LOW = Allowed("1", "High"), Allowed("2", "Low")
ANA = User("a1", "Ana", "", "ana@example.com")
BEN = User("JIRAUSER2", "Ben", "")
NOBODY = NameLookup()


def value(kind: str, text: str, *, items: str = "", allowed: tuple[Allowed, ...] = ()) -> Any:
    return jira_value(FieldSpec("f", "F", kind, items, allowed), text, NOBODY)


def person(text: str, *found: User) -> Any:
    return jira_value(FieldSpec("f", "F", "user"), text, NameLookup({text: found}))


def people(text: str, **found: User) -> Any:
    known = {name: (user,) for name, user in found.items()}
    return jira_value(FieldSpec("f", "F", "array", "user"), text, NameLookup(known))


def sprint(text: str, **sprints: int) -> Any:
    return jira_value(FieldSpec("f", "Sprint", "array", "json"), text, NameLookup(sprints=sprints))


def refusal(kind: FieldSpec, text: str) -> str:
    """Why a text is not a value of a field; empty if it is one."""
    try:
        jira_value(kind, text, NOBODY)
    except BadValue as error:
        return str(error)
    return ""


class TestPlainValues:
    """Texts, numbers, dates."""

    @pytest.mark.parametrize(
        "kind", ["string", "any", "", "number", "user", "date", "datetime", "option", "priority"]
    )
    def test_no_text_empties_a_field(self, kind: str) -> None:
        assert value(kind, "") is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("3", 3),
            ("3.0", 3),
            ("2.50", 2.5),
            ("-1.5", -1.5),
            ("+4", 4),
            (".5", 0.5),
            ("5.", 5),
            ("1e3", 1000),
            ("1e300", 1e300),
            ("1e-400", 0),
        ],
    )
    def test_a_number_is_whole_where_it_can_be(self, text: str, expected: float) -> None:
        found = value("number", text)

        assert found == expected
        assert isinstance(found, type(expected))

    @pytest.mark.parametrize(
        "text",
        [
            "many",
            "3,5",
            "1_000",
            "0x10",
            "nan",
            "inf",
            "-Infinity",
            "1e",
            "\u0663",
            "3 4",
            "\u00b2",
            ".",
        ],
    )
    def test_what_is_no_number_is_refused(self, text: str) -> None:
        with pytest.raises(BadValue, match=f'^"{text}" is not a number$'.replace(".", r"\.")):
            value("number", text)

    @pytest.mark.parametrize("text", ["1e400", "-1e400", "9" * 400])
    def test_a_number_beyond_all_measure_is_refused(self, text: str) -> None:
        with pytest.raises(BadValue, match="is not a number that Jira could keep"):
            value("number", text)

    def test_a_long_line_that_is_nearly_a_number_is_refused_at_once(self) -> None:
        with pytest.raises(BadValue) as caught:
            value("number", "1" * 1_000_000 + "x")

        assert len(str(caught.value)) < 100

    @given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20))
    def test_a_number_from_jira_goes_back_as_the_same_number(self, number: float) -> None:
        assert value("number", field_text(number)) == float(number)

    @pytest.mark.parametrize(
        "text",
        ["31.01.2026", "2026-1-31", "2026-02-30", "2026-13-01", "20260131", "\u0662026-01-31"],
    )
    def test_what_is_no_date_is_refused(self, text: str) -> None:
        with pytest.raises(BadValue, match="is not a date like 2026-01-31"):
            value("date", text)

    @pytest.mark.parametrize(
        ("text", "sent"),
        [
            ("2026-01-31T09:30:00.000+0100", "2026-01-31T09:30:00.000+0100"),
            ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000+0000"),
            ("2026-01-31t09:30z", "2026-01-31T09:30:00.000+0000"),
            ("2026-01-31 09:30:00 -03:00", "2026-01-31T09:30:00.000-0300"),
            ("2026-01-31 09:30+05", "2026-01-31T09:30:00.000+0500"),
            ("2026-01-31T09:30:00.5Z", "2026-01-31T09:30:00.500+0000"),
            ("2026-01-31T09:30:00,123456789+00:30", "2026-01-31T09:30:00.123+0030"),
            ("0001-01-01 00:00Z", "0001-01-01T00:00:00.000+0000"),
            # Where the account is, by whose zone Jira's pages go: in winter and in summer.
            ("2026-01-31 09:30", "2026-01-31T09:30:00.000+0100"),
            ("2026-07-31T09:30:15", "2026-07-31T09:30:15.000+0200"),
            # Berlin's clocks went by its own sun then.
            ("1850-01-01 12:00", "1850-01-01T11:06:32.000+0000"),
        ],
    )
    def test_a_moment_is_sent_in_jira_s_form(self, text: str, sent: str) -> None:
        berlin = NameLookup(time_zone="Europe/Berlin")

        assert jira_value(FieldSpec("f", "F", "datetime"), text, berlin) == sent

    @pytest.mark.parametrize(
        "text",
        [
            *("tomorrow", "2026-01-31", "20260131T0930Z", "2026-01-31T9:30", "2026-01-31T09"),
            *(
                "2026-01-31T25:00:00Z",
                "2026-02-30T09:30:00Z",
                "2026-01-31T:::Z",
                "2026-W05-6T09:00",
            ),
            *("2026-01-31T09:30+99:00", "2026-01-31T09:30 CET", "\u0662026-01-31T09:30Z"),
        ],
    )
    def test_what_is_no_moment_is_refused(self, text: str) -> None:
        with pytest.raises(BadValue, match="is not a moment like 2026-01-31 09:30"):
            value("datetime", text)

    @pytest.mark.parametrize(
        "name", ["", "Nowhere/At_All", "../../etc/passwd", "/etc/passwd", "\0"]
    )
    def test_a_moment_needs_a_zone_where_that_of_the_account_is_not_known(self, name: str) -> None:
        unknown = NameLookup(time_zone=name)

        with pytest.raises(BadValue, match=r"needs a zone, as in 2026-01-31 09:30\+0100"):
            jira_value(FieldSpec("f", "F", "datetime"), "2026-01-31 09:30", unknown)


class TestChoices:
    """Values that a site lists."""

    @pytest.mark.parametrize("text", ["High", "high", "HIGH"])
    def test_a_name_stands_for_its_id(self, text: str) -> None:
        assert value("priority", text, allowed=(HIGH, LOW)) == {"id": "1"}

    def test_an_unknown_name_is_refused_and_the_nearest_ones_are_offered(self) -> None:
        with pytest.raises(BadValue, match=r'^"Hihg" is not possible: did you mean High\?$'):
            value("priority", "Hihg", allowed=(HIGH, LOW))

    @pytest.mark.parametrize(
        ("kind", "items", "expected"),
        [
            ("priority", "", {"name": "Odd"}),
            ("option", "", {"value": "Odd"}),
            ("option-with-child", "", {"value": "Odd"}),
            ("array", "option", [{"value": "Odd"}]),
            ("array", "component", [{"name": "Odd"}]),
        ],
    )
    def test_where_a_site_lists_nothing_the_name_is_sent(
        self, kind: str, items: str, expected: object
    ) -> None:
        assert value(kind, "Odd", items=items) == expected

    def test_a_list_with_one_wrong_name_is_refused(self) -> None:
        with pytest.raises(BadValue, match='"Medium" is not possible: there is High, Low'):
            value("array", "High, Medium", items="version", allowed=(HIGH, LOW))

    def test_an_exact_name_goes_before_one_in_other_letters(self) -> None:
        upper, lower = Allowed("1", "GO"), Allowed("2", "go")

        assert find_name("go", (upper, lower)) == lower
        assert find_name("GO", (upper, lower)) == upper
        assert find_name("Go", (upper, lower)) is None

    def test_a_letter_may_be_written_in_two_ways(self) -> None:
        composed, apart = "Größe", "Gro\u0308ße"

        assert find_name(apart, [Allowed("1", composed)]) == Allowed("1", composed)
        assert find_name(composed.upper(), [Allowed("1", apart)]) == Allowed("1", apart)


class TestLists:
    """Several values in one line."""

    @pytest.mark.parametrize("label", ["two words", "a\u00a0b", "a\tb"])
    def test_a_label_with_a_space_is_refused(self, label: str) -> None:
        with pytest.raises(BadValue, match="has a space in it, which Jira allows in no label"):
            value("array", f"ui, {label}", items="string")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a, b", ["a", "b"]),
            ('"a, b", c', ["a, b", "c"]),
            ('"say ""x""", c', ['say "x"', "c"]),
            ('5" screen, b', ['5" screen', "b"]),
            (",a,, b ,", ["a", "b"]),
            ("a,\nb\nc", ["a", "b", "c"]),
            ("a\x00b", ["a\x00b"]),
            ("", []),
        ],
    )
    def test_a_list_is_read_as_one_line_of_a_table(self, text: str, expected: list[str]) -> None:
        assert read_list(text) == expected

    @pytest.mark.parametrize("text", ['"a', '"a" b', 'x, "a, b'])
    def test_a_list_with_a_quote_left_open_is_refused_in_our_words(self, text: str) -> None:
        with pytest.raises(BadValue) as caught:
            read_list(text)

        assert str(caught.value) == (
            f'"{text}" is not a list; write a, "b, c", d and each quote in quotes twice'
        )

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))))
    def test_a_list_from_jira_is_read_as_the_same_list(self, entries: list[str]) -> None:
        (text,) = Ticket("A", fields={"F": field_text(entries)}).fields.values()

        assert read_list(text) == [each.strip() for each in entries if each.strip()]

    @given(texts)
    def test_any_text_is_a_list_or_refused(self, text: str) -> None:
        text = Ticket("A", fields={"F": text}).fields["F"]

        try:
            entries = read_list(text)
        except BadValue:
            assert '"' in text
        else:
            assert all(each and each == each.strip() for each in entries)


class TestPeople:
    """Names of accounts."""

    @pytest.mark.parametrize("text", ["Ana", "ana", "ANA@example.com", "a1"])
    def test_a_person_is_known_by_name_or_address_or_id(self, text: str) -> None:
        assert person(text, ANA, BEN) == {"accountId": "a1"}

    def test_a_name_may_be_written_in_two_ways(self) -> None:
        assert person("Jose\u0301", User("j", "José", "")) == {"accountId": "j"}

    def test_part_of_a_name_is_not_enough_but_is_offered(self) -> None:
        with pytest.raises(BadValue) as caught:
            person("Ana", User("a2", "Ana Lima", ""))

        assert str(caught.value) == 'nobody called "Ana" can be chosen; there is Ana Lima'

    def test_a_person_who_cannot_be_chosen_is_refused(self) -> None:
        with pytest.raises(BadValue) as caught:
            person("Eve")

        assert str(caught.value) == (
            'nobody called "Eve" can be chosen; write the name or the e-mail address as Jira shows it'
        )

    def test_of_several_people_of_one_name_the_addresses_are_offered(self) -> None:
        with pytest.raises(BadValue) as caught:
            person("Ana", ANA, User("a2", "ana", ""))

        assert str(caught.value) == (
            '"Ana" is the name of several people; write one of ana@example.com, a2'
        )

    def test_of_several_people_of_one_name_each_is_found_by_what_was_offered(self) -> None:
        assert person("a2", ANA, User("a2", "Ana", "")) == {"accountId": "a2"}
        assert person("ana@example.com", ANA, User("a2", "Ana", "")) == {"accountId": "a1"}

    def test_several_people_are_chosen_one_by_one(self) -> None:
        assert people("Ana, Ben", Ana=ANA, Ben=BEN) == [
            {"accountId": "a1"},
            {"accountId": "JIRAUSER2"},
        ]
        with pytest.raises(BadValue, match='nobody called "Eve"'):
            people("Ana, Eve", Ana=ANA)


class TestSprints:
    """Sprints, which are known from tickets alone."""

    @pytest.mark.parametrize("text", ["Week 1", "week 1", '"Week 1"'])
    def test_a_sprint_is_sent_as_its_number(self, text: str) -> None:
        assert sprint(text, **{"Week 1": 7, "Week 2": 8}) == 7

    def test_no_text_takes_a_ticket_out_of_its_sprint(self) -> None:
        assert sprint("", Week=7) is None

    def test_an_unknown_sprint_is_refused_and_the_nearest_ones_are_offered(self) -> None:
        with pytest.raises(BadValue) as caught:
            sprint("Week 3", **{"Week 1": 7, "Month": 8})

        assert str(caught.value) == 'no ticket here has the sprint "Week 3"; did you mean Week 1?'

    def test_two_sprints_are_one_too_many(self) -> None:
        with pytest.raises(BadValue, match="one sprint only"):
            sprint("A, B", A=1, B=2)


class TestOffers:
    """What an error says of names that would do."""

    def test_near_names_are_offered_and_no_others(self) -> None:
        assert nearest("Assignees", ["Assignee", "Status"]) == "did you mean Assignee?"
        assert nearest("assignee", ["Assignee", "Status"]) == "did you mean Assignee?"

    def test_where_none_is_near_some_are_listed(self) -> None:
        assert nearest("x", ["b", "A"]) == "there is A, b"
        assert nearest("x", map(str, range(20))) == "there is 0, 1, 10, 11, 12, 13, 14, 15, ..."
        assert nearest("x", []) == "there is none"

    @given(texts, st.lists(texts, max_size=5))
    def test_an_error_is_one_line_whatever_is_in_it(self, text: str, names: list[str]) -> None:
        allowed = tuple(Allowed("1", name) for name in names)
        field_specs = [
            FieldSpec("f", "F", kind, allowed=allowed) for kind in ("priority", "number", "user")
        ]

        for kind in field_specs:
            said = refusal(kind, text)
            assert len(said.splitlines()) <= 1
            assert "\x1b" not in said

    def test_a_long_text_is_shown_in_part(self) -> None:
        assert shown("a" * 500) == '"' + "a" * 59 + '…"'
        assert shown("a\nb\x1b[2J") == '"a b"'


CASCADE = FieldSpec(
    "customfield_1",
    "Region",
    "option-with-child",
    allowed=(
        Allowed("1", "Europe", (Allowed("11", "Spain"), Allowed("12", "Ireland"))),
        Allowed("2", "Asia>Pacific", (Allowed("21", "Japan"),)),
    ),
)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Europe", {"id": "1"}),
        ("europe>spain", {"id": "1", "child": {"id": "11"}}),
        ("Europe  > Ireland", {"id": "1", "child": {"id": "12"}}),
        ("Asia>Pacific > Japan", {"id": "2", "child": {"id": "21"}}),
        ("Asia > Pacific", {"id": "2"}),
        ("", None),
    ],
)
def test_a_choice_of_two_steps_names_both(text: str, sent: object) -> None:
    assert jira_value(CASCADE, text, NameLookup()) == sent


@pytest.mark.parametrize("text", ["Spain", "Europe > Japan", "Europe >", ">", "Europe > Spain > x"])
def test_a_choice_of_two_steps_that_is_none_is_refused(text: str) -> None:
    assert "is not possible: " in refusal(CASCADE, text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [("a>b", {"value": "a", "child": {"value": "b"}}), ("a", {"value": "a"})],
)
def test_where_a_site_lists_no_choices_both_names_are_sent(text: str, sent: object) -> None:
    assert jira_value(replace(CASCADE, allowed=()), text, NameLookup()) == sent


TEAM = FieldSpec("customfield_2", "Team", "team")
TEAM_ID = "36885b3c-1bf0-4f85-a357-c5b858c31de4"


@pytest.mark.parametrize("text", ["Front of house", "front of House", TEAM_ID, f"{TEAM_ID}-12"])
def test_a_team_goes_by_a_known_name_or_its_id(text: str) -> None:
    lookup = NameLookup(teams={"Front of house": TEAM_ID})

    assert str(jira_value(TEAM, text, lookup)).startswith(TEAM_ID)


def test_an_unknown_team_is_refused() -> None:
    with pytest.raises(BadValue, match='has the team "Fornt of house"; did you mean Front of'):
        jira_value(TEAM, "Fornt of house", NameLookup(teams={"Front of house": TEAM_ID}))
    assert refusal(TEAM, "x").endswith("write a name that a pulled ticket has, or the team's ID")
