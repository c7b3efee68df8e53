from __future__ import annotations

import inspect
import pickle
import subprocess
import sys

import pytest

import ticketr

NAMES = {name for name in ticketr.__all__ if name not in {"JobID", "__version__"}}


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name in dir(ticketr)
        if not name.startswith("_") and not inspect.ismodule(getattr(ticketr, name))
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


def test_the_queue_is_imported_at_the_first_look_at_one_of_its_names() -> None:
    program = (
        "import sys, ticketr\n"
        "known = set(dir(ticketr))\n"
        "assert known >= set(ticketr.__all__)\n"
        "assert not {'trio', 'ticketr.jobs'} & set(sys.modules)\n"
        "ticketr.Keep\n"
        "assert known | {'jobs', '_errors'} == set(dir(ticketr))\n"
        "assert {*ticketr.__all__} <= {*vars(ticketr)}\n"
        "assert 'trio' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_import_of_everything_brings_every_name() -> None:
    program = "from ticketr import *\nimport ticketr\nassert {*ticketr.__all__} <= {*globals()}"

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["nothing", "TYPE_CHECKING_", "Any"])
def test_another_name_is_an_error_as_of_any_module(name: str) -> None:
    with pytest.raises(AttributeError, match=f"^module 'ticketr' has no attribute '{name}'$"):
        getattr(ticketr, name)


def test_a_value_and_a_class_are_pickled_by_the_name_that_users_know() -> None:
    for thing in (ticketr.JobStatus.FAILED, ticketr.Keep(jobs=3), ticketr.JobSnapshot):
        stored = pickle.dumps(thing)
        program = "import pickle, sys; print(repr(pickle.load(sys.stdin.buffer)))"
        loaded = subprocess.run(
            [sys.executable, "-c", program], input=stored, check=True, stdout=subprocess.PIPE
        )

        assert b"ticketr.jobs" not in stored
        assert loaded.stdout.decode() == f"{thing!r}\n"
