"""Test that the work grows linearly with the input.

Work is counted in calls, not in seconds. The work inside one call of a regular expression is not
counted, so there are long lines too: a scan that starts again at each of their characters would
exceed the test's time limit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import pytest

from ticketr.app.tickets import Ticket, TicketSyntaxError, parse, render, rewrite, set_fields

HEAD = "# TICKET: x\n"
LINES = {
    "blank lines": ("", "\n", ""),
    "text": (HEAD, "text\n", ""),
    "tickets": ("", "# TICKET: x\na\n\n", ""),
    "code blocks": (HEAD, "```\n# TICKET: y\n```\n", ""),
    "open code blocks": (HEAD, "```py\n", ""),
    "open code blocks of all lengths": (HEAD, "~~~~ a\n~~~ a\n", "~~~~~"),
    "fields": (f"{HEAD}## Fields\n", "A: |\n  b\n\n", ""),
    "empty blocks": (f"{HEAD}## Fields\n", "A: |\n\n\n", ""),
    "the same field": (f"{HEAD}## Fields\n", "A: b\nA: c\n", ""),
    "criteria": (f"{HEAD}## Acceptance Criteria\n", "- a\n\n  b\n", ""),
    "blank lines in a criterion": (f"{HEAD}## Acceptance Criteria\n- a\n", "\n", "  b"),
    "stray lines": (f"{HEAD}## Acceptance Criteria\n", "\nstray\n", ""),
    "stray blank lines": (f"{HEAD}a\n", "\n## Tasks\n\nb\n", ""),
    "tasks": (f"{HEAD}## Tasks\n", "- a\n  b\n", ""),
    "indented tasks": (f"{HEAD}## Tasks\n", "   - a\n     b\n", ""),
    "empty tasks": (f"{HEAD}## Tasks\n", "-\n\n", ""),
    "nested tasks": (f"{HEAD}## Tasks\n- a\n", "  - b\n", ""),
    "gaps": ("", "# TICKET: x\n\n\n\n", ""),
}


def calls(work: Callable[[], object]) -> int:
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with suppress(TicketSyntaxError):
            work()
    finally:
        sys.setprofile(before)
    return counted


def is_linear(work: Callable[[int], object]) -> bool:
    small, large = (calls(lambda size=size: work(size)) for size in (300, 1200))  # type: ignore[misc]
    return large < 4.4 * small


@pytest.mark.parametrize("name", LINES)
def test_parsing_is_linear_in_the_number_of_lines(name: str) -> None:
    head, line, tail = LINES[name]

    assert is_linear(lambda size: parse(head + line * size + tail))


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", LINES)
def test_rendering_is_linear_in_the_number_of_lines(name: str) -> None:
    head, line, tail = LINES[name]

    def work(size: int) -> str:
        text = head + line * size + tail
        ticket = Ticket("x", None, text, {"A": text}, (text,), (Ticket("t", None, text),))
        return render([ticket], preamble=text)

    assert is_linear(work)


def test_replacing_is_linear_in_the_number_of_tickets() -> None:
    assert is_linear(lambda size: rewrite(parse(HEAD * size), {size // 2: Ticket("y")}).text)


@pytest.mark.unmeasured
@pytest.mark.parametrize("ticket", [f"{HEAD}## Fields\nA: 1\n\n", f"{HEAD}\nText.\n\n"])
def test_changing_fields_is_linear_in_the_number_of_tickets(ticket: str) -> None:
    def work(size: int) -> None:
        places: list[tuple[int, int | None]] = [(index, None) for index in range(size)]
        set_fields(parse(ticket * size), {each: {"A": "2"} for each in places})

    assert is_linear(work)


def test_the_count_would_show_quadratic_work() -> None:
    assert not is_linear(
        lambda size: [len(str(a + b)) for a in range(size // 20) for b in range(a)]
    )


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "unit",
    [
        *(
            " ",
            "\t",
            "#",
            "# ",
            "`",
            "~",
            "```a",
            "\\",
            "\\`",
            "\\:",
            "-",
            "- ",
            "[",
            "[ ",
            "[A",
            "]",
        ),
        *(":", "|", "<", "1", "A", "A-1", "\ufeff", " #", "# TICKET", "\x0b", "\u2028", "a "),
    ],
)
@pytest.mark.parametrize(
    "head",
    [
        *("", "# TICKET:", "# TICKET: [", "# TICKET: x\n", "# TICKET: x\n## Fields", "#"),
        *("# TICKET: x\n## Fields\n", "# TICKET: x\n## Fields\na: |\n  ", "# TICKET: x\n\\"),
        *("# TICKET: x\n## Acceptance Criteria\n- a\n  ", "# TICKET: x\n## Tasks\n- ["),
        *("# TICKET: x\n## Tasks\n-", "# TICKET: x\n## Tasks\n- a\n  ", "# TICKET: x\n```"),
    ],
)
def test_a_long_line_is_read_and_written_in_one_pass(head: str, unit: str) -> None:
    line = unit * (50_000 // len(unit)) + "x"

    with suppress(TicketSyntaxError):
        parse(head + line)
    ticket = Ticket(line, None, line, {line: line}, (f"a\n{line}",), remarks=(line,))
    assert parse(render([ticket])).tickets == (ticket,)
