from __future__ import annotations

import inspect

import pytest

import ticketr

NAMES = {name for name in ticketr.__all__ if name not in {"JobID", "__version__"}}


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name, value in vars(ticketr).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }

    assert ticketr.__all__ == sorted(ticketr.__all__)
    assert public == set(ticketr.__all__) - {"__version__"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_has_the_module_ticketr(name: str) -> None:
    assert getattr(ticketr, name).__module__ == "ticketr"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_and_its_methods_are_explained(name: str) -> None:
    thing = getattr(ticketr, name)
    members = vars(thing).items() if inspect.isclass(thing) else ()

    silent = [
        member
        for member, value in members
        if not member.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property))
        and not inspect.getdoc(value)
    ]

    assert inspect.getdoc(thing)
    assert silent == []


def test_the_errors_have_one_base() -> None:
    errors = [value for value in vars(ticketr).values() if inspect.isclass(value)]

    raised = [error for error in errors if issubclass(error, Exception)]

    assert len(raised) == 13
    assert all(issubclass(error, ticketr.TicketrError) for error in raised)
