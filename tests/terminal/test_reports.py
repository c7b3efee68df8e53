from __future__ import annotations

import pytest

from ticketr.terminal import Focused, Mouse, MouseAction
from ticketr.terminal.reports import is_report, read_report
from ticketr.terminal.tokens import Tokenizer


@pytest.mark.parametrize(
    ("token", "event"),
    [
        ("\x1b[<0;1;1M", Mouse(MouseAction.CLICK, 0, 0)),
        ("\x1b[<4;10;3M", Mouse(MouseAction.CLICK, 9, 2)),
        ("\x1b[<64;80;24M", Mouse(MouseAction.WHEEL_UP, 79, 23)),
        ("\x1b[<65;80;24M", Mouse(MouseAction.WHEEL_DOWN, 79, 23)),
        ("\x1b[<0;1;1m", None),
        ("\x1b[<2;1;1M", None),
        ("\x1b[I", Focused()),
        ("\x1b[O", None),
    ],
)
def test_a_report_becomes_an_event_or_nothing(token: str, event: Mouse | Focused | None) -> None:
    assert is_report(token)
    assert read_report(token) == event
    assert Tokenizer().feed(f"a{token}b") == ["a", token, "b"]


@pytest.mark.parametrize("token", ["\x1b[A", "\x1b", "q", "\x1bOI", "\x1b[<0;1M"])
def test_a_key_is_no_report(token: str) -> None:
    assert not is_report(token)
