"""Which modules a worker runs jobs of."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

from ticketr._errors import TicketrError
from ticketr.jobs._adapters import InThread, Plain

if TYPE_CHECKING:
    from collections.abc import Collection


class NotAllowed(TicketrError):
    """What a job fails with if its module is not one that the worker was started for."""


def check_module(module: str, modules: Collection[str] | None) -> None:
    """Refuse a module that the worker was not started for.

    Args:
        module: The module.
        modules: Those that it was started for; None for all.

    Raises:
        NotAllowed: It is neither one of them nor inside one of them.
    """
    if modules is None:
        return
    if not any(module == each or module.startswith(f"{each}.") for each in modules):
        raise NotAllowed(
            f"the worker does not run jobs of module {module!r}: start it with that module,"
            f" beside {', '.join(sorted(modules))}"
        )


def module_of(job: Any) -> str:
    """Return the module of a job's function, or of its class."""
    while isinstance(job, (functools.partial, Plain, InThread)):
        job = job.func if isinstance(job, functools.partial) else job.function
    named: Any = job if hasattr(job, "__qualname__") else cast("Any", type(job))
    return str(named.__module__)
