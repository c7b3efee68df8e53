"""Test the lines of a push plan."""

from __future__ import annotations

from ticketr.app.cli.plans import heading, left_lines, plan_lines, skipped_lines
from ticketr.app.sync import Action, Code, LeftAlone, PlanEntry, PlanPart, PushPlan


def shown(old: str, new: str, part: str = "Description") -> list[str]:
    """Return the lines of a plan for one changed part, without indent."""
    head, *lines = plan_lines(Action("update", "AB-1", "A", "a.md", ((part, old, new),)))
    assert head == "update AB-1 A (a.md)"
    assert all(line.startswith("    ") for line in lines)
    return [line[4:] for line in lines]


def test_a_short_part_is_one_line() -> None:
    assert shown("Low", "", "Priority") == ["Priority: Low -> (empty)"]


def test_a_status_several_transitions_away_is_shown_with_its_way() -> None:
    changes = (("Status", "To Do", "Done"), ("Priority", "Low", "High"))

    assert plan_lines(Action("update", "AB-1", "A", "a.md", changes, ("In Progress",)))[1:] == [
        "    Status: To Do > In Progress > Done (2 transitions)",
        "    Priority: Low -> High",
    ]


def test_of_a_text_the_lines_that_differ_are_shown_and_no_others() -> None:
    old = "The same.\n\nOne word.\nGone.\n\nThe end."
    new = "The same.\n\nOne wort.\n\nThe end.\nMore."

    assert shown(old, new) == [
        "Description:",
        "    - One word.",
        "    + One wort.",
        "    - Gone.",
        "    + More.",
    ]


def test_a_long_line_is_cut_around_the_difference() -> None:
    same, rest = "x" * 200, "y" * 200

    assert shown(f"{same}old{rest}", f"{same}new{rest}") == [
        "Description:",
        f"    - ...{'x' * 20}old{'y' * 37}...",
        f"    + ...{'x' * 20}new{'y' * 37}...",
    ]


def test_the_end_of_a_long_line_is_shown_in_full() -> None:
    same = "x" * 200

    assert shown(f"{same}a", f"{same}b")[1:] == [
        f"    - ...{'x' * 59}a",
        f"    + ...{'x' * 59}b",
    ]


def test_many_lines_are_counted() -> None:
    old = "\n".join(f"old {number}" for number in range(10))
    new = "\n".join(f"new {number}" for number in range(10))

    lines = shown(old, new)

    assert lines[-1] == "    ... and 12 more lines; ticketr diff shows them all"
    assert lines[1:3] == ["    - old 0", "    + new 0"]
    assert len(lines) == 10


def test_blank_lines_alone_are_named() -> None:
    assert shown("a\nb", "a\n\nb") == ["Description:", "    (blank lines)"]


def test_a_draft_is_shown_by_the_beginning_of_each_part() -> None:
    parts = (("Title", "", "New"), ("Description", "", "word " * 100))

    assert plan_lines(Action("create", "", "New", "new.md", parts)) == [
        "create New (new.md)",
        "    Title: New",
        f"    Description: {'word ' * 12}...",
    ]


def test_an_entry_of_a_plan_is_shown_like_an_action() -> None:
    part = PlanPart("Priority", "Low", "High")

    assert plan_lines(PlanEntry("AB-1", "A", "a.md", 1, (part,))) == [
        "update AB-1 A (a.md)",
        "    Priority: Low -> High",
    ]
    assert heading(PlanEntry("", "New", "a.md", 1, ())) == "create New (a.md)"


def test_what_is_left_alone_is_listed_and_what_was_not_named_is_counted() -> None:
    def left(number: int, code: Code) -> LeftAlone:
        return LeftAlone(f"AB-{number}", "A", f"{number}.md", 1, "why", code)

    broken = LeftAlone("", "", "bad.md", 2, "bad.md:2:1: why", Code.BROKEN)
    some = [left(1, Code.CONFLICT), broken, left(2, Code.UNNAMED)]
    assert left_lines(some) == [
        "left alone: AB-1 (1.md): why",
        "left alone: bad.md: bad.md:2:1: why",
        "left alone: 1 more that was not named",
    ]
    assert skipped_lines(PushPlan((), tuple(some))) == ["left alone: 1 more that was not named"]
    many = left_lines([left(number, Code.UNPULLED) for number in range(23)])
    assert (len(many), many[-1]) == (21, "... and 3 more; ticketr status lists them all")
