from __future__ import annotations

from dataclasses import replace

from fakes.states import app_state

from ticketr.tickets import Ticket


def test_of_a_ticket_in_conflict_only_the_sub_tasks_that_clash_have_the_mark() -> None:
    tasks = (Ticket("One", "DEMO-2"), Ticket("Two", "DEMO-3"), Ticket("Three"))
    view = app_state(Ticket("Whole", "DEMO-1", tasks=tasks), Ticket("Other", "DEMO-5")).workspace
    view = replace(view, conflicts={"DEMO-1": ("DEMO-3: Labels",)})

    flags = [(each.row.title, view.flag(each.row)) for each in view.visible]

    assert flags == [("Whole", "!"), ("One", " "), ("Two", "!"), ("Three", "+"), ("Other", " ")]
