from __future__ import annotations

import pickle

from ticketr.terminal import NotATerminal


def test_the_message_says_what_is_missing_and_what_to_do() -> None:
    error = NotATerminal("standard input is not a terminal")

    assert str(error) == (
        "the full-screen app needs a terminal: standard input is not a terminal; "
        "use --plain instead"
    )
    assert pickle.loads(pickle.dumps(error)).problem == error.problem
