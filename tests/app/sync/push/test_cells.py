"""Panels and expands in the cells of tables, which keep their tags: nothing of them is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.described import describe, p
from fakes.pulls import Bench

from ticketr.app.jira.adf import canonical

PANEL = {"type": "panel", "attrs": {"panelType": "info"}, "content": [p("in a panel")]}
EXPAND = {"type": "nestedExpand", "attrs": {"title": "More"}, "content": [p("in an expand")]}


def table(*cells: dict[str, Any]) -> dict[str, Any]:
    head = [
        {"type": "tableHeader", "attrs": {}, "content": [p(f"h{n}")]} for n in range(len(cells))
    ]
    row = [{"type": "tableCell", "attrs": {}, "content": [each]} for each in cells]
    rows = [{"type": "tableRow", "content": each} for each in (head, row)]
    return {"type": "table", "attrs": {"layout": "default"}, "content": rows}


@pytest.mark.parametrize("old", ["plain", "in a panel", "in an expand"])
async def test_a_hand_edit_beside_or_in_a_panel_or_an_expand_of_a_cell_changes_that_alone(
    bench: Bench, old: str
) -> None:
    describe(bench, "DEMO-1", table(p("plain"), PANEL, EXPAND))
    await bench.pull()
    assert 'adf="panel"' in bench.text("DEMO-1")
    before = json.dumps(canonical(bench.finds("DEMO-1").description))
    bench.edits("DEMO-1", old, "by hand")

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    now = json.dumps(canonical(bench.finds("DEMO-1").description))
    assert now == before.replace(old, "by hand")
