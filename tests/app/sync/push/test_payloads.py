from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from fakes.ticket_texts import texts
from hypothesis import event, given, strategies as st
from sandbox_adf import quick_adf_validator

from ticketr.app.jira import Allowed, IssueType, User, adf
from ticketr.app.sync.compare.diff import Change, CorePart, changes
from ticketr.app.sync.push.create_payload import create_payload
from ticketr.app.sync.push.issue_types import ProjectMetadata
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup
from ticketr.app.tickets import Ticket

TASK, STORY, SUBTASK = (
    IssueType("1", "Task", subtask=False),
    IssueType("2", "Story", subtask=False),
    IssueType("3", "Subtask", subtask=True),
)
PRIORITY = FieldSpec("priority", "Priority", "priority", allowed=(Allowed("7", "High"),))
LABELS = FieldSpec("labels", "Labels", "array", "string")
ASSIGNEE = FieldSpec("assignee", "Assignee", "user")
TYPE = FieldSpec(
    "issuetype", "Type", "issuetype", allowed=(Allowed("1", "Task"), Allowed("2", "Story"))
)
KINDS = {each.name: each for each in (PRIORITY, LABELS, ASSIGNEE, TYPE)}
FORM = ProjectMetadata((TASK, STORY, SUBTASK), {each.id: KINDS for each in (TASK, STORY, SUBTASK)})
ANA = NameLookup({"Ana": (User("a1", "Ana", ""),)})


def draft(title: str = "A", description: str = "", *criteria: str, **fields: str) -> Ticket:
    return Ticket(title, None, description, fields, criteria)


def created(issue: Ticket, form: ProjectMetadata = FORM, *, subtask: bool = False) -> IssuePayload:
    return create_payload(issue, form, ANA, project="AB", subtask=subtask)


def requiring(*names: str) -> ProjectMetadata:
    field_specs = {name: replace(kind, required=name in names) for name, kind in KINDS.items()}
    return replace(FORM, field_specs=dict.fromkeys(FORM.field_specs, field_specs))


def edited(before: Ticket, after: Ticket) -> IssuePayload:
    return update_payload(after, changes(before, after), KINDS, ANA)


class TestRichTextFields:
    """What is sent of sections."""

    SPECS: ClassVar = {
        "Plan": FieldSpec("customfield_1", "Plan", "string", required=True),
        "Odd": FieldSpec("customfield_2", "Odd", "string", required=True, unsupported="add it"),
    }

    def test_a_text_that_a_new_issue_needs_is_named_with_its_heading(self) -> None:
        form = replace(FORM, text_specs={TASK.id: self.SPECS})

        assert created(draft(), form).problems == (
            "Plan: a Task needs one; write it below a heading ## Field: Plan",
            "Odd: a Task needs one; add it, then write it below a heading ## Field: Odd",
        )
        sent = created(replace(draft(), texts={"Plan": "x", "Odd": "y"}), form)
        assert sent.problems == ("Odd: add it, then pull",)
        assert sent.fields["customfield_1"] == adf.to_adf("x")


class TestTypes:
    """Which type a new issue has."""

    def test_of_several_sub_task_types_the_one_that_was_set_is_taken(self) -> None:
        form = ProjectMetadata(
            (SUBTASK, IssueType("4", "Sub-bug", subtask=True)), {}, subtask_type="sub-bug"
        )

        assert form.type_of(None, subtask=True).id == "4"

    def test_the_type_of_stories_can_be_set(self) -> None:
        assert replace(FORM, story_type="Story").type_of(None, subtask=False) == STORY

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
            ProjectMetadata((TASK,), {}).type_of(None, subtask=True)


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
        sent = created(draft(Priority="High"), ProjectMetadata((TASK,), {}))

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

        assert sent == IssuePayload(problems=(f'Parent: "{key}" is not a key like PROJ-123',))

    def test_an_unknown_field_is_refused_and_the_nearest_ones_are_offered(self) -> None:
        sent = edited(draft(), draft(Assignees="Ana", status="Done"))

        assert sent.problems == (
            "Assignees: there is no such field here; did you mean Assignee?",
            "status: there is no such field here; did you mean Status?",
        )

    def test_a_field_that_no_line_can_hold_is_refused_in_words(self) -> None:
        place = FieldSpec("customfield_1", "Place", "any", unsupported="it holds a team")
        change = Change("Place", "", "x")

        sent = update_payload(draft("A"), [change], {"Place": place}, ANA)

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
            'Description: in its line 3: the HTML comment "<!-- ask Mia -->" would be lost '
            "in Jira; take it out, or write \\<!-- to send it as text"
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

        told = f'{where}Jira has no place for "some words" there; write it another way'
        assert sent == IssuePayload(problems=(f"Description: {told}",))

    @given(texts, st.lists(texts, max_size=2))
    def test_a_description_that_is_sent_is_one_that_jira_takes(
        self, description: str, criteria: list[str]
    ) -> None:
        issue = draft("A", description, *criteria)

        sent = update_payload(
            issue, [Change(CorePart.DESCRIPTION, "", issue.description)], KINDS, ANA
        )

        event(f"refused: {bool(sent.problems)}")
        assert bool(sent.problems) == ("description" not in sent.fields)
        document = sent.fields.get("description")
        assert document is None or quick_adf_validator().is_valid(document)
