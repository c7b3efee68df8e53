"""Test which keys are found in files that cannot be read as tickets."""

from __future__ import annotations

import pytest

from ticketr.app.sync.workspace.store import broken_file_of, find_raw_keys

TICKET = "# TICKET: [DEMO-1] One\n\n## Tasks\n- [DEMO-2] Two\n"


def held(text: str | bytes) -> set[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return set(find_raw_keys("a.md", data).held)


@pytest.mark.parametrize(
    "data",
    [
        TICKET.encode(),
        TICKET.encode("utf-8-sig"),
        TICKET.encode("utf-16"),
        TICKET.encode("utf-32"),
        f"{TICKET}é".encode("latin-1"),
        TICKET.replace("\n", "\r\n").encode(),
        TICKET.replace("\n", "\r").encode(),
        f"<<<<<<< HEAD\n{TICKET}=======\n{TICKET}>>>>>>> main\n".encode(),
    ],
    ids=["UTF-8", "BOM", "UTF-16", "UTF-32", "Latin-1", "CRLF", "CR", "markers"],
)
def test_the_keys_of_tickets_and_their_tasks_are_found_in_any_encoding(data: bytes) -> None:
    assert held(data) == {"DEMO-1", "DEMO-2"}


@pytest.mark.parametrize(
    "line",
    [
        "# STORY: [DEMO-1] One",
        "#TICKET: [DEMO-1] One",
        "  # TICKET: [DEMO-1] One",
        "## TICKET [DEMO-1] One",
        "# TICKET: [demo-1] One",
        "# TICKET: [[DEMO-1]] One",
        "# TICKET: **[DEMO-1]** One",
        "# TICKET: DEMO-1] One",
        "# TICKET: DEMO-1 One",
        "# TICKET: [DEMO-001] One",
        "# TICKET: [DEMO\u20131] One",
    ],
)
def test_a_mistyped_heading_holds_the_key_that_was_meant(line: str) -> None:
    assert held(f"{line}\n") == {"DEMO-1"}


@pytest.mark.parametrize(
    "line", ["- [DEMO-1] One", "  * [demo-1] One", "- [ ] [DEMO-1] One", "+ **[DEMO-1]** One"]
)
def test_a_list_item_holds_a_key_below_tasks_alone(line: str) -> None:
    assert held(f"## Tasks\n{line}\n") == {"DEMO-1"}
    assert held(f"## Tasks\n- [DEMO-2] Two\n## Description\n{line}\n") == {"DEMO-2"}
    assert find_raw_keys("a.md", line.encode()).possible == {"DEMO-1"}


@pytest.mark.parametrize(
    "text", ["See [DEMO-1].", "- as in DEMO-1", "- DEMO-1 is first", "\\# TICKET: [DEMO-1] x", ""]
)
def test_a_text_about_a_ticket_does_not_hold_it(text: str) -> None:
    assert find_raw_keys("a.md", text.encode()).possible == frozenset()


def test_a_file_may_hold_the_ticket_of_its_name_and_of_any_heading() -> None:
    raw = find_raw_keys("sprint/DEMO-7.md", b"## On [DEMO-8]\n## Tasks\n- DEMO-9 later\n")

    assert raw.held == frozenset()
    assert raw.possible == {"DEMO-7", "DEMO-8", "DEMO-9"}


def test_a_broken_folder_breaks_the_files_in_it() -> None:
    assert broken_file_of("a/b/c.md", {"a/b"}) == "a/b"
    assert broken_file_of("a/b/c.md", {"a/b/c.md", "a"}) == "a/b/c.md"
    assert broken_file_of("c.md", {"."}) == "."
    assert broken_file_of("ab/c.md", {"a"}) is None
