from __future__ import annotations

import pytest
from rows import for_each

from ticketr.app.editor import describe_failure, editor_words

PATH = "/home/mia/tickets/DEMO-9.md"


@for_each(
    ("editor", "words"),
    [
        ("vi", ["vi", "+12", PATH]),
        ("/usr/bin/vim.basic -n", ["/usr/bin/vim.basic", "-n", "+12", PATH]),
        ("nvim", ["nvim", "+12", PATH]),
        ("nano", ["nano", "+12", PATH]),
        ("emacs -nw", ["emacs", "-nw", "+12", PATH]),
        ("emacsclient -t", ["emacsclient", "-t", "+12", PATH]),
        ("gvim", ["gvim", "--nofork", "+12", PATH]),
        ("gvim -f", ["gvim", "-f", "+12", PATH]),
        ("code", ["code", "--wait", "--goto", f"{PATH}:12"]),
        ("code -w", ["code", "-w", "--goto", f"{PATH}:12"]),
        ("'/opt/My Code/code' --wait", ["/opt/My Code/code", "--wait", "--goto", f"{PATH}:12"]),
        ("C:\\Apps\\Code.exe", ["C:AppsCode.exe", PATH]),
        ("hx", ["hx", f"{PATH}:12"]),
        ("helix", ["helix", f"{PATH}:12"]),
        ("subl", ["subl", "--wait", f"{PATH}:12"]),
        ("kate", ["kate", "--block", "--line", "12", PATH]),
        ("gedit -w", ["gedit", "-w", "+12", PATH]),
        ("xed", ["xed", "--wait", "+12", PATH]),
        ("gnome-text-editor", ["gnome-text-editor", "--standalone", "+12", PATH]),
        ("gnome-text-editor -s", ["gnome-text-editor", "-s", "+12", PATH]),
        ("my-editor -x", ["my-editor", "-x", PATH]),
        ("it's", ["it's", PATH]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(editor: str, words: list[str]) -> None:
    assert editor_words({"EDITOR": editor}, PATH, 12) == words


@pytest.mark.parametrize("editor", ["vim", "hx", "kate -b", "code -w"])
def test_without_a_line_an_editor_gets_the_file_alone(editor: str) -> None:
    assert editor_words({"EDITOR": editor}, PATH) == [*editor.split(), PATH]


@pytest.mark.parametrize(
    ("environ", "editor"),
    [
        ({}, "vi"),
        ({"EDITOR": " "}, "vi"),
        ({"EDITOR": "nano"}, "nano"),
        ({"VISUAL": "", "EDITOR": "nano"}, "nano"),
        ({"VISUAL": "vim", "EDITOR": "nano"}, "vim"),
    ],
)
def test_visual_goes_before_editor_and_vi_is_the_last_resort(
    environ: dict[str, str], editor: str
) -> None:
    assert editor_words(environ, PATH, 1) == [editor, "+1", PATH]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "failed with exit code 3"),
        (-15, "was ended by SIGTERM"),
        (-42, "was ended by signal 42"),  # a real-time signal without a name
    ],
)
def test_how_an_editor_failed_is_said(code: int, words: str) -> None:
    assert describe_failure(code) == words
