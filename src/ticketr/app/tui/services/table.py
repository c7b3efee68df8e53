"""Which function carries out which effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ticketr.app.tui import effects
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services import asking, conflicts, edits, jobs, outside, setting_up
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.files import read_detail, read_files, remember, wrap_detail
from ticketr.app.tui.services.jobs import read_plan


def _redraw(services: Services, _: effects.Redraw) -> None:
    services.terminal.redraw()


#: Effects that are carried out at once; the app handles what they return before anything else.
AT_ONCE: dict[type[effects.Effect], Callable[[Services, Any], Message | None]] = {
    effects.Redraw: _redraw,
    effects.StartJob: jobs.start_job,
    effects.CancelJob: jobs.cancel_job,
    effects.DropRequests: jobs.drop_requests,
    effects.SetPriority: jobs.set_priority,
    effects.RunNow: jobs.run_now,
    effects.StopAsking: asking.stop_asking,
    effects.CancelSetup: setting_up.cancel_setup,
}
#: Effects that each run in a task of their own.
IN_A_TASK: dict[type[effects.Effect], Callable[[Services, Any], Awaitable[None]]] = {
    effects.ReadFiles: read_files,
    effects.ReadDetail: read_detail,
    effects.WrapDetail: wrap_detail,
    effects.ReadConflict: conflicts.read,
    effects.Settle: conflicts.settle,
    effects.FindUndo: conflicts.find_undo,
    effects.Undo: conflicts.undo,
    effects.AskStatuses: asking.ask_statuses,
    effects.AskKeys: asking.ask_keys,
    effects.AskAuthor: asking.ask_author,
    effects.AskIssues: asking.ask_issues,
    effects.ChangeField: edits.change_field,
    effects.PlanEdits: edits.plan_edits,
    effects.CarryOutEdits: edits.carry_out,
    effects.AddTicket: edits.add_ticket,
    effects.AddComment: edits.add_comment,
    effects.ReadHistory: jobs.read_history,
    effects.ReadPlan: read_plan,
    effects.Remember: remember,
    effects.OpenEditor: outside.open_editor,
    effects.OpenBrowser: outside.open_browser,
    effects.Copy: outside.copy,
    effects.CopyAddress: outside.copy_address,
    effects.OpenPage: outside.open_page,
    effects.CheckSite: setting_up.check_site,
    effects.CheckLogin: setting_up.check_login,
    effects.CheckFolder: setting_up.check_folder,
    effects.SuggestFolder: setting_up.suggest_folder,
    effects.AddWorkspace: setting_up.add_workspace,
    effects.OpenFolder: setting_up.open_folder,
    effects.TrySandbox: setting_up.try_sandbox,
}
