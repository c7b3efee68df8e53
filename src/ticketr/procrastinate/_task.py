"""A Trio function as a task of Procrastinate, and the check of what is submitted."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

from procrastinate import App, BaseRetryStrategy, JobContext as EngineContext, RetryDecision

from ticketr import GiveUp, NotSendable

if TYPE_CHECKING:
    from procrastinate.jobs import Job, JobDeferrer
    from procrastinate.tasks import Task

    from ticketr import JobContext

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)

WORKER_KEY: Final = "ticketr_worker"
"""The name under which a worker puts itself into the context of its jobs."""


class Requeued(Exception):
    """A job goes back to the engine, to be started again."""


class RequeueOrRetryRule(BaseRetryStrategy):
    """Starts a job again that its worker has given back; else, the rule of the task holds."""

    def __init__(self, rule: BaseRetryStrategy | None) -> None:
        self._rule = rule

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when the job starts again; None for never."""
        if isinstance(exception, Requeued):
            # Its last attempt may still clean up here.
            return RetryDecision(retry_in={"seconds": 1})
        if self._rule is None or isinstance(exception, GiveUp):
            return None
        return self._rule.get_retry_decision(exception=exception, job=job)


class Deferrer:
    """Submits a job with options, as ``Task.configure()`` of the engine gives one.

    Each method checks first whether JSON can carry the arguments: ``defer``, ``defer_async``,
    ``batch_defer`` and ``batch_defer_async``.
    """

    def __init__(self, name: str, deferrer: JobDeferrer | Task[Any, Any, Any]) -> None:
        self._name = name
        self._deferrer = deferrer

    def __getattr__(self, method: str) -> Any:
        """Return a method of the engine's, which checks the arguments first."""
        submit = getattr(self._deferrer, method)

        def checked(*jobs: dict[str, Any], **arguments: Any) -> Any:
            return submit(*map(self._check_arguments, jobs), **self._check_arguments(arguments))

        return checked

    def _check_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for name, value in arguments.items():
            check_round_trip(f"argument {name!r} of {self._name}", value)
        return arguments


class TrioTask(Protocol[P, T_co]):
    """An async function that is a task of Procrastinate, too.

    Attributes:
        task: The task, for what else the engine can do with it.
        configure: Returns what submits a job with options of the engine, such as ``priority``.
        defer: Submits a job, with its arguments by name, and returns its ID.
        defer_async: The same for asyncio programs.
        batch_defer: Submits many jobs at once, each a dict of arguments.
        batch_defer_async: The same for asyncio programs.
    """

    task: Task[Any, Any, Any]

    def __call__(
        self, context: JobContext, /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T_co]:
        """Run the function in Trio, as a job of any queue."""
        ...

    configure: Callable[..., Deferrer]
    defer: Callable[..., int]
    defer_async: Callable[..., Awaitable[int]]
    batch_defer: Callable[..., list[int]]
    batch_defer_async: Callable[..., Awaitable[list[int]]]


def trio_task(
    app: App, *, timeout: float | None = None, **options: Any
) -> Callable[[Callable[Concatenate[JobContext, P], Awaitable[T_co]]], TrioTask[P, T_co]]:
    """Make a Trio function a task of Procrastinate.

    The function is returned as it is, with the methods of :class:`TrioTask`. So it still is a job of
    any queue in memory or with a store.

    Args:
        app: The app of Procrastinate.
        timeout: The seconds that each attempt may take; None for no limit.
        options: Those of ``app.task()``: ``name, queue, priority, retry, lock, queueing_lock`` and
            so on. The default name has the function's module.

    Raises:
        TypeError, ValueError: An option is invalid.
    """
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}")

    def decorate(function: Callable[Concatenate[JobContext, P], Awaitable[T_co]]) -> Any:
        async def run_in_trio(context: EngineContext, /, **arguments: Any) -> Any:
            worker = context.additional_context.get(WORKER_KEY)
            if worker is None:
                raise RuntimeError(
                    f"{context.job.task_name} runs under Trio: start the worker with"
                    " 'python -m ticketr.procrastinate worker' in place of 'procrastinate worker'"
                )
            return await worker.run_job(context, partial(function, **arguments), timeout=timeout)

        name = options.get("name") or f"{function.__module__}.{function.__qualname__}"
        task = app.task(**{**options, "name": name, "pass_context": True})(run_in_trio)
        task.retry_strategy = RequeueOrRetryRule(task.retry_strategy)
        tasked, deferrer = cast("Any", function), Deferrer(name, task)
        tasked.task = task
        tasked.configure = lambda **given: Deferrer(name, task.configure(**given))
        for method in ("defer", "defer_async", "batch_defer", "batch_defer_async"):
            setattr(tasked, method, getattr(deferrer, method))
        return tasked

    return decorate


def check_round_trip(what: str, value: object) -> None:
    """Check that a value comes back from JSON as it is.

    Raises:
        NotSendable: It would come back as another one, or not at all.
    """
    try:
        back = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSendable(what, reprlib.repr(value), f"is no JSON: {error}") from None
    if repr(back) != repr(value):  # which tells types apart, too
        raise NotSendable(what, reprlib.repr(value), f"would come back as {reprlib.repr(back)}")
