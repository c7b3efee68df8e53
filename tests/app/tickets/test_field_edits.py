"""Other texts in fields change the lines of these fields, and nothing else."""

from __future__ import annotations

import pytest

from ticketr.app.tickets import field_name, parse, set_fields

TEXT = """\
Notes: *

# TICKET: [DEMO-1]   Two books

## Fields
# a remark
Priority:High
  Status :  To Do
Labels: a, b

## Description ##
Status: no field


Text.

## Tasks
-   [DEMO-2] A task
   ## Fields
   Status: To Do

- A draft

# TICKET: [DEMO-3] Another
## Fields
Status: To Do"""


def edited(name: str, text: str, *, index: int = 0, task: int | None = None, of: str = TEXT) -> str:
    file = set_fields(parse(of), {(index, task): {name: text}})
    assert parse(file.text) == file
    return file.text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("name", "text", "task", "old", "new"),
    [
        ("Priority", "Low", None, "Priority:High", "Priority: Low"),
        ("STATUS", "In Progress", None, "  Status :  To Do", "  Status : In Progress"),
        ("Labels", "", None, "Labels: a, b", "Labels:"),
        ("Sprint", "Harbour 7", None, "Labels: a, b\n", "Labels: a, b\nSprint: Harbour 7\n"),
        ("a: b", "c", None, "Labels: a, b\n", "Labels: a, b\na\\: b: c\n"),
        ("Status", "Done", 0, "   Status: To Do", "   Status: Done"),
        ("Points", "3", 0, "   Status: To Do\n", "   Status: To Do\n   Points: 3\n"),
    ],
)
def test_only_the_line_of_the_field_changes(
    name: str, text: str, task: int | None, old: str, new: str, end: str
) -> None:
    before = TEXT.replace("\n", end)
    assert before.count(old.replace("\n", end)) == 1

    after = edited(name, text, task=task, of=before)

    assert after == before.replace(old.replace("\n", end), new.replace("\n", end))


def test_a_field_after_a_last_line_without_an_end_gets_its_own_line() -> None:
    assert edited("Points", "3", index=1) == f"{TEXT}\nPoints: 3"


def test_a_field_that_says_so_already_leaves_the_file() -> None:
    file = parse(TEXT)
    assert set_fields(file, {(0, None): {"priority": "High"}}) is file


def test_several_fields_change_at_once() -> None:
    texts = {"Points": "3", "Priority": "Low", "Labels": "a, b", "Sprint": "7"}
    file = set_fields(parse(TEXT), {(0, None): texts})
    new = TEXT.replace("Priority:High", "Priority: Low")
    assert file.text == new.replace("a, b\n", "a, b\nPoints: 3\nSprint: 7\n")


def test_a_ticket_that_is_rendered_again_leaves_the_lines_of_the_others() -> None:
    others = TEXT[TEXT.index("# TICKET") :]
    file = parse(f"# TICKET: [DEMO-9] x\n\nText.\n\n{others}")
    assert [each.key for each in file.tickets] == ["DEMO-9", "DEMO-1", "DEMO-3"]

    done = set_fields(
        file,
        {
            (2, None): {"Status": "Done"},
            (0, None): {"Status": "Done"},
            (1, None): {"Priority": "Low"},
            (1, 0): {"Status": "Done"},
        },
    )

    first, _, rest = done.text.partition("# TICKET: [DEMO-1]")
    assert parse(first).tickets[0].fields == {"Status": "Done"}
    new = others.replace("Priority:High", "Priority: Low")
    new = new.replace("   Status: To Do", "   Status: Done").replace(
        "Status: To Do", "Status: Done"
    )
    assert f"# TICKET: [DEMO-1]{rest}" == new
    assert parse(done.text) == done


@pytest.mark.parametrize(
    ("text", "name", "value", "task"),
    [
        ("# TICKET: [DEMO-1] x\n\nText.\n", "Status", "Done", None),
        ("# TICKET: x\n## Fields\nA: |\n  1\n  2\n", "A", "3", None),
        ("# TICKET: x\n## Fields\nA: 1\n", "A", "2\n3", None),
        ("# TICKET: x\n## Fields\nA: 1\n## Acceptance Criteria\n- y\n  A: 1\n", "A", "2", None),
        ("# TICKET: x\n## Tasks\n- y\n", "A", "2", 0),
        ("# TICKET: x\n## Fields\na\\: b: 1\n", "a: b", "2", None),
        ("# TICKET: x\n## Fields\nA: 1\n", "A", "|", None),
    ],
)
def test_a_ticket_is_rendered_again_where_a_line_is_not_enough(
    text: str, name: str, value: str, task: int | None
) -> None:
    before = parse(text).tickets[0]

    (after,) = parse(edited(name, value, task=task, of=text)).tickets

    issue, was = (after, before) if task is None else (after.tasks[task], before.tasks[task])
    assert issue.fields == {**was.fields, name: value}
    assert (after.title, after.description) == (before.title, before.description)
    assert after.acceptance_criteria == before.acceptance_criteria


def test_a_text_that_would_be_a_line_of_its_own_stays_in_its_field() -> None:
    (ticket,) = parse(edited("A", "2\r<<<<<<< x", of="# TICKET: x\n## Fields\nA: 1\n")).tickets
    assert ticket.fields == {"A": "2\n<<<<<<< x"}


def test_a_field_is_found_in_any_case_of_letters() -> None:
    ticket = parse(TEXT).tickets[0]
    assert [field_name(ticket, name) for name in ("labels", "sprint")] == ["Labels", "sprint"]
