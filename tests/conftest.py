"""Settings of Hypothesis, a watchdog for async tests, and Ctrl+C for all tests.

A deadlock under ``autojump_clock`` would spin forever, since no deadline is left to jump to. So
each such test runs under a distant deadline. The clock jumps to it, and the test fails at once, at
the line that waits. A fixture cannot do this, because the test function runs in its own task.

A test in real time has a deadline before that of pytest-timeout, which raises wherever the process
is. If that is Trio's wait for events, the run never ends, and the next tests cannot start theirs:
"Attempted to call run() from inside a run()".
"""

from __future__ import annotations

import functools
import gc
import inspect
import logging
import math
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from typing import Any

import pytest
import trio
from fakes.examples import IN_STRESS, USUAL
from hypothesis import Phase, settings
from trio.testing import MockClock

# By default Hypothesis fails a test whose example takes 0.2 s, which a busy machine makes of any.
# The gate draws the same examples each time, so that no rare one fails it by chance.
settings.register_profile(
    "usual", settings(), deadline=None, max_examples=USUAL, derandomize=not IN_STRESS
)
settings.load_profile("usual")
# For `make mutants`: a failure has to be seen, not explained.
settings.register_profile(
    "mutants",
    settings.get_profile("usual"),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)

FAR_AWAY = 1e6
"""Seconds of virtual time; no test has so much to wait for."""


#: Why an async test skips.
REASON = pytest.StashKey[str]()


def watched(
    function: Callable[..., Awaitable[object]], seconds: float, item: pytest.Item
) -> Callable[..., Awaitable[None]]:
    """Run the test under a deadline, and note why it skips."""

    @functools.wraps(function)
    async def watch(**fixtures: object) -> None:
        try:
            with trio.fail_after(seconds):
                await function(**fixtures)
        except pytest.skip.Exception as skipped:
            item.stash[REASON] = str(skipped)
            raise

    return watch


def run_in_virtual_time(
    main: Callable[..., Awaitable[object]],
    *,
    clock: trio.abc.Clock | None,
    instruments: Sequence[trio.abc.Instrument],
) -> object:
    """Run a test on the clock of its own signature, or of a fixture that it uses."""
    return trio.run(main, clock=clock or MockClock(autojump_threshold=0), instruments=instruments)


def pytest_collection_finish() -> None:
    """Keep the modules and the thousands of tests out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    if not isinstance(item, pytest.Function):
        return
    hypothesis: Any = getattr(item.obj, "hypothesis", None)
    if hypothesis is not None:
        item.add_marker("laws")  # `make stress` draws more examples
    if not inspect.iscoroutinefunction(item.obj):
        return
    is_virtual = not {"autojump_clock", "mock_clock"}.isdisjoint(item.fixturenames)
    seconds = FAR_AWAY if is_virtual else 0.9 * timeout_of(item)
    if "autojump_clock" in item.fixturenames:
        item.add_marker(pytest.mark.trio(run=run_in_virtual_time))
    if hypothesis is None:
        item.obj = watched(item.obj, seconds, item)
    elif not hasattr(hypothesis.inner_test, "__wrapped__"):
        hypothesis.inner_test = watched(hypothesis.inner_test, seconds, item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Give a skipped async test its reason again, which pytest-trio drops."""
    try:
        yield
    except pytest.skip.Exception:
        if REASON in item.stash:
            pytest.skip(item.stash[REASON])
        raise


def timeout_of(item: pytest.Item) -> float:
    """Return the seconds after which pytest-timeout ends a test; 0 is never."""
    marker = item.get_closest_marker("timeout")
    option = item.config.getoption("timeout") if marker is None else marker.args[0]
    seconds = item.config.getini("timeout") if option is None else option
    return float(seconds) or math.inf


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage during a test that is marked so, nor of the processes that it starts."""
    if item.get_closest_marker("unmeasured") is None:
        return (yield)
    tracer = sys.gettrace()
    hidden = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("COVERAGE_")}
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        os.environ.update(hidden)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Fail a test that leaves a run of Trio behind, not the next test that starts one."""
    try:
        return (yield)
    finally:
        assert not trio.lowlevel.in_trio_run(), "the test leaves a run of Trio behind"


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Let SIGINT interrupt all tests and the processes that they start.

    A shell ignores SIGINT in background jobs, and their children inherit that.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Restore logging: a command adds a handler for the standard error of its test, and sets levels."""
    root = logging.getLogger()
    handlers, levels = [*root.handlers], _levels()
    yield
    for each in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(each)
    for logger, level in levels.items():
        if logger.level != level:
            logger.setLevel(level)


def _levels() -> dict[logging.Logger, int]:
    loggers = logging.Logger.manager.loggerDict.values()
    return {each: each.level for each in loggers if isinstance(each, logging.Logger)}
