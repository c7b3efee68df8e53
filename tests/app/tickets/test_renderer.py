"""How tickets are written, and how one of them is changed with all else left as it is."""

from __future__ import annotations

import pytest
from rows import for_each

from ticketr.app.tickets import (
    Ticket,
    field_name,
    parse,
    render,
    render_ticket,
    rewrite,
    set_fields,
)
from ticketr.app.tickets.errors import RepeatedKey

WHOLE = """\
# TICKET: [AB-1] Title

## Description
Text.

```
## Fields
```
\\## Fields

## Fields
# a remark
Type: Story
Empty:
A\\: b: c
Long: |
  one

    two
Bar: |
  |

## Acceptance Criteria
- one
- two
  \\- dash

  \\## Tasks

## Tasks
- [AB-2] Task
  ## Description
  Text.

  \\## Fields

  ## Fields
  Points: 3

- Bare
- \\[AB-3] Bare as well
- Last
  ## Acceptance Criteria
  - three
"""


def whole() -> Ticket:
    return Ticket(
        "Title",
        "AB-1",
        "Text.\n\n```\n## Fields\n```\n## Fields",
        {"Type": "Story", "Empty": "", "A: b": "c", "Long": "one\n\n  two", "Bar": "|"},
        ("one", "two\n- dash\n\n## Tasks"),
        (
            Ticket("Task", "AB-2", "Text.\n\n## Fields", {"Points": "3"}),
            Ticket("Bare"),
            Ticket("[AB-3] Bare as well"),
            Ticket("Last", acceptance_criteria=("three",)),
        ),
        remarks=("# a remark",),
    )


def test_a_ticket_is_rendered_in_one_form() -> None:
    assert render_ticket(whole()) == WHOLE
    assert parse(WHOLE).tickets == (whole(),)


def test_a_file_is_its_tickets_with_a_blank_line_between() -> None:
    text = render([Ticket("a"), Ticket("b", description="c")])

    assert text == "# TICKET: a\n\n# TICKET: b\n\n## Description\nc\n"
    assert render([]) == ""


@for_each(
    ("line", "written"),
    [
        ("# TICKET: x", "\\# TICKET: x"),
        ("  #TICKET", "  \\#TICKET"),
        ("# STORY: x", "\\# STORY: x"),
        ("## Fields:", "\\## Fields:"),
        ("\\## Fields", "\\\\## Fields"),
        ("\\\\## Fields", "\\\\\\## Fields"),
        ("```", "\\```"),
        ("\\```", "\\\\```"),
        ("<<<<<<< HEAD", "\\<<<<<<< HEAD"),
        ("\\<<<<<<<", "\\\\<<<<<<<"),
        ("=======", "======="),
        ("    ## Fields", "    ## Fields"),
        ("   ## Fields", "   \\## Fields"),
        ("   \\## Fields", "   \\\\## Fields"),
        ("    \\## Fields", "    \\## Fields"),
        ("   # TICKET: x", "   \\# TICKET: x"),
        ("    # TICKET: x", "    # TICKET: x"),
        ("  ```", "  \\```"),
        ("    ```", "    ```"),
        ("## Notes", "## Notes"),
        ("\\# x", "\\# x"),
        ("- x", "- x"),
        ("<div>", "<div>"),
    ],
)
def test_a_line_of_a_description_is_escaped_only_if_it_means_something(
    line: str, written: str
) -> None:
    ticket = Ticket("x", description=f"a\n{line}", tasks=(Ticket("t", description=f"a\n{line}"),))

    text = render_ticket(ticket)

    assert f"## Description\na\n{written}\n\n" in text
    assert f"  ## Description\n  a\n  {written}\n" in text
    assert parse(text).tickets == (ticket,)


def test_a_code_block_that_is_not_closed_is_escaped_with_all_that_might_close_it() -> None:
    description = "```py\n# TICKET: x\n```py\n## Fields\n```\n~~~"
    ticket = Ticket("x", description=description)

    text = render([ticket, Ticket("y", description="```\na\n```")])

    assert text.count("\\```") == 3
    assert parse(text).tickets[0] == ticket


def test_the_same_issue_cannot_stand_twice_in_a_file() -> None:
    one = Ticket("a", "AB-1")
    other = Ticket("b", tasks=(Ticket("c", "AB-1"),))
    file = parse("# TICKET: [AB-1] a\n# TICKET: b\n")

    with pytest.raises(RepeatedKey, match="AB-1"):
        render([one, other])
    with pytest.raises(RepeatedKey, match="AB-1"):
        rewrite(file, {}, [(other, render_ticket(other))])
    with pytest.raises(RepeatedKey, match="AB-1"):
        rewrite(file, {1: other})
    assert parse(rewrite(file, {0: one}).text).tickets == file.tickets


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_replacing_keeps_the_rest_and_the_line_ends(end: str) -> None:
    text = "\ufeffa\n\n# TICKET: x\n b \n\n\n# TICKET: y\nc\n \n# TICKET: z".replace("\n", end)

    out = rewrite(parse(text), {1: Ticket("new", description="d\ne")}).text

    new = "# TICKET: new\n\n## Description\nd\ne\n".replace("\n", end)
    assert out == text.replace(f"# TICKET: y{end}c{end}", new)


def test_replacing_the_last_ticket_adds_no_line_end_that_was_not_there() -> None:
    assert rewrite(parse("# TICKET: x"), {0: Ticket("y")}).text == "# TICKET: y"


def test_a_last_line_without_an_end_takes_the_line_ends_of_its_file() -> None:
    out = rewrite(parse("a\r\n# TICKET: x"), {0: Ticket("y", description="b")}).text

    assert out == "a\r\n# TICKET: y\r\n\r\n## Description\r\nb"


def test_a_dash_in_a_criterion_is_escaped_however_indented() -> None:
    ticket = Ticket("x", acceptance_criteria=("a\n    - b\n\\-c",))

    text = render([ticket])

    assert "- a\n      \\- b\n  \\\\-c\n" in text
    assert parse(text).tickets == (ticket,)


def test_conflict_markers_in_a_code_block_are_escaped_however_indented() -> None:
    description = "```\n<<<<<<<\n   \\>>>>>>> a\n    \\<<<<<<<\n# TICKET: x\n```"
    ticket = Ticket("x", description=description)

    text = render([ticket])

    assert "```\n\\<<<<<<<\n   \\\\>>>>>>> a\n    \\<<<<<<<\n# TICKET: x\n```" in text
    assert parse(text).tickets == (ticket,)


def test_replacing_keeps_the_remarks_unless_new_ones_are_given() -> None:
    file = parse(
        "# TICKET: [AB-1] x\n## Fields\n# r\nA: 1\n## Tasks\n- [AB-2] t\n  ## Fields\n  # s\n- u\n"
        "  ## Fields\n  # v\n"
    )
    tasks = (Ticket("renamed", "AB-2"), Ticket("u"), Ticket("new"))

    kept = parse(rewrite(file, {0: Ticket("y", "AB-1", tasks=tasks)}).text).tickets[0]
    changed = parse(rewrite(file, {0: Ticket("y", remarks=("# own",))}).text).tickets[0]

    assert kept.remarks == ("# r",)
    assert [task.remarks for task in kept.tasks] == [("# s",), ("# v",), ()]
    assert changed.remarks == ("# own",)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("", ""),
        ("\ufeff", "\ufeff"),
        ("# TICKET: x", "# TICKET: x\n\n"),
        ("# TICKET: x\n", "# TICKET: x\n\n"),
        ("# TICKET: x\n\n\n", "# TICKET: x\n\n\n"),
        ("a\r\n# TICKET: x", "a\r\n# TICKET: x\r\n\r\n"),
        ("a\r\n\r\n", "a\r\n\r\n"),
    ],
)
def test_appending_leaves_one_blank_line_between(text: str, before: str) -> None:
    end = "\r\n" if "\r" in text else "\n"
    new = Ticket("y", description="z")

    out = rewrite(parse(text), {}, [(new, render_ticket(new))]).text

    assert out == before + "# TICKET: y\n\n## Description\nz\n".replace("\n", end)


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


@for_each("end", ["\n", "\r\n"])
@for_each(
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


def test_a_field_in_a_block_of_one_line_leaves_nothing_of_the_block() -> None:
    file = parse("# TICKET: [AB-1] Title\n\n## Fields\nPlace: |\n  old\n")
    assert set_fields(file, {(0, None): {"Place": "new"}}).text == (
        "# TICKET: [AB-1] Title\n\n## Fields\nPlace: new\n"
    )


@for_each("text", ["one\nlines", "one\n# TICKET: x", "one\n```", "|"])
def test_a_text_that_needs_a_block_leaves_no_line_of_its_own(text: str) -> None:
    file = set_fields(parse(TEXT), {(1, None): {"Status": text}, (0, None): {"Priority": "Low"}})
    assert file.tickets[1].fields == {"Status": text}
    assert not file.tickets[1].remarks
    assert file.text.startswith(TEXT.partition("# TICKET: [DEMO-3]")[0].replace(":High", ": Low"))


def test_a_new_field_does_not_break_a_block_of_one_line() -> None:
    old = "# TICKET: [AB-1] Title\n\n## Fields\nA:1\nPlace: |\n  old\n"
    done = set_fields(parse(old), {(0, None): {"New": "2"}})
    assert done.text == old.replace("A:1\n", "A:1\nNew: 2\n")


def test_new_fields_of_a_ticket_and_its_task_change_no_other_line() -> None:
    own = "## Fields\nLabels:a\n"
    tasks = "## Tasks\n- [AB-2] A task\n  ## Fields\n  Status:Open\n"
    new_own = f"{own}Points: 3\n"
    new_tasks = f"{tasks}  Points: 1\n  Team: x\n"
    changes = {(0, None): {"Points": "3"}, (0, 0): {"Points": "1", "Team": "x"}}
    title = "# TICKET: [AB-1]  Title\n"
    assert set_fields(parse(title + own + tasks), changes).text == title + new_own + new_tasks
    assert set_fields(parse(title + tasks + own), changes).text == title + new_tasks + new_own


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
