"""How to open a file at a line in the user's editor, and how that failed. Pure."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Mapping, Sequence

#: The editor if neither VISUAL nor EDITOR is set.
_DEFAULT_EDITOR = "vi"

#: Editors that take `+LINE` before the file; another one might open a file of that name.
_PLUS_LINE_EDITORS = frozenset(
    [
        "vi",
        "vim",
        "nvim",
        "view",
        "ex",
        "gvim",
        "mvim",
        "neovide",
        "elvis",
        "nvi",
        "vis",
        "kak",
        "nano",
        "pico",
        "rnano",
        "emacs",
        "emacsclient",
        "emacs-nox",
        "jed",
        "joe",
        "jmacs",
        "jstar",
        "mg",
        "jove",
        "zile",
        "mcedit",
        "ne",
        "gedit",
        "gnome-text-editor",
        "pluma",
        "xed",
        "mousepad",
        "micro",
        "nedit",
        "tilde",
    ]
)
#: Editors that take `FILE:LINE`.
_COLON_LINE_EDITORS = frozenset(
    ["hx", "helix", "subl", "sublime_text", "zed", "zeditor", "lapce", "pulsar", "atom"]
)
#: Editors that take `--goto FILE:LINE`: Visual Studio Code and its forks.
_GOTO_EDITORS = frozenset(
    ["code", "code-insiders", "code-oss", "codium", "vscodium", "cursor", "windsurf", "positron"]
)
#: Editors that take a line as an option of its own.
_LINE_OPTION_BY_EDITOR = {
    "kate": "--line",
    "kwrite": "--line",
    "mate": "--line",
    "geany": "--line",
    "idea": "--line",
    "pycharm": "--line",
    "webstorm": "--line",
    "notepadqq": "--line",
}
#: The option that makes an editor with windows wait until the file is closed, and its short form.
_WAIT_OPTIONS = (
    (_GOTO_EDITORS | {"subl", "zed", "zeditor", "atom", "pulsar", "mate"}, ("--wait", "-w")),
    ({"idea", "pycharm", "webstorm"}, ("--wait", "--wait")),
    ({"gvim", "mvim"}, ("--nofork", "-f")),
    ({"kate"}, ("--block", "-b")),
    ({"gedit", "xed"}, ("--wait", "-w")),
    ({"gnome-text-editor"}, ("--standalone", "-s")),  # it has no other option that makes it wait
)


def editor_words(environ: Mapping[str, str], path: str, line: int = 0) -> list[str]:
    """Return the command that opens a file in the user's editor, as `VISUAL` or `EDITOR` names it.

    An editor with windows of its own gets an option to wait until the file is closed, if it
    has one.

    Args:
        environ: The environment. The variables may hold arguments, as in ``code --new-window``.
        path: The file, absolute, so that no editor takes it for an option.
        line: The line to go to, from 1; 0 for none. An editor that is not known gets none.

    Returns:
        The program and its arguments.
    """
    words = _editor_command(environ)
    name = _editor_name_of(words[0])
    for editors, (long, short) in _WAIT_OPTIONS:
        if name in editors and not {long, short} & {*words[1:]}:
            words.append(long)
    return [*words, *_file_and_line_arguments(name, path, line)]


def describe_failure(code: int) -> str:
    """Return how an editor ended that did not succeed, as a predicate.

    Args:
        code: Its exit code, or the negative number of the signal that ended it; not 0.
    """
    if code > 0:
        return f"failed with exit code {code}"
    name = next((signals.name for signals in signal.Signals if signals == -code), f"signal {-code}")
    return f"was ended by {name}"


def _editor_command(environ: Mapping[str, str]) -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        value = environ.get(variable, "").strip()
        if value:
            try:
                return shlex.split(value)
            except ValueError:  # a quote in it is not closed
                return [value]
    return [_DEFAULT_EDITOR]


def _editor_name_of(program: str) -> str:
    """Return the name by which an editor is known: ``/usr/bin/vim.basic`` is ``vim``."""
    name = program.replace("\\", "/").rpartition("/")[2].lower()
    return name.partition(".")[0]


def _file_and_line_arguments(name: str, path: str, line: int) -> Sequence[str]:
    if line <= 0:
        return (path,)
    if name in _PLUS_LINE_EDITORS:
        return (f"+{line}", path)
    if name in _COLON_LINE_EDITORS:
        return (f"{path}:{line}",)
    if name in _GOTO_EDITORS:
        return ("--goto", f"{path}:{line}")
    if name in _LINE_OPTION_BY_EDITOR:
        return (_LINE_OPTION_BY_EDITOR[name], str(line), path)
    return (path,)
