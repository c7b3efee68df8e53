"""Test folders that an earlier version has pulled, which wrote HTML in the place of short forms."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.users import User

from ticketr.app.jira.adf import _conversion
from ticketr.app.jira.adf.forms import Writer

Json = dict[str, Any]

MENTION: Json = {"type": "mention", "attrs": {"id": "5f:1", "text": "@Mia", "accessLevel": ""}}
PANEL: Json = {
    "type": "panel",
    "attrs": {"panelType": "note"},
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Careful"}]}],
}
TABLE: Json = {
    "type": "table",
    "attrs": {"layout": "default", "isNumberColumnEnabled": False},
    "content": [
        {
            "type": "tableRow",
            "content": [{"type": "tableCell", "attrs": {}, "content": [PANEL["content"][0]]}],
        }
    ],
}


def document(words: str) -> Json:
    text = {"type": "text", "text": words}
    paragraph = {"type": "paragraph", "content": [text, MENTION]}
    return {"type": "doc", "version": 1, "content": [paragraph, PANEL, TABLE]}


class LongWriter(Writer):
    """A writer of an earlier version, which knew no short forms and no escapes of them."""

    def write(self, document: Json) -> None:
        pass


@pytest.fixture
def pulled(someone: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """Return a user whose folder an earlier version has pulled."""
    someone.site.edit("DEMO-9", description=document("ask "))
    with monkeypatch.context() as earlier:
        earlier.setattr(_conversion, "Writer", LongWriter)
        assert someone.runs("pull").code == 0
    return someone


def test_nothing_is_edited_in_them(pulled: User) -> None:
    before = pulled.files()
    assert 'adf="mention"' in before["DEMO-9.md"]

    assert "DEMO-9" not in pulled.runs("status").out
    assert pulled.runs("pull").code == 0
    assert pulled.runs("push", "--dry-run").out == ""
    assert pulled.files() == before


def test_a_change_in_jira_brings_the_short_forms_where_it_is(pulled: User) -> None:
    pulled.site.edit("DEMO-9", description=document("now "))

    assert pulled.runs("pull").code == 0

    text = pulled.files()["DEMO-9.md"]
    assert "now @[Mia](5f:1)\n\n<aside adf=" in text
    assert "DEMO-9" not in pulled.runs("status").out


def test_text_that_looks_like_a_short_form_now_is_no_edit(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.site.edit("DEMO-9", description=document("due {2026-03-01} :tada: "))
    with monkeypatch.context() as earlier:
        earlier.setattr(_conversion, "Writer", LongWriter)
        assert someone.runs("pull").code == 0
    assert "due {2026-03-01} :tada: <span" in someone.files()["DEMO-9.md"]

    assert "DEMO-9" not in someone.runs("status").out
    assert someone.runs("push").out == ""
    assert someone.runs("pull").code == 0

    assert "due \\{2026-03-01} \\:tada: " in someone.files()["DEMO-9.md"]
    assert "DEMO-9" not in someone.runs("status").out


def test_an_edit_beside_the_html_is_sent_and_keeps_what_it_stands_for(pulled: User) -> None:
    path = pulled.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("Careful\n\n</aside>", "Careful, please\n\n</aside>"))

    assert pulled.runs("push").code == 0

    sent = pulled.finds("DEMO-9").description
    assert sent is not None
    first, panel, table = sent["content"]
    assert first["content"][-1]["type"] == "mention"
    assert panel["attrs"] == {"panelType": "note"}
    assert panel["content"][0]["content"][0]["text"] == "Careful, please"
    assert table["type"] == "table"
