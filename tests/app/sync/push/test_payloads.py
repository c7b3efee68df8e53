from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from fakes.ticket_texts import texts
from hypothesis import event, given, strategies as st
from sandbox_adf import quick_adf_validator

from ticketr.app.jira import Allowed, IssueType, User, adf
from ticketr.app.sync.compare.diff import Change, CorePart, changes, split_criteria
from ticketr.app.sync.push.issue_payload import create_payload, update_payload
from ticketr.app.sync.push.metadata import ProjectMetadata
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup
from ticketr.app.tickets import Ticket, parse

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


def words(document: Any) -> list[str]:
    """The blocks of a document as Markdown."""
    return [
        adf.to_markdown({"type": "doc", "version": 1, "content": [block]}).strip()
        for block in document["content"]
    ]


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

    def test_a_site_without_such_fields_offers_none(self) -> None:
        sent = created(replace(draft(), texts={"Plan": "x"}))

        assert sent.problems[0].endswith("; there is none")


class TestTypes:
    """Which type a new issue has."""

    @pytest.mark.parametrize(
        ("name", "subtask", "expected"),
        [
            (None, False, TASK),
            ("", False, TASK),
            ("Story", False, STORY),
            ("story", False, STORY),
            ("subtask", True, SUBTASK),
        ],
    )
    def test_a_type_is_found_by_its_name(
        self, name: str | None, expected: IssueType, *, subtask: bool
    ) -> None:
        assert FORM.type_of(name, subtask=subtask) == expected

    @pytest.mark.parametrize("name", [None, ""])
    def test_a_task_without_a_type_is_whatever_a_sub_task_is_called_there(
        self, name: str | None
    ) -> None:
        assert FORM.type_of(name, subtask=True) == SUBTASK

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

    def test_a_type_that_is_not_there_is_all_that_is_told(self) -> None:
        sent = created(draft(Type="Stories", Priority="Hihg"))

        assert sent == IssuePayload(
            problems=('Type: "Stories" is not an issue type of this project: did you mean Story?',)
        )


class TestCreating:
    """What is sent for a new issue."""

    def test_a_draft_is_said_in_jiras_terms(self) -> None:
        issue = draft("A", "Words.", "Works", Type="Story", Priority="high", Assignee="Ana")

        sent = created(replace(issue, fields={**issue.fields, "Status": "Done", "Labels": "a, b"}))

        assert sent.problems == ()
        assert sent.status == "Done"
        description = sent.fields.pop("description")
        assert words(description) == ["Words.", "### Acceptance Criteria", "- Works"]
        assert sent.fields == {
            "project": {"key": "AB"},
            "issuetype": {"id": "2"},
            "summary": "A",
            "priority": {"id": "7"},
            "assignee": {"accountId": "a1"},
            "labels": ["a", "b"],
        }

    def test_a_draft_of_one_line_sends_no_more_than_that(self) -> None:
        expected: dict[str, object] = {"project": {"key": "AB"}, "issuetype": {"id": "3"}}

        assert created(draft(), subtask=True) == IssuePayload(expected | {"summary": "A"})

    def test_lines_without_a_value_are_not_sent(self) -> None:
        sent = created(draft(Type="", Status="", Labels="", Assignee="", Unheard=""))

        assert sent == IssuePayload(
            {"project": {"key": "AB"}, "issuetype": {"id": "1"}, "summary": "A"}
        )

    def test_a_draft_can_name_its_epic(self) -> None:
        assert created(draft(Parent="AB-9")).fields["parent"] == {"key": "AB-9"}

    def test_a_required_field_without_a_line_is_named(self) -> None:
        sent = created(draft(Type="Story", Labels=""), requiring("Priority", "Labels"))

        assert sent.problems == (
            "Priority: a Story needs one; add a line to its Fields",
            "Labels: a Story needs one; add a line to its Fields",
        )

    def test_a_required_field_with_a_line_is_not_missed(self) -> None:
        assert created(draft(Priority="High"), requiring("Priority")).problems == ()

    def test_what_every_new_issue_gets_is_not_missed(self) -> None:
        assert created(draft(), requiring("Type")).problems == ()

    def test_a_task_can_name_its_type(self) -> None:
        sent = created(draft(Type="Subtask"), subtask=True)

        assert sent == IssuePayload(
            {"project": {"key": "AB"}, "issuetype": {"id": "3"}, "summary": "A"}
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

    def test_only_what_changed_is_sent(self) -> None:
        before = draft("A", "Words.", "Works", Priority="Low", Labels="a")

        assert edited(before, before) == IssuePayload()
        assert edited(before, replace(before, title="B")) == IssuePayload({"summary": "B"})

    def test_what_is_sent_is_told_part_by_part(self) -> None:
        after = draft("B", "Words.", "a", Labels="b, a", Status="Done")

        sent = edited(draft("A", Labels="a", Status="To Do"), after)

        told = {each.part: (each.text, each.field, each.value) for each in sent.values}
        document = sent.fields["description"]
        assert told == {
            CorePart.TITLE: ("B", "summary", "B"),
            CorePart.DESCRIPTION: ("Words.", "description", document),
            CorePart.CRITERIA: ("a", "description", document),
            "Labels": ("b, a", "labels", ["b", "a"]),
            "Status": ("Done", "status", {"name": "Done"}),
        }

    def test_a_changed_criterion_is_sent_with_the_description_before_it(self) -> None:
        sent = edited(draft("A", "Words.", "a"), draft("A", "Words.", "a", "**b**"))

        description: Any = sent.fields["description"]
        assert words(description) == ["Words.", "### Acceptance Criteria", "- a\n- **b**"]
        body, criteria = split_criteria(description)
        assert (adf.to_markdown(body).strip(), criteria) == ("Words.", ("a", "**b**"))

    def test_criteria_alone_are_a_description(self) -> None:
        sent = edited(draft(), draft("A", "", "a"))

        description: Any = sent.fields["description"]
        assert words(description) == ["### Acceptance Criteria", "- a"]

    def test_criteria_that_are_gone_leave_the_description(self) -> None:
        sent = edited(draft("A", "Words.", "a"), draft("A", "Words."))

        description: Any = sent.fields["description"]
        assert words(description) == ["Words."]

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

    def test_a_status_is_no_field(self) -> None:
        assert edited(draft(Status="To Do"), draft(Status="Done")) == IssuePayload(status="Done")

    @pytest.mark.parametrize("name", ["Status", "Type"])
    def test_what_every_ticket_has_cannot_be_emptied(self, name: str) -> None:
        sent = edited(draft(**{name: "Task"}), draft(**{name: ""}))

        assert sent.problems == (f"{name}: every ticket has one; write it, or remove the line",)

    def test_an_issue_can_become_one_of_another_type(self) -> None:
        assert edited(draft(Type="Task"), draft(Type="story")) == IssuePayload(
            {"issuetype": {"id": "2"}}
        )

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

    def test_a_field_that_is_called_as_a_part_is_a_field(self) -> None:
        odd = FieldSpec("customfield_1", "Title", "string")
        change = Change("Title", "", "x")

        assert update_payload(draft("A"), [change], {"Title": odd}, ANA) == IssuePayload(
            {"customfield_1": "x"}
        )

    def test_a_field_that_no_line_can_hold_is_refused_in_words(self) -> None:
        place = FieldSpec("customfield_1", "Place", "any", unsupported="it holds a team")
        change = Change("Place", "", "x")

        sent = update_payload(draft("A"), [change], {"Place": place}, ANA)

        told = "Place: it holds a team, which ticketr cannot write yet; take the line out"
        assert sent == IssuePayload(problems=(told,))

    def test_a_field_that_no_line_can_hold_is_not_offered(self) -> None:
        place = FieldSpec("customfield_1", "Place", "any", unsupported="it holds a team")

        sent = update_payload(draft("A"), [Change("Places", "", "x")], {"Place": place}, ANA)

        assert "there is Parent, Status" in sent.problems[0]

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

    def test_a_text_that_is_too_long_is_told_with_its_line(self) -> None:
        text = "# TICKET: Short\n\n# TICKET: Long\n\n" + "word " * 30_000
        ticket = parse(text).tickets[1]
        said = changes(draft(), ticket)

        assert update_payload(ticket, said, KINDS, ANA, path="a.md").problems == (
            "Description: a.md:5: it has 149999 characters; Jira takes 32767",
        )

    def test_markup_that_shows_nothing_does_not_count(self) -> None:
        links = "[word](https://example.com/a/long/address) " * 1000
        assert len(links) > 32_767

        assert edited(draft("A"), draft("A", links)).problems == ()

    def test_what_a_description_that_is_too_long_loses_is_not_looked_for(self) -> None:
        assert edited(draft("A"), draft("A", "é" * 32_768 + "\n\n<!-- a -->")).problems == (
            "Description: it has 32780 characters; Jira takes 32767",
        )

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

    def test_a_comment_that_is_added_is_refused_as_well(self) -> None:
        sent = edited(draft("A", "a", "b"), draft("A", "a", "b <!-- c -->"))

        assert [each.partition(" would")[0] for each in sent.problems] == [
            'Acceptance Criteria: in its line 1: the HTML comment "<!-- c -->"'
        ]

    @pytest.mark.parametrize("text", ["[a]: https://example.com", "[a]: *"])
    def test_a_definition_that_nothing_uses_is_sent_as_text(self, text: str) -> None:
        sent = edited(draft("A", "old"), draft("A", text))

        assert sent.problems == ()
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
        expected = adf.canonical({"type": "doc", "version": 1, "content": [paragraph]})
        assert adf.canonical(sent.fields["description"]) == expected

    def test_a_text_of_which_nothing_is_left_never_empties_the_description(self) -> None:
        sent = edited(draft("A", "old"), draft("A", "<!-- -->"))

        assert sent.fields == {}
        assert len(sent.problems) == 1

    @pytest.mark.parametrize("criterion", ["# heading", "> quote", "|a|b|\n|-|-|\n|1|2|"])
    def test_a_criterion_that_no_list_can_hold_is_refused(self, criterion: str) -> None:
        sent = edited(draft("A", "old"), draft("A", "new", criterion))

        assert sent.fields == {}
        assert len(sent.problems) == 1
        assert sent.problems[0].startswith("Description: Jira would refuse it: ")

    def test_a_criterion_that_no_list_can_hold_is_told_as_its_own_fault(self) -> None:
        sent = edited(draft(), draft("A", "", "# heading"))

        assert sent.problems[0].startswith("Acceptance Criteria: Jira would refuse it: ")

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

    def test_words_of_a_criterion_are_not_dropped_in_silence_either(self) -> None:
        sent = edited(draft(), draft("A", "", "a\n\n- b\n\n  # some words"))

        assert [each.partition(":")[0] for each in sent.problems] == ["Acceptance Criteria"]
        assert 'no place for "some words"' in sent.problems[0]

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
