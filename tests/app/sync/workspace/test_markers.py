"""Files in which conflict markers stand."""

from __future__ import annotations

import os
from pathlib import Path

from ticketr.app.sync import ConflictMarker, Store, find_conflict_marker, find_conflict_markers

HEADING = b"# TICKET: [DEMO-1] A\n"


def test_the_first_marker_of_a_ticket_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(HEADING + b"\r\n<<<<<<< here\r\n=======\r\n>>>>>>> Jira\r\n")
    (tmp_path / "b.md").write_bytes(HEADING + b"\n\\<<<<<<< words\n")
    (tmp_path / "c.md").write_bytes(b"<<<<<<< of something else\n")

    assert [*find_conflict_markers(Store(tmp_path, ".ticketr"))] == [ConflictMarker("a.md", 3)]


def test_what_cannot_be_read_holds_none_as_far_as_we_know(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes(HEADING + b"\n<<<<<<< h\xe9\n")
    (tmp_path / "folder.md").mkdir()
    store = Store(tmp_path, ".ticketr")

    found = [find_conflict_marker(store, name) for name in ("latin.md", "folder.md", "none.md")]

    assert found == [None, None, None]


def test_a_named_pipe_in_a_tickets_place_holds_up_no_search(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ABC-1.md")
    (tmp_path / "b.md").write_bytes(HEADING + b"\n<<<<<<< here\n")

    assert [*find_conflict_markers(Store(tmp_path, ".ticketr"))] == [ConflictMarker("b.md", 3)]
