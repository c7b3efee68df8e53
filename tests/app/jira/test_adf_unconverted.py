"""Test the warnings, with lines, on text that looks special and reaches Jira as plain text."""

from __future__ import annotations

import pytest

from ticketr.app.jira import adf

LITERAL = {
    "> words\n> [!NOTE]": "[!NOTE]",
    "> [!NOTICE]\n> words": "[!NOTICE]",
    "> [!warning] words": "[!warning]",
    "hello @Mia, see": "@Mia",
    "(@mia.doe) did it": "@mia.doe",
    "<details>\nx": "<details>",
    "x <details>y</details>": "<details>",
    "H<sub>2": "<sub>",
    "`DONE`{gren}": "{gren}",
    "due {2026-02-30}": "{2026-02-30}",
    "due {2026-3-1}": "{2026-3-1}",
    "a <b>bold</b> word": "<b>",
    '<img src="x.png">': '<img src="x.png">',
    "![](shot.png)": "shot.png",
    "![](a\\_shot.png)": r"a\_shot.png",
    "[notes](<a\\_(1).txt>)": r"a\_(1).txt",
    "![alt](./a/shot.png 'title')": "./a/shot.png",
    "![alt](<./my shots/a b.png>)": "./my shots/a b.png",
    "![alt](file:///home/mia/a.png)": "file:///home/mia/a.png",
    "![alt][shot]\n\n[shot]: shot.png": "shot.png",
    "![shot]\n\n[shot]: <shot.png>": "shot.png",
    "see [the spec](docs/spec.md)": "docs/spec.md",
    "see [the spec](<my docs/spec.md>)": "my docs/spec.md",
    "see [us](www.example.com)": "www.example.com",
    "![shot](./my shots/a b.png)": "![shot](./my shots/a b.png)",
    "[ ] first": "[ ]",
    "[x] second": "[x]",
    '<p align="center">x': '<p align="center">',
    "<blockquote>x": "<blockquote>",
    "it works :tadaa:": ":tadaa:",
    "# @Mia": "@Mia",
    "| a | @Mia |\n|---|---|\n": "@Mia",
}
PLAIN = [
    "",
    "[!NOTE] is not a quote",
    "> [!SOMETHING] else",
    "mia@example.com https://medium.com/@mia a@b",
    "`@Mia` ``:tadaa:`` `<details>` `{2026-02-30}` {gren} {2026-01} f{x}",
    "```\n@Mia :tada: <details>\n```",
    "~~~\n@Mia\n~~~",
    "    @Mia\n",
    "\\@Mia \\:tada: \\<details> \\[!NOTE]",
    "10:30:45 and std::vector::size a:b:c",
    "List<String> Map<a,b> <ticket> <https://e.example>",
    "![alt](https://example.com/x.png)",
    "[a](https://example.com) [b](mailto:mia@example.com) [c](/browse/A-1) [d](#top)",
    "\\[a](docs/a.md) `[a](docs/a.md)` [ref]: docs/a.md",
    "[a](https://example.com 'title.md') [b](see chapter 3)",
    "- [ ] first\n- [x] second",
    "npm install @types/node @my-org/pkg",
    '<span adf="mention" params=\'{"id":"1"}\'>@Mia</span>',
    '<aside adf="panel" params=\'{"panelType":"info"}\'>\n\nwords\n\n</aside>',
    "@ 2 @2 :1: : : :a",
]


@pytest.mark.parametrize(("markdown", "piece"), LITERAL.items())
def test_text_that_reaches_jira_unconverted_is_reported_with_its_line(
    markdown: str, piece: str
) -> None:
    (found,) = adf.unconverted_pieces(f"first\n\n{markdown}\n")

    assert found.text == piece
    assert piece.strip("./") in f"first\n\n{markdown}".split("\n")[found.line - 1]


@pytest.mark.parametrize("markdown", PLAIN)
def test_escaped_text_is_not_reported(markdown: str) -> None:
    assert adf.unconverted_pieces(markdown) == ()


@pytest.mark.parametrize("markdown", LITERAL)
def test_unchanged_text_is_not_reported_again(markdown: str) -> None:
    assert adf.unconverted_pieces(f"{markdown}\n\nmore", before=markdown) == ()
    assert len(adf.unconverted_pieces(f"{markdown}\n\n{markdown}", before=markdown)) == 1


def test_a_mistyped_form_is_reported_with_the_words_that_exist() -> None:
    (panel, color) = adf.unconverted_pieces("> [!NOTICE]\n> `x`{gren}")
    assert panel.reason.endswith("a panel is called INFO, NOTE, TIP, WARNING, CAUTION, HINT")
    assert color.reason.endswith("a color is neutral, purple, blue, red, yellow, green")


@pytest.mark.parametrize("part", ["content", "attrs", "marks", "text", "type"])
@pytest.mark.parametrize(
    "value",
    ["x", "localId", 5, 1.5, True, None, {"a": 1}, ["x"], [None], [["x"]], [{"type": 5}], [5, 6]],
    ids=repr,
)
def test_the_file_of_a_document_of_any_shape_can_be_read(part: str, value: object) -> None:
    text = {"type": "text", "text": "a"}
    for kind in ("doc", "paragraph", "text", "codeBlock", "bulletList", "mention", "strange"):
        node = {"type": kind, "attrs": {}, "content": [text], part: value}
        around = {"type": "strange", "content": [node]}
        for document in (node, document_of(node), document_of(around)):
            assert adf.to_adf(adf.to_markdown(document))["type"] == "doc"


def document_of(*blocks: object) -> dict[str, object]:
    return {"type": "doc", "version": 1, "content": [*blocks]}
