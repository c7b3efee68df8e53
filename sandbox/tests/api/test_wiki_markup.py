from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jira_sandbox.api.adf import check_document
from jira_sandbox.api.wiki_markup import to_wiki
from jira_sandbox.api.wiki_parser import from_wiki
from jira_sandbox.content.adf import bullets, doc, heading, item, line_break, ordered, p, rule

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


@pytest.mark.parametrize("text", OTHER_MARKUP)
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
