from __future__ import annotations

from ticketr.app.tui import effects
from ticketr.app.tui.services.table import AT_ONCE, IN_A_TASK


def test_each_effect_is_carried_out_by_one_function() -> None:
    classes = (each for each in vars(effects).values() if isinstance(each, type))
    known = {each for each in classes if issubclass(each, effects.Effect)}
    known -= {effects.Effect, effects.InWorkspace, effects.Leave}  # the bases; Leave ends the loop

    assert set(AT_ONCE) | set(IN_A_TASK) == known
    assert not set(AT_ONCE) & set(IN_A_TASK)
