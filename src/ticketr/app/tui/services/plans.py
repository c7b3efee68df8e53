"""Makes the plan of a push or sync."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ticketr import TicketrError
from ticketr.app.sync import read_push_plan, read_state
from ticketr.app.tui import messages
from ticketr.app.tui.job_request import JobKind
from ticketr.app.tui.messages import Message
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.sync import PushPlan, Side, Store
    from ticketr.app.tui import effects
    from ticketr.app.tui.services.context import Services


async def read_plan(services: Services, effect: effects.ReadPlan) -> None:
    """Make the plan of a push or sync, and send it to the app; report an error."""
    workspace = services.workspaces[effect.workspace]
    services.newest.begin(effect)
    # A sync resolves conflicts if a side wins; a push never does.
    prefer = workspace.prefer if effect.kind is JobKind.SYNC else None
    read = partial(
        _read,
        workspace.store,
        effect.keys or None,
        project=workspace.project or None,
        prefer=prefer,
        inherit=workspace.inherit,
    )
    try:
        plan = await services.in_thread(read)
    except TicketrError as error:
        answer: Message = messages.PlanFailed(effect.workspace, clean(str(error)))
    else:
        answer = messages.PlanRead(effect.workspace, effect.kind, plan, effect.keys)
    if services.newest.is_newest(effect):
        services.send(answer)


def _read(
    store: Store,
    keys: tuple[str, ...] | None,
    *,
    project: str | None,
    prefer: Side | None,
    inherit: bool,
) -> PushPlan:
    with read_state(store) as state:
        return read_push_plan(store, state, keys, project=project, prefer=prefer, inherit=inherit)
