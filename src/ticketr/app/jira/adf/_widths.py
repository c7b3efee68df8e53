"""Leaves the sizes of tables to Jira: no file shows them, and an edited table keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ticketr.app.jira.adf._canonical import Json, canonical

_WIDTH = "colwidth"
_SIZES = {
    "table": ("displayMode", "isNumberColumnEnabled", "layout", "width"),
    "tableCell": (_WIDTH,),
    "tableHeader": (_WIDTH,),
}
#: What holds no table, or holds it as data.
_WITHOUT_TABLES = frozenset(
    {"bodiedExtension", "bodiedSyncBlock", "codeBlock", "heading", "paragraph", "taskItem"}
)
#: Below this depth, nodes may be those of the caller.
_DEEPEST = 40


def visible(adf: object) -> Json:
    """Return the canonical form of a document, without what every file leaves to Jira.

    Args:
        adf: A document as Jira sends it; anything else counts as an empty one.
    """
    document = canonical(adf)
    remove_sizes(document)
    return document


def with_whole_widths(node: Json) -> Json:
    """Move the widths of columns from the cells of a canonical document to their tables, in place.

    Then a deleted column takes no width away, and a table that lost all its widths differs in one
    place.
    """
    content = node.get("content")
    if type(content) is not list:
        return node
    for child in content:
        if type(child) is dict and str(child.get("type")) not in _WITHOUT_TABLES:
            with_whole_widths(child)
    if node.get("type") == "table":
        cells = [cell for row in _dicts(node) for cell in _dicts(row)]
        widths = [_attrs(cell).pop(_WIDTH, None) for cell in cells]
        if any(widths):
            node["attrs"] = {**_attrs(node), _WIDTH: True}
    return node


def remove_sizes(node: Json, depth: int = 0) -> None:
    """Remove the sizes of the tables in a canonical document, in place."""
    attrs = node.get("attrs")
    names = _SIZES.get(str(node.get("type")), ())
    if names and type(attrs) is dict and not attrs.keys().isdisjoint(names):
        for name in names:
            attrs.pop(name, None)
        if not attrs:
            del node["attrs"]
    content = node.get("content")
    if type(content) is not list or depth >= _DEEPEST:
        return
    for child in content:
        if type(child) is dict and str(child.get("type")) not in _WITHOUT_TABLES:
            remove_sizes(child, depth + 1)


def with_widths(table: Json, original: Json) -> Json:
    """Return an edited table in which every cell has the width of its column in Jira.

    Args:
        table: The table, whose cells have the widths that they have in Jira.
        original: The table in Jira, whose own rows are not changed.
    """
    rows = _dicts(table)
    columns = next((widths for row in rows if any(widths := _columns(row))), [])
    if not columns or any(
        _attrs(cell).get("rowspan", 1) != 1 for row in rows for cell in _dicts(row)
    ):
        return table
    own = {id(row) for row in _dicts(original)}
    return {
        **table,
        "content": [row if id(row) in own else _with_columns(row, columns) for row in rows],
    }


def _columns(row: Json) -> list[Any]:
    """Return the width of each column in a row; None for one without a width."""
    columns: list[Any] = []
    for cell in _dicts(row):
        widths, span = _attrs(cell).get(_WIDTH), _span(cell)
        columns += widths if isinstance(widths, list) and len(widths) == span else [None] * span
    return columns


def _with_columns(row: Json, columns: Sequence[Any]) -> Json:
    return {**row, "content": list(_sized_cells(_dicts(row), columns))}


def _sized_cells(cells: Sequence[Json], columns: Sequence[Any]) -> Iterator[Json]:
    at = 0
    for cell in cells:
        widths = list(columns[at : at + _span(cell)])
        at += _span(cell)
        attrs = {name: value for name, value in _attrs(cell).items() if name != _WIDTH}
        if len(widths) == _span(cell) and None not in widths:
            attrs[_WIDTH] = widths
        yield {**cell, "attrs": attrs} if attrs or "attrs" in cell else cell


def _span(cell: Json) -> int:
    span = _attrs(cell).get("colspan", 1)
    return span if isinstance(span, int) and 0 < span <= 100 else 1


def _attrs(node: Json) -> Json:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _dicts(node: Json) -> list[Json]:
    content = node.get("content")
    return (
        [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []
    )
