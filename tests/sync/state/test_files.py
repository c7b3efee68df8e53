"""What the state knows of attached files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ticketr.sync.errors import StateFailed
from ticketr.sync.state.files import AskedUpload

if TYPE_CHECKING:
    from ticketr.sync.state.state import State

ASKED = AskedUpload("10", "d1", "a.png", 3, "me", frozenset({"1", "2"}))


def test_media_ids_are_kept(state: State) -> None:
    state.media.put({"7": "one", "8": "two"})
    state.media.put({"8": "three"})

    assert state.media.of(["7", "8", "9"]) == {"7": "one", "8": "three"}


def test_an_upload_is_kept_by_its_issue_and_its_content(state: State) -> None:
    state.uploads.put(ASKED)
    answered = replace(ASKED, issue="11", attachment="5")
    state.uploads.put(answered)

    assert state.uploads.of("10", "d1") == ASKED
    assert state.uploads.of("11", "d1") == answered
    assert state.uploads.of("10", "d2") is None
    state.uploads.forget(ASKED)
    assert state.uploads.of("10", "d1") is None


@pytest.mark.parametrize("wrong", [{"size": "big"}, {"before": "{"}])
def test_a_damaged_upload_is_an_error(state: State, wrong: dict[str, str]) -> None:
    state.uploads.put(ASKED)
    ((column, value),) = wrong.items()
    state._db.write(f"UPDATE upload SET {column} = ?", (value,))

    with pytest.raises(StateFailed):
        state.uploads.of("10", "d1")
