"""What is sent of tickets, as values of their fields, and what is refused in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from fakes.ticket_texts import texts
from hypothesis import event, given, strategies as st
from sandbox_adf import quick_adf_validator

from ticketr.app.jira import AllowedValue, IssueType, User, adf
from ticketr.app.sync.compare.diff import Change, CorePart, Part, RichTextPart, find_changes
from ticketr.app.sync.compare.mapping import field_text
from ticketr.app.sync.errors import suggest_or_list
from ticketr.app.sync.push.metadata import ProjectIssueTypes
from ticketr.app.sync.push.payload import (
    IssuePayload,
    PayloadContext,
    create_payload,
    update_payload,
)
from ticketr.app.sync.push.values import (
    BadValue,
    FieldSpec,
    NameLookup,
    find_allowed_value,
    jira_value,
    read_list,
    short_quote,
)
from ticketr.app.tickets import Ticket

TASK, STORY, SUBTASK = (
    IssueType("1", "Task", subtask=False),
    IssueType("2", "Story", subtask=False),
    IssueType("3", "Subtask", subtask=True),
)
PRIORITY = FieldSpec(
    "priority", "Priority", "priority", allowed_if_known=(AllowedValue("7", "High"),)
)
LABELS = FieldSpec("labels", "Labels", "array", "string")
ASSIGNEE = FieldSpec("assignee", "Assignee", "user")
TYPE = FieldSpec(
    "issuetype",
    "Type",
    "issuetype",
    allowed_if_known=(AllowedValue("1", "Task"), AllowedValue("2", "Story")),
)
KINDS: dict[Part, FieldSpec] = {each.line_name: each for each in (PRIORITY, LABELS, ASSIGNEE, TYPE)}
FORM = ProjectIssueTypes(
    (TASK, STORY, SUBTASK), {each.id: KINDS for each in (TASK, STORY, SUBTASK)}
)
ANA = NameLookup({"Ana": (User("a1", "Ana", ""),)})


def draft(title: str = "A", description: str = "", *criteria: str, **fields: str) -> Ticket:
    return Ticket(title, None, description, fields, criteria)


def created(
    issue: Ticket, form: ProjectIssueTypes = FORM, *, subtask: bool = False
) -> IssuePayload:
    return create_payload(PayloadContext(issue, ANA), form, project="AB", subtask=subtask)


def requiring(*names: str) -> ProjectIssueTypes:
    specs = {name: replace(kind, needed_in_draft=name in names) for name, kind in KINDS.items()}
    return replace(FORM, specs_by_type_id=dict.fromkeys(FORM.specs_by_type_id, specs))


def edited(before: Ticket, after: Ticket) -> IssuePayload:
    return update_payload(PayloadContext(after, ANA, KINDS), find_changes(before, after))


class TestRichTextFields:
    """What is sent of sections."""

    SPECS: ClassVar[dict[Part, FieldSpec]] = {
        RichTextPart("Plan"): FieldSpec("customfield_1", "Plan", "string", needed_in_draft=True),
        RichTextPart("Odd"): FieldSpec(
            "customfield_2", "Odd", "string", needed_in_draft=True, why_unsupported="add it"
        ),
    }

    def test_a_text_that_a_new_issue_needs_is_named_with_its_heading(self) -> None:
        form = replace(FORM, specs_by_type_id={TASK.id: {**KINDS, **self.SPECS}})

        assert created(draft(), form).problems == (
            "Plan: a Task needs one; write it below a heading ## Field: Plan",
            "Odd: a Task needs one; add it, then write it below a heading ## Field: Odd",
        )
        sent = created(replace(draft(), rich_texts={"Plan": "x", "Odd": "y"}), form)
        assert sent.problems == ("Odd: add it, then pull",)
        assert sent.fields["customfield_1"] == adf.to_adf("x")


class TestTypes:
    """Which type a new issue has."""

    def test_of_several_sub_task_types_the_one_that_was_set_is_taken(self) -> None:
        form = ProjectIssueTypes(
            (SUBTASK, IssueType("4", "Sub-bug", subtask=True)), {}, default_subtask_type="sub-bug"
        )

        assert form.type_of(None, subtask=True).id == "4"

    def test_the_type_of_stories_can_be_set(self) -> None:
        assert replace(FORM, default_type="Story").type_of(None, subtask=False) == STORY

    @pytest.mark.parametrize(
        ("name", "subtask", "reason"),
        [
            (
                "Stories",
                False,
                '"Stories" is not an issue type of this project: did you mean Story?',
            ),
            (
                "Subtask",
                False,
                '"Subtask" is not an issue type of this project: did you mean Task?',
            ),
            ("Story", True, '"Story" is not a sub-task type of this project: there is Subtask'),
        ],
    )
    def test_a_type_that_is_not_there_is_refused(
        self, name: str, reason: str, *, subtask: bool
    ) -> None:
        with pytest.raises(BadValue) as caught:
            FORM.type_of(name, subtask=subtask)

        assert str(caught.value) == reason

    def test_a_project_without_sub_tasks_takes_none(self) -> None:
        with pytest.raises(BadValue, match="is not a sub-task type of this project: there is none"):
            ProjectIssueTypes((TASK,), {}).type_of(None, subtask=True)


class TestCreating:
    """What is sent for a new issue."""

    def test_a_required_field_without_a_line_is_named(self) -> None:
        sent = created(draft(Type="Story", Labels=""), requiring("Priority", "Labels"))

        assert sent.problems == (
            "Priority: a Story needs one; add a line to its Fields",
            "Labels: a Story needs one; add a line to its Fields",
        )

    def test_a_required_field_that_is_wrong_is_told_once(self) -> None:
        sent = created(draft(Priority="Hihg"), requiring("Priority"))

        assert sent.problems == ('Priority: "Hihg" is not possible: did you mean High?',)

    def test_all_that_is_wrong_is_told(self) -> None:
        sent = created(draft(Priority="Hihg", Assignee="Eve", Priorities="x"), requiring("Labels"))

        assert [each.partition(":")[0] for each in sent.problems] == [
            *("Priority", "Assignee", "Priorities", "Labels")
        ]

    def test_a_type_without_a_known_form_takes_no_fields(self) -> None:
        sent = created(draft(Priority="High"), ProjectIssueTypes((TASK,), {}))

        assert sent.problems == ("Priority: there is no such field here; there is Parent, Status",)


class TestEditing:
    """What is sent of a changed issue."""

    def test_an_emptied_description_is_sent_as_none(self) -> None:
        assert edited(draft("A", "Words.", "a"), draft()) == IssuePayload({"description": None})

    def test_an_emptied_field_is_sent_empty(self) -> None:
        sent = edited(
            draft(Assignee="Ana", Labels="a", Priority="High", Parent="AB-9"),
            draft(Assignee="", Labels="", Priority="", Parent=""),
        )

        assert sent == IssuePayload(
            {"assignee": None, "labels": [], "priority": None, "parent": None}
        )

    @pytest.mark.parametrize("name", ["Status", "Type"])
    def test_what_every_ticket_has_cannot_be_emptied(self, name: str) -> None:
        sent = edited(draft(**{name: "Task"}), draft(**{name: ""}))

        assert sent.problems == (f"{name}: every ticket has one; write it, or remove the line",)

    @pytest.mark.parametrize("key", ["ab-9", "AB 9", "the epic", "[AB-9]"])
    def test_a_parent_that_is_no_key_is_refused(self, key: str) -> None:
        sent = edited(draft(), draft(Parent=key))

        words = "is not a key like PROJ-123, nor the title of one draft in its file"
        assert sent == IssuePayload(problems=(f'Parent: "{key}" {words}',))

    def test_an_unknown_field_is_refused_and_the_nearest_ones_are_offered(self) -> None:
        sent = edited(draft(), draft(Assignees="Ana", status="Done"))

        assert sent.problems == (
            "Assignees: there is no such field here; did you mean Assignee?",
            "status: there is no such field here; did you mean Status?",
        )

    def test_a_field_that_no_line_can_hold_is_refused_in_words(self) -> None:
        place = FieldSpec("customfield_1", "Place", "any", why_unsupported="it holds a team")
        change = Change("Place", "", "x")

        sent = update_payload(PayloadContext(draft("A"), ANA, {"Place": place}), [change])

        told = "Place: it holds a team, which ticketr cannot write yet; take the line out"
        assert sent == IssuePayload(problems=(told,))

    def test_a_title_is_as_long_as_jira_takes_it(self) -> None:
        assert edited(draft(), draft("é" * 255)) == IssuePayload({"summary": "é" * 255})
        assert edited(draft(), draft("é" * 256)).problems == (
            "Title: it has 256 characters; Jira takes 255",
        )

    def test_a_description_is_as_long_as_jira_takes_it(self) -> None:
        assert edited(draft("A"), draft("A", "é" * 32_767)).problems == ()
        assert edited(draft("A"), draft("A", "é" * 32_768)).problems == (
            "Description: it has 32768 characters; Jira takes 32767",
        )
        assert edited(draft("A"), draft("A", "é" * 32_000, "e" * 1000)).problems == (
            "Description: it has 33000 characters; Jira takes 32767",
        )

    def test_markup_that_shows_nothing_does_not_count(self) -> None:
        links = "[word](https://example.com/a/long/address) " * 1000
        assert len(links) > 32_767

        assert edited(draft("A"), draft("A", links)).problems == ()

    def test_text_in_angle_brackets_is_text(self) -> None:
        sent = edited(draft("A"), draft("A", "List<String> <ticket>", "<b>bold</b>"))

        assert "List<String> <ticket>" in str(sent.fields)
        assert "<b>bold</b>" in str(sent.fields)

    @pytest.mark.parametrize("text", ["a\n\nb <!-- ask Mia -->", "a\n\n<!-- ask Mia -->"])
    def test_a_comment_is_refused_with_its_line(self, text: str) -> None:
        told = (
            "Description: in its line 3: “<!-- ask Mia -->” is lost in Jira, as an HTML comment; "
            "take it out, or write \\<!-- to send it as text"
        )
        assert edited(draft("A"), draft("A", text)) == IssuePayload(problems=(told,))

    @pytest.mark.parametrize("text", ["[a]: https://example.com", "[a]: *"])
    def test_a_definition_that_nothing_uses_is_sent_as_text(self, text: str) -> None:
        sent = edited(draft("A", "old"), draft("A", text))

        assert sent.problems == ()
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
        expected = adf.canonical({"type": "doc", "version": 1, "content": [paragraph]})
        assert adf.canonical(sent.fields["description"]) == expected

    @pytest.mark.parametrize("criterion", ["# heading", "> quote", "|a|b|\n|-|-|\n|1|2|"])
    def test_a_criterion_that_no_list_can_hold_is_refused(self, criterion: str) -> None:
        sent = edited(draft("A", "old"), draft("A", "new", criterion))

        assert sent.fields == {}
        assert len(sent.problems) == 1
        assert sent.problems[0].startswith("Description: Jira would refuse it: ")

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ("- a\n- # some words", "in its line 2: "),
            ("- a\n\n  # some words", "in its line 3: "),
            ("- > some words", "in its line 1: "),
        ],
    )
    def test_words_that_jira_would_not_get_are_not_dropped_in_silence(
        self, text: str, where: str
    ) -> None:
        sent = edited(draft(), draft("A", text))

        told = f"{where}“some words” has no place there in Jira; write it another way"
        assert sent == IssuePayload(problems=(f"Description: {told}",))

    @given(texts, st.lists(texts, max_size=2))
    def test_a_description_that_is_sent_is_one_that_jira_takes(
        self, description: str, criteria: list[str]
    ) -> None:
        issue = draft("A", description, *criteria)

        change = Change(CorePart.DESCRIPTION, "", issue.description)
        sent = update_payload(PayloadContext(issue, ANA, KINDS), [change])

        event(f"refused: {bool(sent.problems)}")
        assert bool(sent.problems) == ("description" not in sent.fields)
        document = sent.fields.get("description")
        assert document is None or quick_adf_validator().is_valid(document)


HIGH, LOW = AllowedValue("1", "High"), AllowedValue("2", "Low")
ANNA = User("a1", "Ana", "", "ana@example.com")
BEN = User("JIRAUSER2", "Ben", "")
NOBODY = NameLookup()


def value(kind: str, text: str, *, items: str = "", allowed: tuple[AllowedValue, ...] = ()) -> Any:
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
        upper, lower = AllowedValue("1", "GO"), AllowedValue("2", "go")

        assert find_allowed_value("go", (upper, lower)) == lower
        assert find_allowed_value("GO", (upper, lower)) == upper
        assert find_allowed_value("Go", (upper, lower)) is None

    def test_blanks_and_hyphens_do_not_count_if_one_name_alone_is_meant(self) -> None:
        to_do, todo, version = (AllowedValue(name, name) for name in ("To Do", "Todo", "2-1"))
        assert find_allowed_value("to-do", (to_do, version)) == to_do
        assert find_allowed_value("todo", (to_do, todo)) == todo
        assert find_allowed_value("to_do", (to_do, todo)) is None
        assert find_allowed_value("21", (to_do, version)) is None  # between digits they do

    def test_a_letter_may_be_written_in_two_ways(self) -> None:
        composed, apart = "Größe", "Gro\u0308ße"

        assert find_allowed_value(apart, [AllowedValue("1", composed)]) == AllowedValue(
            "1", composed
        )
        assert find_allowed_value(composed.upper(), [AllowedValue("1", apart)]) == AllowedValue(
            "1", apart
        )


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
        assert person(text, ANNA, BEN) == {"accountId": "a1"}

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
            person("Ana", ANNA, User("a2", "ana", ""))

        assert str(caught.value) == (
            '"Ana" is the name of several people; write one of ana@example.com, a2'
        )

    def test_of_several_people_of_one_name_each_is_found_by_what_was_offered(self) -> None:
        assert person("a2", ANNA, User("a2", "Ana", "")) == {"accountId": "a2"}
        assert person("ana@example.com", ANNA, User("a2", "Ana", "")) == {"accountId": "a1"}

    def test_several_people_are_chosen_one_by_one(self) -> None:
        assert people("Ana, Ben", Ana=ANNA, Ben=BEN) == [
            {"accountId": "a1"},
            {"accountId": "JIRAUSER2"},
        ]
        with pytest.raises(BadValue, match='nobody called "Eve"'):
            people("Ana, Eve", Ana=ANNA)


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

        assert str(caught.value) == '"Week 3" is the sprint of no ticket here: did you mean Week 1?'

    def test_two_sprints_are_one_too_many(self) -> None:
        with pytest.raises(BadValue, match="one sprint only"):
            sprint("A, B", A=1, B=2)


class TestOffers:
    """What an error says of names that would do."""

    def test_near_names_are_offered_and_no_others(self) -> None:
        assert suggest_or_list("Assignees", ["Assignee", "Status"]) == "did you mean Assignee?"
        assert suggest_or_list("assignee", ["Assignee", "Status"]) == "did you mean Assignee?"

    def test_where_none_is_near_some_are_listed(self) -> None:
        assert suggest_or_list("x", ["b", "A"]) == "there is A, b"
        assert (
            suggest_or_list("x", map(str, range(20)))
            == "there is 0, 1, 10, 11, 12, 13, 14, 15, ..."
        )
        assert suggest_or_list("x", []) == "there is none"

    @given(texts, st.lists(texts, max_size=5))
    def test_an_error_is_one_line_whatever_is_in_it(self, text: str, names: list[str]) -> None:
        allowed = tuple(AllowedValue("1", name) for name in names)
        field_specs = [
            FieldSpec("f", "F", kind, allowed_if_known=allowed)
            for kind in ("priority", "number", "user")
        ]

        for kind in field_specs:
            said = refusal(kind, text)
            assert len(said.splitlines()) <= 1
            assert "\x1b" not in said

    def test_a_long_text_is_shown_in_part(self) -> None:
        assert short_quote("a" * 500) == '"' + "a" * 59 + '…"'
        assert short_quote("a\nb\x1b[2J") == '"a b"'


CASCADE = FieldSpec(
    "customfield_1",
    "Region",
    "option-with-child",
    allowed_if_known=(
        AllowedValue("1", "Europe", (AllowedValue("11", "Spain"), AllowedValue("12", "Ireland"))),
        AllowedValue("2", "Asia>Pacific", (AllowedValue("21", "Japan"),)),
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
    assert jira_value(replace(CASCADE, allowed_if_known=()), text, NameLookup()) == sent


TEAM = FieldSpec("customfield_2", "Team", "team")
TEAM_ID = "36885b3c-1bf0-4f85-a357-c5b858c31de4"


@pytest.mark.parametrize("text", ["Front of house", "front of House", TEAM_ID, f"{TEAM_ID}-12"])
def test_a_team_goes_by_a_known_name_or_its_id(text: str) -> None:
    lookup = NameLookup(teams={"Front of house": TEAM_ID})

    assert str(jira_value(TEAM, text, lookup)).startswith(TEAM_ID)


def test_an_unknown_team_is_refused() -> None:
    with pytest.raises(
        BadValue, match='"Fornt of house" is the team of no ticket here: did you mean Front of'
    ):
        jira_value(TEAM, "Fornt of house", NameLookup(teams={"Front of house": TEAM_ID}))
    assert refusal(TEAM, "x").endswith("no ticket here has a team; write the team's ID")
