"""What one unreadable file stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.sync.errors import FileFailed
from ticketr.sync.workspace.files import unless_broken
from ticketr.tickets import TicketSyntaxError, parse


def fails(error: Exception) -> bool:
    raise error


@pytest.mark.parametrize("result", [True, False])
def test_a_change_of_a_readable_file_says_itself_whether_it_was_done(result: bool) -> None:
    assert unless_broken(lambda: result) is result


def test_a_change_of_a_file_that_cannot_be_read_is_not_done() -> None:
    alone = FileFailed(Path("a.md"), "read", "it is a folder", alone=True)

    assert not unless_broken(lambda: fails(alone))
    assert not unless_broken(lambda: bool(parse("# TICKET: [A-1] One\n<<<<<<< here\n")))
    with pytest.raises(TicketSyntaxError):
        parse("# TICKET: [A-1] One\n<<<<<<< here\n")


def test_an_error_that_concerns_every_file_is_raised() -> None:
    full = FileFailed(Path("a.md"), "write", "no space left on device")

    with pytest.raises(FileFailed, match="no space left"):
        unless_broken(lambda: fails(full))
