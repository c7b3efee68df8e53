from __future__ import annotations

import gc

import pytest
from fakes.bytecodes import Bytecodes
from rows import for_each

from ticketr.app.tickets import Ticket, TicketSyntaxError, mistyped_key, parse


def only(text: str) -> Ticket:
    (ticket,) = parse(text).tickets
    return ticket


FULL = """\
Some words.

# TICKET: [AB-1] A title: with a colon

## Description
First line.

Second paragraph.

## Fields
Type: Story
Link: http://a/b:c

## Acceptance Criteria
- one
- two
  goes on

  and on

## Tasks
- [AB-2] A task
  ## Description
  Text.

      code

  ## Fields
  Points: 3
  ## Acceptance Criteria
  - three
- Another
"""


def test_a_whole_ticket_is_read() -> None:
    ticket = only(FULL)

    assert ticket == Ticket(
        "A title: with a colon",
        "AB-1",
        "First line.\n\nSecond paragraph.",
        {"Type": "Story", "Link": "http://a/b:c"},
        ("one", "two\ngoes on\n\nand on"),
        (
            Ticket("A task", "AB-2", "Text.\n\n    code", {"Points": "3"}, ("three",)),
            Ticket("Another"),
        ),
    )
    assert [ticket.line, *(task.line for task in ticket.tasks)] == [3, 22, 32]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_make_no_difference(end: str, bom: str) -> None:
    text = bom + FULL.replace("\n", end)

    file = parse(text)

    assert file.tickets == parse(FULL).tickets
    assert file.text == text
    assert file.preamble == f"Some words.{end}{end}"
    assert text[file.text_slices[0]] == FULL[13:].replace("\n", end)


def test_the_gap_between_two_tickets_belongs_to_neither() -> None:
    file = parse("a\n# TICKET: x\nb\n\n \n# TICKET: y\n\n\n")

    texts = [file.text[span] for span in file.text_slices]
    assert texts == ["# TICKET: x\nb\n", "# TICKET: y\n"]
    assert file.preamble == "a\n"


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n", "Words.\n## Fields\nA: b\n"])
def test_a_file_need_not_hold_a_ticket(text: str) -> None:
    file = parse(text)

    assert (file.tickets, file.text_slices) == ((), ())
    assert file.preamble == text.removeprefix("\ufeff")


@for_each(
    ("heading", "ticket"),
    [
        ("# TICKET:x", Ticket("x")),
        ("# TICKET:\t [AB-1]x ", Ticket("x", "AB-1")),
        ("# TICKET: [AB-1] [AB-2] x", Ticket("[AB-2] x", "AB-1")),
        ("# TICKET: [AB-1] \\[AB-2] x", Ticket("\\[AB-2] x", "AB-1")),
        ("# TICKET: [EPIC] x", Ticket("[EPIC] x")),
        ("# TICKET: [EPIC]", Ticket("[EPIC]")),
        ("# TICKET: [../../x] y", Ticket("[../../x] y")),
        ("# TICKET: [] y", Ticket("[] y")),
        ("# TICKET: \\[AB-1 y", Ticket("[AB-1 y")),
        ("# TICKET: \\**[AB-1]** y", Ticket("**[AB-1]** y")),
        ("# TICKET: \\AB-1] y", Ticket("AB-1] y")),
        ("# TICKET: UTF-8 is broken", Ticket("UTF-8 is broken")),
        ("# TICKET: COVID-19: leave", Ticket("COVID-19: leave")),
        ("# TICKET: [API] fix", Ticket("[API] fix")),
        ("# TICKET: [P1] crash", Ticket("[P1] crash")),
        ("# TICKET: [Phase 2] y", Ticket("[Phase 2] y")),
        ("# TICKET: \\[AB-1] y", Ticket("[AB-1] y")),
        ("# TICKET: \\\\[AB-1] y", Ticket("\\[AB-1] y")),
        ("# TICKET: \\x", Ticket("\\x")),
        ("# TICKET: [utf-8 text] y", Ticket("[utf-8 text] y")),
    ],
)
def test_a_heading_holds_key_and_title(heading: str, ticket: Ticket) -> None:
    assert only(heading) == ticket


@for_each(
    ("text", "line", "column", "problem"),
    [
        ("# TICKET:", 1, 10, "a ticket needs a title"),
        ("# TICKET:  ", 1, 12, "a ticket needs a title"),
        ("\ufeff# TICKET:  [AB-1] ", 1, 12, "there is a key but no title"),
        ("# TICKET: [ab-1] x", 1, 11, "this is not a key"),
        ("# TICKET:[ab-1] x", 1, 10, "this is not a key"),
        ("# TICKET: [Ab-1]", 1, 11, "this is not a key"),
        ("# TICKET: [ AB-1 ] x", 1, 11, "this is not a key"),
        ("# TICKET: [A-1] x", 1, 11, "this is not a key"),
        ("# TICKET: x\n## Tasks\n  -  [ab-1] y", 3, 6, "this is not a key"),
        ("# TICKET: x\n## Tasks\n- [x] [AB-1] y", 3, 3, "this is not a key"),
        ("# TICKET: [AB-1 y", 1, 11, "write [AB-1]"),
        ("# TICKET: [AB-1 y [z] a", 1, 11, "write [AB-1]"),
        ("# TICKET: AB-1] y", 1, 11, "write [AB-1]"),
        ("# TICKET: [[AB-1]] y", 1, 11, "write [AB-1]"),
        ("# TICKET: [ab\u201301] y", 1, 11, "write [AB-1]"),
        ("# TICKET: **[AB-1]** y", 1, 11, "write [AB-1]"),
        ("# TICKET: **[AB-1] y**", 1, 11, "write [AB-1]"),
        ("# TICKET: [AB-1,] y", 1, 11, "write [AB-1]"),
        ("# TICKET: [#AB-1] y", 1, 11, "write [AB-1]"),
        ("# TICKET: x\n## Tasks\n- [AB-1 y", 3, 3, "write [AB-1]"),
        ("a\n#TICKET", 2, 1, "not quite the heading"),
        ("#TICKET x", 1, 1, "not quite the heading"),
        ("## TICKET: x", 1, 1, "not quite the heading"),
        ("# TICKET : x", 1, 1, "not quite the heading"),
        ("# TICKET [AB-1] x", 1, 1, "not quite the heading"),
        ("# TICKET", 1, 1, "not quite the heading"),
        ("a\n\ufeff# TICKET: x", 2, 2, "not quite the heading"),
        ("# TICKT: x", 1, 1, "not quite the heading"),
        ("#TIKCET: [AB-1] x", 1, 1, "not quite the heading"),
        ("# TICKET: x\n## Descripton\na", 2, 1, "did you mean ## Description?"),
        ("# TICKET: x\n## Description\na\n##  Feilds:", 4, 1, "did you mean ## Fields?"),
        ("# TICKET: x\n## Fields\nA: b\n## taks", 4, 1, "did you mean ## Tasks?"),
        ("# TICKET: x\n## Fields\nA: |\n  a\n  ## Tasjs", 5, 3, "did you mean ## Tasks?"),
        ("# TICKET: x\n## Acceptence Criteria\n- a", 2, 1, "did you mean ## Acceptance Criteria?"),
        ("# TICKET: x\n## Tasks\n- y\n  ## Field\n  ## Fieldds", 5, 3, "did you mean ## Fields?"),
        ("# STORY: x", 1, 1, "stories are tickets now"),
        ("#STORY: x", 1, 1, "stories are tickets now"),
        ("# TICKET: x\n  # TICKET: y", 2, 3, "begins in the first column"),
        ("# TICKET: x\n   # TICKET: y", 2, 4, "begins in the first column"),
        ("# TICKET: x\n## Tasks\n- y\n  # TICKET: z", 4, 3, "begins in the first column"),
        ("# TICKET: x\n## Tasks\n- y\n  ## Fields\n   # STORY: z", 5, 4, "stories"),
        ("# TICKET: x\n## Fields\nA: |\n  a\n  #TICKET", 5, 3, "not quite the heading"),
        ("# TICKET: x\n## Tasks\n-\n  ## Fields\n  A: b", 3, 1, "a task needs a title"),
        ("# TICKET: x\n## Tasks\n  -\n    ## Fields\n    # a", 3, 3, "a task needs a title"),
        ("# TICKET: x\n## Tasks\n-\n  text", 3, 1, "a task needs a title"),
        ("# TICKET: x\n## Tasks\n-\n  ## Acceptance Criteria\n  - a", 3, 1, "a task needs a"),
        ("# TICKET: x\na\n>>>>>>> b", 3, 1, "a git conflict"),
        ("<<<<<<< HEAD\r\n# TICKET: x", 1, 1, "a git conflict"),
        ("# TICKET: x\n```\n<<<<<<<\n```", 3, 1, "a git conflict"),
        ("# TICKET: [AB-1] x\n\n# TICKET: [AB-1] y", 3, 11, "AB-1 is already on line 1"),
        ("# TICKET: [AB-1] x\n## Tasks\n- [AB-1] y", 3, 3, "AB-1 is already on line 1"),
        ("a\n```\nb", 2, 1, "this code block is not closed"),
        ("a\n```\nb\n```\n```\nc", 5, 1, "this code block is not closed"),
        ("# TICKET: x\n~~~~\n```\n~~~", 2, 1, "this code block is not closed"),
        ("# TICKET: x\n## Tasks\n- y\n  ```\n- z\n  ```", 4, 1, "this code block is not closed"),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    text: str, line: int, column: int, problem: str
) -> None:
    with pytest.raises(TicketSyntaxError) as caught:
        parse(text, source="a.md")

    error = caught.value
    assert (error.source, error.line, error.column) == ("a.md", line, column)
    assert problem in error.problem


@for_each(
    "line",
    [
        *("# Ticket: x", "# ticket", "# TICKET SALES", "#TICKETS", "#TICKET-1", "## STORY: x"),
        *("    # TICKET: x", "> # TICKET: x", "TICKET: x", "=======", "<<<<<<<x", " <<<<<<< HEAD"),
        *("##Fields", "## fields", "## Fields and more", " ## Fields", "### Tasks", "```a`b", "``"),
        *("## Task", "## Field", "## Talks", "## Masks", "## Descriptions", "## Criteria"),
        *("## acceptance criteria", "### Descripton", "## Tasks of mine", "# TICKETS: all"),
        "    ```",
    ],
)
def test_a_line_that_only_resembles_a_heading_is_text(line: str) -> None:
    assert only(f"# TICKET: x\n## Description\na\n{line}").description == f"a\n{line}"


@pytest.mark.parametrize("line", ["## Fields:", "## Fields  ", "## Fields ##"])
def test_a_heading_may_end_as_markdown_allows(line: str) -> None:
    assert only(f"# TICKET: x\n{line}\nA: b").fields == {"A": "b"}


def test_a_setext_heading_is_no_conflict() -> None:
    assert only("# TICKET: x\nTitle\n=======\na").description == "Title\n=======\na"


def test_nothing_in_a_code_block_is_a_heading() -> None:
    block = "```md\n# TICKET: y\n## Fields\n#TICKET\n# STORY: z\n\\## Fields\n```"

    ticket = only(f"{block}\n\n# TICKET: x\n{block}\n## Tasks\n- t\n" + block.replace("\n", "\n  "))

    assert ticket.description == block
    assert ticket.tasks[0].description == block


def test_a_missing_end_of_a_code_block_is_not_made_good_by_the_next_block() -> None:
    # Each of the two later lines would close the first block and hide a ticket or the tasks.
    for hidden in ("# TICKET: y\n", "## Tasks\n- y\n"):
        for opening in ("```", "```py"):
            text = f"# TICKET: x\n{opening}\n{hidden}{opening}\nb\n```\n"
            with pytest.raises(TicketSyntaxError) as caught:
                parse(text)
            assert caught.value.line == (2 if opening == "```py" else text.count("\n"))


def test_a_code_block_without_a_heading_may_show_how_one_is_opened() -> None:
    block = "   ```\nso:\n```py\n## Notes\n   ```"

    assert only(f"# TICKET: x\n{block}").description == block


def test_a_longer_fence_may_hold_shorter_ones() -> None:
    block = "````\n# TICKET: y\n```py\n```\n````"

    assert only(f"# TICKET: x\n{block}").description == block


def test_conflict_markers_can_be_written_as_text() -> None:
    ticket = only("# TICKET: x\n\\<<<<<<< a\n```\n\\>>>>>>> b\n\\# TICKET: y\n```")

    assert ticket.description == "<<<<<<< a\n```\n>>>>>>> b\n\\# TICKET: y\n```"


def test_lines_among_the_fields_that_are_no_fields_are_remarks() -> None:
    ticket = only("# TICKET: x\n## Fields\n  # a: b\nwords\n\nA: 1\n- c\n: d\n  A : 2\n")

    assert ticket.fields == {"A": "2"}
    assert ticket.non_field_lines == ("# a: b", "words", "- c", "# : d", "# A: 1")


def test_a_value_of_several_lines_is_indented_below_a_bar() -> None:
    ticket = only(
        "# TICKET: x\n## Fields\nA: |\n  one\n\n    two\n\t\\## Fields\n\nB: |\nC: |\n\n## Tasks\n"
        "- y\n  ## Fields\n  D: |\n    three\n  ## Acceptance Criteria\n  - z\n"
        "  ## Fields\n  E: |\n    four\n    \\## Fields\n  F:\n  G: |\n    ## Description\n  text"
    )

    assert ticket.fields == {"A": "one\n\n  two\n## Fields", "B": "|", "C": "|"}
    fields = {"D": "three", "E": "four\n## Fields", "F": "", "G": "|"}
    assert ticket.tasks == (Ticket("y", None, "text", fields, ("z",)),)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("A\\: b: v", "A: b"),
        ("\\# a: v", "# a"),
        ("\\\\a: v", "\\a"),
        ("\\a: v", "\\a"),
        ("* a: v", "a"),
        ("-a: v", "-a"),
    ],
)
def test_a_field_name_may_hold_anything(line: str, name: str) -> None:
    assert only(f"# TICKET: x\n## Fields\n{line}").fields == {name: "v"}


def test_criteria_are_a_list_in_whatever_way_it_is_written() -> None:
    ticket = only(
        "# TICKET: x\n## Acceptance Criteria\n\nstray\n\n- a\nlazy\n-b\n  - nested\n    more\n"
        "  \\- dash\n\n\tafter a blank\n-\n  late\n2) numbered\n- \n---\n+ plus\n\nunindented\nagain\n"
        "- last\n### heading\n- text"
    )

    assert ticket.acceptance_criteria == (
        "a\nlazy",
        "b",
        "nested\n  more\n- dash\n\nafter a blank",
        "late",
        "numbered",
        "plus",
        "last",
    )
    assert ticket.description == "stray\n\nunindented\nagain\n\n### heading\n- text"


@pytest.mark.parametrize(
    ("lines", "criteria"),
    [
        ("- a\nb\nc", ("a\nb\nc",)),
        ("- a\n \n  b", ("a\n\nb",)),
        ("- a\n\n\t\tb", ("a\n\n\tb",)),
        ("- a\n  \\b\n    \\- c\n  \\\\- d", ("a\n\\b\n  - c\n\\- d",)),
        ("- a\n--- \nstray", ("a",)),
        ("- a\n   \nstray", ("a",)),
    ],
)
def test_a_criterion_has_all_its_lines_and_no_others(lines: str, criteria: tuple[str, ...]) -> None:
    assert only(f"# TICKET: x\n## Acceptance Criteria\n{lines}").acceptance_criteria == criteria


def test_blank_lines_may_hold_spaces() -> None:
    ticket = only("# TICKET: x\na\n \n## Fields\nA: |\n  one\n \n  two\n \n## Notes\nb")

    assert ticket.description == "a\n\n## Notes\nb"
    assert ticket.fields == {"A": "one\n\ntwo"}


def test_a_task_ends_where_the_next_ticket_begins() -> None:
    tickets = parse("# TICKET: x\n## Tasks\n- a\n# TICKET: y\n").tickets

    assert tickets == (Ticket("x", tasks=(Ticket("a"),)), Ticket("y"))


def test_words_among_the_tasks_are_kept() -> None:
    ticket = only(
        "# TICKET: x\n## Tasks\n\nbefore\n- a\n  intro\n  * point\nlazy\n \n---\nbetween\n-\n\n- b\n"
        "## Notes\n- after\n"
    )

    assert ticket.tasks == (Ticket("a", description="intro\n* point\nlazy"), Ticket("b"))
    assert ticket.description == "before\n\nbetween\n\n## Notes\n- after"


def test_an_indented_list_of_tasks_may_have_bodies() -> None:
    ticket = only(
        "# TICKET: x\n## Tasks\n   - a\n     ## Description\n     b\n       c\n   - d\n     - e\n- f\n"
    )

    assert ticket.tasks == (
        Ticket("a", description="b\n  c"),
        Ticket("d", description="- e"),
        Ticket("f"),
    )


def test_a_task_may_mention_tasks() -> None:
    ticket = only("# TICKET: x\n## Tasks\n- a\n  ## Tasks\n  - b\n  ## Fields\n  A: 1\n")

    assert ticket.tasks == (Ticket("a", description="## Tasks\n- b", fields={"A": "1"}),)


@for_each(
    "title",
    [
        *("DEMO-1", "DEMO-1 x", "demo-1: x", "DEMO\u20111 x", "DEMO-01 x", "**DEMO-1** x"),
        *("[DEMO 1] x", "[DEMO1] x", "[DEMO_1] x", "[DEMO - 1] x", "[DEMO1 x", "#DEMO-1 x"),
    ],
)
def test_a_title_that_begins_with_what_could_be_a_key_here_tells_which(title: str) -> None:
    assert mistyped_key(title, ["AB", "DEMO"]) == "DEMO-1"
    assert mistyped_key(title, ["AB"]) is None


@for_each(
    "title",
    [
        *("UTF-8 is broken", "[P1] x", "[DEMO] x", "Demo 1 for Mia", "DEMO1 x", "DEMO-0 x"),
        *("DEMO-1x", "See DEMO-1", "[DEMO-1] x", "[demo 1] x", "DEMO-x", "DEMO"),
    ],
)
def test_other_titles_are_no_slips(title: str) -> None:
    assert mistyped_key(title, ["DEMO"]) is None


PLACED = """\
# TICKET: [AB-1] A

first

## Fields
Type: Story

## Notes
under notes

## Acceptance Criteria
- one
-
  two
  more
a stray

## Description

last

## Tasks
- [AB-2] B
  ## Description
  of the task

  ```
  # code
  ```
"""


def test_each_line_of_a_description_has_its_position() -> None:
    ticket = only(PLACED)
    lines = PLACED.split("\n")

    (task,) = ticket.tasks
    for each in (ticket, task):
        for number, line in enumerate(each.description.split("\n"), start=1):
            place = each.line_numbers.of_description(number)
            assert not line or lines[place - 1].strip() == line.strip()
    assert Ticket("A", "AB-1", "first").line_numbers.of_description(1) == 0


def test_each_line_of_a_criterion_has_its_position() -> None:
    ticket = only(PLACED)
    lines = PLACED.split("\n")

    assert ticket.acceptance_criteria == ("one", "two\nmore\na stray")
    for number, criterion in enumerate(ticket.acceptance_criteria):
        for at, line in enumerate(criterion.split("\n"), start=1):
            assert lines[ticket.line_numbers.of_criterion(number, at) - 1].strip("- ") == line
    assert ticket.line_numbers.of_criterion(2, 1) == 0


def test_a_known_line_of_a_field_is_not_parsed_again() -> None:
    def cost(count: int) -> int:
        lines = [f"Field {at}: some value" for at in range(count)]
        text = "\n".join(("# TICKET: [AB-1] One", "", "## Fields", *lines, ""))
        parse(text)
        bytecodes = Bytecodes()
        with bytecodes.counted():
            assert len(parse(text).tickets[0].fields) == count
        return bytecodes.count

    assert 0 < cost(200) - cost(100) < 160 * 100


def test_nothing_is_left_to_the_garbage_collector() -> None:
    parse(FULL)  # what is made once
    gc.collect()
    gc.disable()
    try:
        parse(FULL)
        assert gc.collect() == 0
    finally:
        gc.enable()
