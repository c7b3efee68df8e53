"""Documents and other values of fields: which are taken, refused, rendered, and read from wiki markup."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st
from rows import for_each
from sandbox_adf import quick_adf_validator
from sandbox_client import demo_site, open_client

from jira_sandbox.api.adf import check_document
from jira_sandbox.api.html import to_html
from jira_sandbox.api.input_errors import InvalidDocument
from jira_sandbox.api.wiki_markup import to_wiki
from jira_sandbox.api.wiki_parser import from_wiki
from jira_sandbox.content.adf import bullets, doc, heading, item, line_break, ordered, p, rule
from jira_sandbox.data.catalogue import USERS

TEXT = {"type": "text", "text": "x"}
PARAGRAPH = {"type": "paragraph", "content": [TEXT]}
MEDIA = {"type": "media", "attrs": {"type": "file", "id": "1", "collection": "c"}}
EXTENSION = {"extensionKey": "k", "extensionType": "t"}
CELL = {"type": "tableCell", "content": [PARAGRAPH]}
ROW = {"type": "tableRow", "content": []}
NODES: dict[str, Any] = {
    "text": TEXT,
    "hardBreak": {"type": "hardBreak"},
    "date": {"type": "date", "attrs": {"timestamp": "1"}},
    "emoji": {"type": "emoji", "attrs": {"shortName": ":x:"}},
    "inlineCard": {"type": "inlineCard", "attrs": {"url": "u"}},
    "mention": {"type": "mention", "attrs": {"id": "1"}},
    "placeholder": {"type": "placeholder", "attrs": {"text": "x"}},
    "status": {"type": "status", "attrs": {"text": "x", "color": "red"}},
    "inlineExtension": {"type": "inlineExtension", "attrs": EXTENSION},
    "mediaInline": {"type": "mediaInline", "attrs": {"id": "1", "collection": "c"}},
    "paragraph": PARAGRAPH,
    "heading": {"type": "heading", "attrs": {"level": 2}, "content": [TEXT]},
    "bulletList": {
        "type": "bulletList",
        "content": [{"type": "listItem", "content": [PARAGRAPH]}],
    },
    "orderedList": {
        "type": "orderedList",
        "attrs": {"order": 3},
        "content": [{"type": "listItem", "content": [PARAGRAPH]}],
    },
    "taskList": {
        "type": "taskList",
        "attrs": {"localId": "1"},
        "content": [
            {
                "type": "taskItem",
                "attrs": {"localId": "2", "state": "TODO"},
                "content": [TEXT],
            },
            {
                "type": "blockTaskItem",
                "attrs": {"localId": "2", "state": "DONE"},
                "content": [PARAGRAPH],
            },
        ],
    },
    "decisionList": {
        "type": "decisionList",
        "attrs": {"localId": "1"},
        "content": [{"type": "decisionItem", "attrs": {"localId": "2", "state": "D"}}],
    },
    "codeBlock": {"type": "codeBlock", "attrs": {"language": "go"}, "content": [TEXT]},
    "blockquote": {"type": "blockquote", "content": [PARAGRAPH]},
    "panel": {"type": "panel", "attrs": {"panelType": "info"}, "content": [PARAGRAPH]},
    "expand": {"type": "expand", "attrs": {"title": "x"}, "content": [PARAGRAPH]},
    "nestedExpand": {"type": "nestedExpand", "attrs": {}, "content": [PARAGRAPH]},
    "rule": {"type": "rule"},
    "table": {"type": "table", "content": [{"type": "tableRow", "content": [CELL]}]},
    "mediaGroup": {"type": "mediaGroup", "content": [MEDIA]},
    "mediaSingle": {
        "type": "mediaSingle",
        "attrs": {"layout": "center"},
        "content": [MEDIA, {"type": "caption", "content": [TEXT]}],
    },
    "blockCard": {"type": "blockCard", "attrs": {"url": "u"}},
    "embedCard": {"type": "embedCard", "attrs": {"url": "u", "layout": "wide"}},
    "extension": {"type": "extension", "attrs": EXTENSION},
    "bodiedExtension": {"type": "bodiedExtension", "attrs": EXTENSION, "content": [PARAGRAPH]},
    "layoutSection": {
        "type": "layoutSection",
        "content": [{"type": "layoutColumn", "attrs": {"width": 50}, "content": [PARAGRAPH]}] * 2,
    },
    "syncBlock": {"type": "syncBlock", "attrs": {"resourceId": "r", "localId": "l"}},
    "bodiedSyncBlock": {
        "type": "bodiedSyncBlock",
        "attrs": {"resourceId": "r", "localId": "l"},
        "content": [PARAGRAPH],
    },
}


INLINE = (
    "hardBreak",
    "date",
    "emoji",
    "inlineCard",
    "mention",
    "placeholder",
    "status",
    "inlineExtension",
    "mediaInline",
)
INNER = (
    "listItem",
    "taskItem",
    "blockTaskItem",
    "decisionItem",
    "tableRow",
    "tableCell",
    "tableHeader",
    "nestedExpand",
    "caption",
    "layoutColumn",
    "media",
)
BLOCKS = tuple(kind for kind in NODES if kind not in {"text", *INLINE, *INNER})


def document(*nodes: Any) -> Any:
    return copy.deepcopy({"type": "doc", "version": 1, "content": list(nodes)})


def is_taken(value: Any) -> bool:
    try:
        check_document(value)
    except InvalidDocument:
        return False
    return True


EVERYTHING = document(
    *(NODES[kind] for kind in BLOCKS),
    {"type": "paragraph", "content": [NODES[kind] for kind in INLINE]},
    *(
        {**NODES["table"], "content": [{"type": "tableRow", "content": [cell]}]}
        for cell in (CELL, {"type": "tableHeader", "content": [NODES["nestedExpand"]]})
    ),
)


def test_what_the_sandbox_serves_is_taken_back() -> None:
    found = [issue.description for issue in demo_site(300) if issue.description]

    assert found
    assert all(map(is_taken, found))


def test_every_document_that_is_taken_has_a_wiki_text() -> None:
    for parent in (*BLOCKS, *INLINE, *INNER):
        for node in (*NODES.values(), CELL):
            outer = document(wrapped(parent, node))
            if is_taken(outer):
                assert isinstance(to_wiki(outer), str)

    assert to_wiki(document({"type": "paragraph"}, {"type": "table", "content": [ROW]})) == "\n\n||"


def test_a_document_of_every_node_is_taken() -> None:
    assert is_taken(EVERYTHING)
    assert quick_adf_validator().is_valid(EVERYTHING)


def wrapped(parent: str, child: Any) -> Any:
    """Wrap a node in a parent, and the parent in the nodes that it needs."""
    homes: dict[str, Callable[[Any], Any]] = {
        "listItem": lambda node: {"type": "bulletList", "content": [node]},
        "taskItem": lambda node: {**NODES["taskList"], "content": [node]},
        "blockTaskItem": lambda node: {**NODES["taskList"], "content": [node]},
        "decisionItem": lambda node: {**NODES["decisionList"], "content": [node]},
        "tableRow": lambda node: {"type": "table", "content": [node]},
        "tableCell": lambda node: wrapped("tableRow", node),
        "tableHeader": lambda node: wrapped("tableRow", node),
        "nestedExpand": lambda node: wrapped("tableCell", node),
        "caption": lambda node: {**NODES["mediaSingle"], "content": [MEDIA, node]},
        "layoutColumn": lambda node: {**NODES["layoutSection"], "content": [node, node]},
        "media": lambda node: {"type": "mediaGroup", "content": [node]},
    }
    attrs: dict[str, Any] = {
        "taskItem": {"localId": "2", "state": "TODO"},
        "blockTaskItem": {"localId": "2", "state": "TODO"},
        "decisionItem": {"localId": "2", "state": "D"},
        "layoutColumn": {"width": 50},
        "media": MEDIA["attrs"],
    }
    outer = {"type": parent, "content": [child]}
    if parent in attrs:
        outer["attrs"] = attrs[parent]
    elif "attrs" in NODES.get(parent, {}):
        outer["attrs"] = NODES[parent]["attrs"]
    if parent in homes:
        return homes[parent](outer)
    return {"type": "paragraph", "content": [outer]} if parent in INLINE else outer


@for_each(
    "wrong",
    [
        {},
        {"type": "doc", "version": 1},
        {"type": "doc", "version": True, "content": []},
        {"type": "doc", "version": 2, "content": []},
        {"type": "doc", "version": 1, "content": {}},
        {"type": "doc", "version": 1, "content": [1]},
        {"type": "doc", "version": 1, "content": [], "extra": 1},
        document({"type": "text", "text": "x"}),
        document({"type": "hologram"}),
        document({"type": "paragraph", "content": [{"type": "text", "text": ""}]}),
    ],
)
def test_what_is_no_document_is_not_taken(wrong: Any) -> None:
    assert not is_taken(wrong)


def test_what_is_nested_too_deeply_to_tell_is_not_taken() -> None:
    node: Any = {"type": "blockquote", "content": [PARAGRAPH]}
    for _ in range(400):
        node = {"type": "bulletList", "content": [{"type": "listItem", "content": [node]}]}

    assert not is_taken({"type": "doc", "version": 1, "content": [node]})


PLAIN = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "New"}
TEXT_TOO_LONG = "The entered text is too long. It exceeds the allowed limit of {} characters."
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


def paragraph_of(text: str) -> dict[str, Any]:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


GOOD = [
    ("summary", "x" * 255, "x" * 255),
    ("summary", " \U0001f469\u200d\U0001f467 \x1b[31m", "\U0001f469\u200d\U0001f467 \x1b[31m"),
    ("description", None, None),
    ("description", {"type": "doc", "version": 1, "content": []}, None),
    ("description", paragraph_of("x" * 32_767), paragraph_of("x" * 32_767)),
    ("labels", [], []),
    ("labels", None, []),
    ("labels", ["b", "a", "b"], ["a", "b"]),
    ("duedate", "2028-02-29", "2028-02-29"),
    ("duedate", None, None),
    ("customfield_10016", 0.5, 0.5),
    ("customfield_10016", -3, -3.0),
    ("customfield_10016", None, None),
    ("customfield_10032", "", None),
    ("customfield_10032", "x" * 255, "x" * 255),
    ("customfield_10032", " in \t", "in"),
    ("customfield_10032", "  ", None),
    ("customfield_10034", "2026-02-28T09:30:00.500+0100", "2026-02-28T14:00:00.500+0530"),
    ("customfield_10034", None, None),
    ("assignee", None, None),
    ("assignee", {"accountId": None}, None),
]
BAD = [
    ("summary", None, "You must specify a summary of the issue."),
    ("summary", " \t", "You must specify a summary of the issue."),
    ("summary", 5, "Operation value must be a string"),
    ("summary", "x" * 256, "Summary must be less than 255 characters."),
    ("summary", "a\nb", "The summary is invalid because it contains newline characters."),
    ("summary", "a\rb", "The summary is invalid because it contains newline characters."),
    ("description", "text", NOT_ADF),
    ("description", [], NOT_ADF),
    ("description", {"type": "paragraph"}, NOT_ADF),
    ("description", paragraph_of("x" * 32_768), TEXT_TOO_LONG.format("32,767")),
    ("priority", "High", "Specify a valid 'id' or 'name'"),
    ("priority", None, "Specify a valid 'id' or 'name'"),
    ("priority", {"id": "9"}, "The priority selected is invalid."),
    ("priority", {"name": "high"}, "The priority selected is invalid."),
    ("labels", "a", "data was not an array"),
    ("labels", ["a b"], "The label 'a b' contains spaces which is invalid."),
    ("labels", ["a\u2003b"], "The label 'a\u2003b' contains spaces which is invalid."),
    ("labels", [""], "The label '' contains spaces which is invalid."),
    ("labels", [1], "Operation value must be a string"),
    ("labels", [["a"]], "Operation value must be a string"),
    ("labels", ["x" * 256], f"The label '{'x' * 20}...' exceeds 255 characters."),
    ("components", {"name": "Checkout"}, "data was not an array"),
    ("components", ["Checkout"], "Specify a valid 'id' or 'name'"),
    ("components", [{"name": "Check out"}], "Component name 'Check out' is not valid"),
    ("components", [{"id": "9"}], "Component id '9' is not valid"),
    ("fixVersions", [{"name": "1.0"}], "Version name '1.0' is not valid"),
    ("assignee", {"accountId": "nobody"}, "User 'nobody' does not exist."),
    ("assignee", {"name": "zoe"}, "Specify a user by 'accountId'."),
    ("assignee", "zoe@example.com", "Specify a user by 'accountId'."),
    ("assignee", {"accountId": ["x"]}, "Specify a user by 'accountId'."),
    ("reporter", None, "Reporter is required."),
    ("duedate", "28/Feb/26", "Error parsing date string: 28/Feb/26"),
    ("duedate", "2026-02-30", "Error parsing date string: 2026-02-30"),
    ("duedate", 20260228, "Operation value must be a string"),
    ("customfield_10016", "5", "Operation value must be a number"),
    ("customfield_10016", True, "Operation value must be a number"),
    ("customfield_10016", 1e15, "The number is too big."),
    ("customfield_10016", 10**400, "The number is too big."),
    ("customfield_10020", "8", "Number value expected as the Sprint id."),
    ("customfield_10020", [8], "Number value expected as the Sprint id."),
    ("customfield_10020", True, "Number value expected as the Sprint id."),
    ("customfield_10020", 99, "Sprint with id '99' does not exist."),
    ("customfield_10031", {"value": "web"}, "Option value 'web' is not valid"),
    ("customfield_10031", {"id": "1"}, "Option id '1' is not valid"),
    ("customfield_10031", "Web", "Specify a valid 'id' or 'value'"),
    ("customfield_10032", 1, "Operation value must be a string"),
    ("customfield_10032", "x" * 256, TEXT_TOO_LONG.format("255")),
    ("customfield_10033", {"accountId": "nobody"}, "User 'nobody' does not exist."),
    *(
        ("customfield_10034", text, f"Error parsing time string: {text}")
        for text in (
            "2026-02-28",
            "2026-02-28T09:30:00Z",
            "2026-02-28T09:30:00.000Z",
            "2026-02-28T09:30:00+0000",
            "2026-02-28T09:30:00.000+00:00",
            "2026-02-28 09:30:00.000+0000",
            "2026-02-30T09:30:00.000+0000",
        )
    ),
    ("customfield_10034", 1, "Operation value must be a string"),
    ("environment", None, None),
    ("status", {"name": "Done"}, None),
    ("created", "2025-01-01", None),
    ("resolution", {"name": "Done"}, None),
    ("Summary", "x", None),
]


@for_each(("field", "value", "kept"), GOOD)
async def test_a_value_that_fits_is_kept(field: str, value: Any, kept: Any) -> None:
    async with open_client(demo_site(3)) as client:
        made = await client.post("issue", json={"fields": {**PLAIN, field: value}})
        assert made.status_code == 201, made.text
        edited = await client.put("issue/DEMO-2", json={"fields": {field: value}})
        assert edited.status_code == 204, edited.text
        for key in ("DEMO-4", "DEMO-2"):
            fields = (await client.get(f"issue/{key}")).json()["fields"]
            assert fields[field] == kept


@for_each(("field", "value", "complaint"), BAD)
async def test_a_value_that_does_not_fit_is_refused_by_its_field(
    field: str, value: Any, complaint: str | None
) -> None:
    site = demo_site(3)
    before = list(site)
    unknown = f"Field '{field}' cannot be set. It is not on the appropriate screen, or unknown."
    async with open_client(site) as client:
        made = await client.post("issue", json={"fields": {**PLAIN, field: value}})
        edited = await client.put("issue/DEMO-2", json={"fields": {field: value}})
        updated = await client.put("issue/DEMO-2", json={"update": {field: [{"set": value}]}})

    for response in (made, edited, updated):
        assert response.status_code == 400
        assert response.json() == {"errorMessages": [], "errors": {field: complaint or unknown}}
    assert list(site) == before


async def test_a_document_with_a_wrong_node_is_invalid_input() -> None:
    wrong = {"type": "doc", "version": 1, "content": [{"type": "text", "text": "x"}]}
    async with open_client(demo_site(3)) as client:
        response = await client.put("issue/DEMO-2", json={"fields": {"description": wrong}})

    assert response.status_code == 400
    assert response.json() == {"errorMessages": ["INVALID_INPUT"], "errors": {}}


async def test_version_2_takes_text_and_shows_it_as_both() -> None:
    site = demo_site(3)
    text = "Hello\n\nh3. Acceptance Criteria\n\n* One\n* Two"
    async with open_client(site, version="2") as client:
        response = await client.put("issue/DEMO-2", json={"fields": {"description": text}})
        two = (await client.get("issue/DEMO-2")).json()["fields"]["description"]
    async with open_client(site) as client:
        three = (await client.get("issue/DEMO-2")).json()["fields"]["description"]

    assert response.status_code == 204
    assert two == text
    assert [node["type"] for node in three["content"]] == ["paragraph", "heading", "bulletList"]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (paragraph_of("x"), "Operation value must be a string"),
        ("x" * 32_768, TEXT_TOO_LONG.format("32,767")),
    ],
)
async def test_version_2_takes_neither_documents_nor_endless_text(
    value: Any, complaint: str
) -> None:
    async with open_client(demo_site(3), version="2") as client:
        response = await client.put("issue/DEMO-2", json={"fields": {"description": value}})

    assert response.status_code == 400
    assert response.json()["errors"] == {"description": complaint}


async def test_things_are_found_by_id_as_text_or_number() -> None:
    fields = {
        "project": {"id": 10000},
        "issuetype": {"id": 10002},
        "summary": "New",
        "priority": {"id": 1},
        "customfield_10031": {"id": "10021"},
        "assignee": {"id": USERS[1].account_id},
    }
    async with open_client(demo_site(3)) as client:
        made = await client.post("issue", json={"fields": fields})
        kept = (await client.get("issue/DEMO-4")).json()["fields"]

    assert made.status_code == 201
    assert kept["priority"]["name"] == "Highest"
    assert kept["customfield_10031"]["value"] == "iOS"
    assert kept["assignee"]["displayName"] == "Zoë Åkesson"


LINES = ["", " ", "text", "  indented", "* a", "** b", "# c", "*# d", "#* e", "*** f", "----"]
LINES += ["h1. Title", "h3. ", "h7. no", "*bold*", "* ", "|| cell ||", "{code}", "# "]


def test_paragraphs_headings_lists_and_rules_are_read() -> None:
    text = "One\ntwo\r\n\r\nh3. Acceptance Criteria\n\n* a\n** b\n*# c\n* d\n# e\n----\nEnd"
    expected = doc(
        p("One", line_break(), "two"),
        heading(3, "Acceptance Criteria"),
        bullets(item("a", [bullets("b"), ordered("c")]), "d"),
        ordered("e"),
        rule(),
        p("End"),
    )
    del expected["content"][2]["content"][0]["content"][2]["attrs"]
    del expected["content"][3]["attrs"]

    assert from_wiki(text) == expected


OTHER_MARKUP = [
    *("*bold*", "_italic_", "-deleted-", "+inserted+", "??cited??", "^super^", "~sub~"),
    *("{{monospaced}}", "{color:red}red{color}", "bq. quoted", "{quote}quoted{quote}"),
    *("{code}x = 1{code}", "{noformat}x{noformat}", "{panel}x{panel}", "- item"),
    *("||head||", "|cell|", "[https://example.com]", "[^file.txt]", "{anchor:here}"),
    *("!image.png!", "[~accountid:5]", ":)", "---", r"\\", r"\*no\*"),
]


@for_each("text", OTHER_MARKUP)
def test_other_markup_stays_as_it_was_sent(text: str) -> None:
    assert from_wiki(text) == doc(p(text))
    assert to_wiki(from_wiki(text)) == text


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n"])
def test_nothing_is_an_empty_document(text: str) -> None:
    assert from_wiki(text)["content"] == []


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=8)).map("\n".join))
def test_text_that_was_given_back_once_is_given_back_the_same_ever_after(text: str) -> None:
    document = from_wiki(text)
    check_document(document)

    assert from_wiki(to_wiki(document)) == document


@given(st.lists(st.sampled_from(LINES[2:]), min_size=1))
def test_no_line_is_lost(lines: list[str]) -> None:
    words = "".join(lines).replace("*", "").replace("#", "").split()
    read = to_wiki(from_wiki("\n".join(lines))).replace("*", "").replace("#", "").split()

    assert "".join(read) == "".join(words)


def text(words: str, *marks: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, "marks": list(marks)}


LINK = {"type": "link", "attrs": {"href": 'http://x/?a="1"'}}


@for_each(
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
