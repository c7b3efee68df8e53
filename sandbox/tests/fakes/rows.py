"""Run a test for all rows of a table in one go."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import pytest

#: `pytest.raises` fails by an error that is no `Exception`. A row that skips would skip the others.
FAILURES: Final = (Exception, pytest.fail.Exception, pytest.skip.Exception)


def for_each(
    names: str | Sequence[str], rows: Iterable[Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test once with each row, and report all rows that fail.

    `pytest.mark.parametrize` makes a test of each row, which costs more than what many of them do.
    Use it where a test needs no fixture, or one that does not mind to serve all rows.

    Args:
        names: The names of the arguments, as for `pytest.mark.parametrize`.
        rows: The values of the arguments; of a single one its value alone.
    """
    keys = names.replace(" ", "").split(",") if isinstance(names, str) else names
    table = [dict(zip(keys, row if len(keys) > 1 else [row], strict=True)) for row in rows]
    assert table, f"no rows for {names}"

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        assert not isinstance(function, type), "pytest would collect none of its tests"
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_all(*self: Any, **fixtures: Any) -> None:
                failures: list[BaseException] = []
                for row in table:
                    try:
                        await function(*self, **fixtures, **row)
                    except* FAILURES as group:
                        failures.append(with_row(group, row))
                report(failures)

        else:

            @functools.wraps(function)
            def run_all(*self: Any, **fixtures: Any) -> None:
                failures: list[BaseException] = []
                for row in table:
                    try:
                        function(*self, **fixtures, **row)
                    except* FAILURES as group:
                        failures.append(with_row(group, row))
                report(failures)

        given = inspect.signature(function)
        left = [given.parameters[name] for name in given.parameters if name not in keys]
        run_all.__signature__ = given.replace(parameters=left)  # type: ignore[attr-defined]
        return run_all

    return decorate


def with_row(group: BaseExceptionGroup[Any], row: dict[str, Any]) -> BaseException:
    error: BaseException = group.exceptions[0] if len(group.exceptions) == 1 else group
    error.add_note(f"with {row!r}")
    return error


def report(failures: Sequence[BaseException]) -> None:
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} rows fail", failures)
