"""How tickets are written, and how one of them is changed with all else left as it is."""

from __future__ import annotations

import pytest
from rows import for_each

from ticketr.app.tickets import (
    Ticket,
    parse,
    render,
    render_ticket,
    rewrite,
)
from ticketr.app.tickets.errors import UnwritableTicket

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
        non_field_lines=("# a remark",),
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

    with pytest.raises(UnwritableTicket, match="AB-1"):
        render([one, other])
    with pytest.raises(UnwritableTicket, match="AB-1"):
        rewrite(file, {}, [(other, render_ticket(other))])
    with pytest.raises(UnwritableTicket, match="AB-1"):
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
    changed = parse(rewrite(file, {0: Ticket("y", non_field_lines=("# own",))}).text).tickets[0]

    assert kept.non_field_lines == ("# r",)
    assert [task.non_field_lines for task in kept.tasks] == [("# s",), ("# v",), ()]
    assert changed.non_field_lines == ("# own",)


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
