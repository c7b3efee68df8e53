"""Makes the plan of a push or sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import TicketrError
from ticketr.sync import read_push_plan, read_state
from ticketr.text import clean
from ticketr.tui import messages

if TYPE_CHECKING:
    from ticketr.sync import PushPlan, Store
    from ticketr.tui import effects
    from ticketr.tui.services.context import Services


async def read_plan(services: Services, effect: effects.ReadPlan) -> None:
    """Make the plan of a push or sync, and send it; an error is told."""
    workspace = services.workspaces[effect.workspace]
    keys = effect.keys or None
    try:
        plan = await services.in_thread(_read, workspace.store, keys, workspace.project)
    except TicketrError as error:
        services.send(messages.PlanFailed(effect.workspace, clean(str(error))))
    else:
        services.send(messages.PlanRead(effect.workspace, effect.kind, plan))


def _read(store: Store, keys: tuple[str, ...] | None, project: str) -> PushPlan:
    with read_state(store) as state:
        return read_push_plan(store, state, keys, project=project or None)
