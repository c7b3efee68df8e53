from __future__ import annotations

from dataclasses import replace

from fakes.bytecodes import Bytecodes
from fakes.states import after, app_state, tickets_of

from ticketr.app.tickets import Ticket, parse_filter
from ticketr.app.tui.messages import FilesRead, TicketsFound
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.tree import arrange


def test_of_a_ticket_in_conflict_only_the_sub_tasks_that_clash_have_the_mark() -> None:
    tasks = (Ticket("One", "DEMO-2"), Ticket("Two", "DEMO-3"), Ticket("Three"))
    view = app_state(Ticket("Whole", "DEMO-1", tasks=tasks), Ticket("Other", "DEMO-5")).workspace
    view = replace(view, conflicts={"DEMO-1": ("DEMO-3: Labels",)})

    flags = [(each.row.title, view.flag(each.row)) for each in view.visible]

    assert flags == [("Whole", "!"), ("One", " "), ("Two", "!"), ("Three", "+"), ("Other", " ")]


def test_the_files_of_a_pull_are_not_compared_with_what_it_found() -> None:
    def cost(count: int) -> int:
        tickets = [Ticket(f"Ticket {at}", f"DEMO-{at}") for at in range(1, count)]
        state = after(app_state(), TicketsFound("work", tickets_of(*tickets)))
        read = FilesRead("work", Rows.of(row for rows in tickets_of(*tickets) for row in rows))
        arrange(read.rows)  # as the thread does that reads the files
        bytecodes = Bytecodes()
        with bytecodes.counted():
            assert len(after(state, read).workspace.visible) == count - 1
        return bytecodes.count

    assert 0 < cost(2_000) < 2 * cost(250)


def test_after_a_change_of_one_file_the_filter_looks_at_one_block() -> None:
    def cost(count: int) -> int:
        tickets = [Ticket(f"Ticket {at}", f"DEMO-{at}") for at in range(1, count)]
        rows = Rows.of(row for rows in tickets_of(*tickets) for row in rows)
        read = FilesRead("work", rows)
        state = after(app_state(), read)
        shown = replace(state.workspace, filter=parse_filter("ticket -done 1"))
        state = state.with_workspace(shown)
        assert 0 < len(shown.visible) < count
        changed = tickets_of(*tickets[:-1], Ticket("Other", f"DEMO-{count - 1}"))
        again = replace(read, rows=rows.updated(row for rows in changed for row in rows))
        arrange(again.rows)
        bytecodes = Bytecodes()
        with bytecodes.counted():
            assert 0 < len(after(state, again).workspace.visible) < count
        return bytecodes.count

    assert 0 < cost(4_000) < 2 * cost(500)
