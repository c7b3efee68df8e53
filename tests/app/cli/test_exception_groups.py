"""Test that errors in groups, as nurseries raise them, are printed as the errors inside."""

from __future__ import annotations

import click
import pytest
from fakes.users import User

from ticketr._errors import TicketrError
from ticketr.app.cli import app
from ticketr.app.sync import DuplicateKey

OURS = DuplicateKey("A-1", "a.md", "b.md")


def group(*errors: BaseException) -> BaseException:
    return BaseExceptionGroup("Exceptions from Trio nursery", errors)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (group(OURS), 1, "ticketr: A-1 is in a.md and in b.md; keep one of them\n"),
        (group(ValueError("x"), group(group(OURS))), 1, f"ticketr: {OURS}\n"),
        (group(OURS, KeyboardInterrupt()), 130, "ticketr: interrupted\n"),
        (group(click.UsageError("say which")), 2, "ticketr: say which\n"),
        (group(group(click.Abort())), 130, "\nticketr: interrupted\n"),
        (group(SystemExit(3), OURS), 3, ""),
        (group(SystemExit("no")), 1, ""),
    ],
)
def test_the_errors_in_a_group_are_reported(
    someone: User, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(app.cli, "main", fails)

    told = someone.runs("status")

    assert (told.code, told.err) == (code, words)


def test_an_unexpected_error_is_named_and_not_its_group(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep: BaseException = ZeroDivisionError("oh")
    for _ in range(5000):
        deep = group(deep)

    def fails(**_: object) -> None:
        raise deep

    monkeypatch.setattr(app.cli, "main", fails)

    told = someone.runs("status")

    assert told.code == 1
    assert "(ZeroDivisionError: oh)" in told.err
    assert "Trio nursery" not in told.err
    assert not isinstance(deep, TicketrError)
