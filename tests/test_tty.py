from __future__ import annotations

import os
import pty

import pytest

from ticketr.tty import can_draw, reopen, wants_color


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"TERM": ""}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_a_terminal_can_draw_if_its_type_is_known(environ: dict[str, str], expected: bool) -> None:
    assert can_draw(environ) is expected


@pytest.mark.parametrize(
    ("environ", "by_default", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CLICOLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
    ],
)
def test_the_environment_decides_on_colour(
    environ: dict[str, str], by_default: bool, expected: bool
) -> None:
    assert wants_color(environ, by_default=by_default) is expected


def test_a_terminal_opened_again_does_not_block_and_leaves_the_other_descriptor_as_it_is() -> None:
    leader, follower = pty.openpty()
    try:
        opened, never_blocks = reopen(follower, os.O_WRONLY)

        assert (never_blocks, os.get_blocking(opened), os.get_blocking(follower)) == (
            True,
            False,
            True,
        )
        os.close(opened)
    finally:
        os.close(leader)
        os.close(follower)


def test_a_terminal_that_cannot_be_reopened_is_duplicated_and_may_block() -> None:
    reader, writer = os.pipe()
    try:
        copy, never_blocks = reopen(writer, os.O_WRONLY)

        os.write(copy, b"x")
        assert (never_blocks, os.read(reader, 1)) == (False, b"x")
        os.close(copy)
    finally:
        os.close(reader)
        os.close(writer)
