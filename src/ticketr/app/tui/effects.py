"""Effects as values, and the jobs that they ask for: functions of `services` carry them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias, TypeVarTuple, Unpack

#: Gives the `state.Step` for what has come of a call, of the state and that.
StepOnCallEnd: TypeAlias = Callable[[Any, Any], Any]
Ts = TypeVarTuple("Ts")


class JobKind(Enum):
    """The kind of a job; the value is its verb."""

    PULL = "pull"
    PUSH = "push"
    SYNC = "sync"
    BULK = "bulk"
    WORKLOG = "worklog"
    ATTACH = "attach"


#: The kinds of jobs that have a plan or bring tickets, and can be run again.
SYNC_KINDS = frozenset((JobKind.PULL, JobKind.PUSH, JobKind.SYNC))


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job is asked to do.

    Attributes:
        kind: The kind of the job.
        issue_keys: The keys of the tickets to which it is limited; empty for all.
        options: The options of its kind, as its class in `sync` takes them.
    """

    kind: JobKind
    issue_keys: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """Something that the app does outside of its state: a function of `services`.

    An async function runs in a task of its own; what it returns or raises is the answer, an
    `CallEnded`, unless it returns None or another message. Another function is called at once, and
    the app handles the message that it returns before anything else.

    Attributes:
        function: The function; it gets the services before the arguments.
        args: The arguments.
        required_workspace: The name of the workspace that has to be open first; empty for none.
        step_on_success: Gives the step for what it returns, of the state and that, if no overlay takes it.
        step_on_failure: Gives the step for a failure, of the state and the `CallEnded`, if no overlay takes
            it; None to name the problem.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    required_workspace: str = ""
    step_on_success: StepOnCallEnd | None = field(default=None, compare=False, repr=False)
    step_on_failure: StepOnCallEnd | None = field(default=None, compare=False, repr=False)


def call(function: Callable[[Any, Unpack[Ts]], object], *args: *Ts) -> ServiceCall:
    """Return the call of a function that needs no workspace."""
    return ServiceCall(function, args)


def call_in(
    workspace: str, function: Callable[[Any, str, Unpack[Ts]], object], *args: *Ts
) -> ServiceCall:
    """Return the call of a function on a workspace, which has to be open; its name is the first argument."""
    return ServiceCall(function, (workspace, *args), workspace)
