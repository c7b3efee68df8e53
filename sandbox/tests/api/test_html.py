from __future__ import annotations

from typing import Any

import pytest

from jira_sandbox.api.html import to_html


def text(words: str, *marks: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, "marks": list(marks)}


LINK = {"type": "link", "attrs": {"href": 'http://x/?a="1"'}}


@pytest.mark.parametrize(
    ("node", "html"),
    [
        ({"type": "paragraph", "content": [text("a < b")]}, "<p>a &lt; b</p>"),
        ({"type": "heading", "attrs": {"level": 2}, "content": [text("T")]}, "<h2>T</h2>"),
        (
            {"type": "bulletList", "content": [{"type": "listItem", "content": [text("x")]}]},
            "<ul><li>x</li></ul>",
        ),
        (text("x", {"type": "strong"}, {"type": "em"}), "<em><b>x</b></em>"),
        (text("x", LINK), '<a href="http://x/?a=&quot;1&quot;">x</a>'),
        (text("x", {"type": "textColor", "attrs": {"color": "#fff"}}), "x"),
        ({"type": "hardBreak"}, "<br/>"),
        ({"type": "rule"}, "<hr/>"),
        ({"type": "mention", "attrs": {"id": "1", "text": "@Zoë"}}, "@Zoë"),
        ({"type": "emoji", "attrs": {"shortName": ":x:"}}, ":x:"),
        ({"type": "media", "attrs": {"id": "1"}}, ""),
        ({"type": "doc", "content": [{"type": "rule"}]}, "<hr/>"),
    ],
)
def test_a_node_is_rendered(node: Any, html: str) -> None:
    assert to_html(node) == html
