from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import trio

import ticketr
from ticketr import (
    CancelCause,
    DuplicateJob,
    HistoryFailed,
    JobCancelled,
    JobError,
    JobFailed,
    JobTimedOut,
    NotSendable,
    QueueClosed,
    QueueFull,
    StoreFailed,
    StoreInUse,
    TicketrError,
    TooManyKills,
    UnknownJob,
    WouldDeadlock,
)

ERRORS: list[tuple[TicketrError, str]] = [
    (QueueClosed(), "the job queue is closed: it takes no more jobs"),
    (QueueFull(3), "3 jobs wait for a worker already: await submit() to wait for room"),
    (UnknownJob("x"), "no job 'x' is known: it never was, or its record was dropped"),
    (DuplicateJob("x"), "job 'x' has not ended: its ID is free again once it has"),
    (WouldDeadlock("x", "itself"), "job 'x' would wait for ever for itself"),
    (HistoryFailed("a.db", "no room"), "the job history a.db cannot be used: no room"),
    (NotSendable("argument 1", "(1,)", "is bad"), "argument 1 cannot be sent: (1,) is bad"),
    (StoreFailed("a.db", "no room"), "the store of jobs a.db cannot be used: no room"),
    (
        StoreInUse("a.db", 12),
        "the store of jobs a.db is open in process 12: a store has one queue at a time",
    ),
    (
        StoreInUse("a.db", None),
        "the store of jobs a.db is open in another process: a store has one queue at a time",
    ),
    (TooManyKills(1), "the process ended once while the job ran, and it may not be started again"),
    (
        TooManyKills(3),
        "the process ended 3 times while the job ran, and it may not be started again",
    ),
    (JobFailed("x", "pull", "ValueError", "no"), "job 'x' (pull) failed: ValueError: no"),
    (JobFailed("x", "pull", "ValueError", ""), "job 'x' (pull) failed: ValueError"),
    (
        JobCancelled("x", "pull", CancelCause.USER),
        "job 'x' (pull) was cancelled (cause: user)",
    ),
    (JobTimedOut("x", "pull", 1.5), "job 'x' (pull) timed out after 1.5 s"),
]


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_an_error_builds_its_own_message(error: TicketrError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize("error", [error for error, _ in ERRORS])
def test_an_error_survives_pickle_with_its_facts(error: TicketrError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_errors_raised_by_result_have_one_base_class() -> None:
    assert all(issubclass(error, JobError) for error in (JobFailed, JobCancelled, JobTimedOut))


def test_a_full_queue_is_an_error_of_trios_too() -> None:
    assert QueueFull.__mro__[1:3] == (TicketrError, trio.WouldBlock)
    with pytest.raises(trio.WouldBlock, match="3 jobs"):
        raise QueueFull(3)


def test_the_module_of_errors_loads_no_trio() -> None:
    program = "import ticketr._errors, sys; sys.exit('trio' in sys.modules)"
    path = Path(ticketr.__file__).parent
    alone = f"import sys, types; sys.modules['ticketr'] = m = types.ModuleType('ticketr'); m.__path__ = [{str(path)!r}]; {program}"
    assert subprocess.run([sys.executable, "-c", alone], check=False).returncode == 0
