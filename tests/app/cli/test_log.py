"""Test ``ticketr log``."""

from __future__ import annotations

import pytest
from fakes.users import User


def test_work_is_recorded(someone: User) -> None:
    told = someone.runs("log", "demo-1", "1d", "4h", "Wrote", "the tests")

    assert (told.code, told.out) == (0, "logged 1d 4h on DEMO-1\n")
    assert [each.seconds for each in someone.finds("DEMO-1").worklogs] == [12 * 3600]


def test_it_is_printed_as_json(someone: User) -> None:
    told = someone.runs("log", "DEMO-1", "1h 30m", "--json")
    failed = someone.runs("log", "DEMO-99", "1h", "--json")

    (record,) = someone.finds("DEMO-1").worklogs
    assert told.json == {
        "status": "completed",
        "message": "Logged 1h 30m on DEMO-1",
        "key": "DEMO-1",
        "id": str(record.id),
        "spent": "1h 30m",
    }
    assert (failed.code, failed.json["status"], failed.json["error"]) == (1, "failed", "NotFound")


@pytest.mark.parametrize("arguments", [["DEMO-1"], ["DEMO-1", "lunch"], ["x", "2h"]])
def test_wrong_usage_is_refused(someone: User, arguments: list[str]) -> None:
    assert someone.runs("log", *arguments).code == 2


def test_a_refusal_is_told(someone: User) -> None:
    told = someone.runs("log", "DEMO-99", "1h")

    assert (told.code, told.out) == (1, "")
    assert "Issue does not exist" in told.err


def test_a_text_that_cannot_be_sent_is_refused_in_words(someone: User) -> None:
    told = someone.runs("log", "DEMO-1", "1h", "<!-- no -->")

    assert told.code == 1
    assert 'Log work failed: "<!-- no -->": the HTML comment' in told.err
    assert "BadWork" not in told.err
