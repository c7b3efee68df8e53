from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from jira_sandbox import BadFaults, CannotListen, DataFailed, OtherSeed, SandboxError

ERRORS: list[tuple[SandboxError, str]] = [
    (
        CannotListen("localhost", 80, "Permission denied"),
        "cannot listen on localhost port 80: Permission denied; port 0 takes any free port",
    ),
    (
        CannotListen("localhost", 8080, "Address already in use", "a.db"),
        (
            "cannot listen on localhost port 8080: Address already in use; workspaces use this address "
            "for the site in a.db, so stop the program that uses the port, or start a new site"
        ),
    ),
    (BadFaults("x", "no"), "the faults 'x' are invalid: no"),
    (DataFailed(Path("a.db"), "no room"), "the site's file a.db cannot be used: no room"),
    (
        OtherSeed(Path("a.db"), "seed", 2, "1"),
        (
            "the site in a.db was made with --seed 1, not 2: leave the option out to use this site, "
            "or give another file"
        ),
    ),
]


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_an_error_words_its_own_message_also_after_pickle(
    error: SandboxError, message: str
) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), vars(copy)) == (type(error), vars(error))
    assert str(copy) == str(error) == message
