"""Writes the manual page, which says what the help of each command says: `make manpage`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path

import click

from ticketr._version import __version__
from ticketr.app.cli import exits
from ticketr.app.cli.app import cli
from ticketr.app.cli.help import Command

PAGE = Path(__file__).parents[2] / "docs" / "ticketr.1"
#: Variables that commands read, beside those that the description of ``ticketr`` names.
_VARIABLES = (
    ("VISUAL, EDITOR", "The editor of 'ticketr edit' and of the app."),
    ("BROWSER", "The browser of 'ticketr open' and of the app."),
    ("TICKETR_CONFIG_DIR", "The folder of your settings, in place of the usual one."),
    ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE, FORCE_COLOR", "Whether to use colours."),
)
_FILES = (
    ("ticketr.toml", "The settings of a workspace that its team shares."),
    (".ticketr", "The state of a workspace, in its folder; not for git."),
)
#: What click puts before lines that are to stay as they are.
_KEEP_LINES = "\b"


def man_page() -> str:
    """Return the manual page of ticketr, in the language that man reads."""
    root = cli.context_class(cli, info_name="ticketr", **cli.context_settings)
    return "\n".join((*_page(root), ""))


def _page(root: click.Context) -> Iterator[str]:
    """Yield the lines of the manual page."""
    yield f'.TH TICKETR 1 "" "ticketr {__version__}" "User Commands"'
    yield ".nh"  # no word is broken, since many are to be copied
    yield ".ad l"
    yield ".SH NAME"
    yield r"ticketr \- keep Jira tickets as Markdown files"
    yield ".SH SYNOPSIS"
    yield f".B ticketr\n{_text(' '.join(root.command.collect_usage_pieces(root)))}"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(root.command.help or "")
    yield ".SH OPTIONS"
    yield from _options(root)
    yield ".SH COMMANDS"
    for words, context in _commands(root):
        yield from _command(words, context)
    yield ".SH EXIT STATUS"
    yield from _terms(exits.TICKET_COMMAND_EXITS.items())
    yield ".SH ENVIRONMENT"
    yield from _terms(_VARIABLES)
    yield ".SH FILES"
    yield from _terms(_FILES)
    yield ".SH EXAMPLES"
    yield from _terms(cli.examples.items())


def _commands(parent: click.Context) -> Iterator[tuple[str, click.Context]]:
    """Yield each command with its words, and a context for it."""
    group = parent.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        context = command.context_class(command, info_name=name, parent=parent)
        yield context.command_path.partition(" ")[2], context
        yield from _commands(context)


def _command(words: str, context: click.Context) -> Iterator[str]:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    yield f'.SS "ticketr {_text(words)} {_text(pieces)}"'
    yield from _paragraphs(context.command.help or "")
    yield from _options(context)
    yield ".PP\nExamples:"
    assert isinstance(context.command, Command)
    yield from _terms(context.command.examples.items())


def _options(context: click.Context) -> Iterator[str]:
    options = [
        param for param in context.command.get_params(context) if isinstance(param, click.Option)
    ]
    records = (option.get_help_record(context) for option in options)
    yield from _terms(record for record in records if record is not None)


def _terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of terms with their explanations."""
    for term, words in rows:
        yield f".TP\n\\fB{_text(term)}\\fR\n{_line(words)}"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in cleandoc(text).split("\n\n"):
        yield ".PP"
        if paragraph.startswith(_KEEP_LINES):
            lines = paragraph.removeprefix(_KEEP_LINES).strip("\n").split("\n")
            yield from (".nf", *map(_line, lines), ".fi")
        else:
            yield from map(_line, paragraph.split("\n"))


def _line(text: str) -> str:
    """Return a line of text, which is not a request even if it begins like one."""
    escaped = _text(text)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


#: Characters that roff shows as others, or takes for instructions, and how they are written.
_ESCAPES = str.maketrans(
    {
        "\\": r"\e",
        "-": r"\-",
        '"': r"\(dq",
        "'": r"\(aq",
        "`": r"\(ga",
        "^": r"\(ha",
        "~": r"\(ti",
    }
)


def _text(text: str) -> str:
    """Return a text in which nothing has a meaning in roff."""
    return text.translate(_ESCAPES)


if __name__ == "__main__":
    PAGE.write_text(man_page(), encoding="utf-8")
