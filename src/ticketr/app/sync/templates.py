"""Templates of drafts, in the folder ``templates`` of a workspace.

A template is an ordinary ticket file with placeholders, such as ``{Name}``, or a YAML template of
the Go program Ticketr, whose placeholders are ``{{.Name}}``. It is read as tickets before the values
are filled in, so no value can begin a ticket or a section.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ticketr.app.config import BadFile, parse_yaml, read_text
from ticketr.app.sync.compare.diff import map_issues
from ticketr.app.sync.compare.mapping import PARENT_LINE_NAME
from ticketr.app.sync.workspace.store import TEMPLATE_FOLDER
from ticketr.app.tickets import Ticket, parse

#: The placeholders of Markdown, where a doubled brace is a brace, and of the Go program's YAML.
_MARKDOWN_PLACEHOLDER = re.compile(
    r"\{\{(?P<literal>[^\W\d][\w-]*)\}\}|\{(?P<name>[^\W\d][\w-]*)\}"
)
_YAML_PLACEHOLDER = re.compile(r"\{\{\s*\.(?P<name>\w+)\s*\}\}")
_TEMPLATE_ENDINGS = (".md", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class PlaceholderAndLine:
    """A placeholder of a template.

    Attributes:
        name: Its name.
        line: The number of the first line that has it, from 1.
        line_text: That line.
    """

    name: str
    line: int
    line_text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A template.

    Attributes:
        name: The name of its file, without the ending.
        path: Its file, relative to the workspace.
        tickets: What it makes, with placeholders.
        placeholders: Its placeholders, in the order of the file.
    """

    name: str
    path: str
    tickets: tuple[Ticket, ...]
    placeholders: tuple[PlaceholderAndLine, ...]

    def fill(self, values: Mapping[str, str]) -> tuple[Ticket, ...]:
        """Return the drafts that it makes with a value for each placeholder."""
        pattern = _MARKDOWN_PLACEHOLDER if self.path.endswith(".md") else _YAML_PLACEHOLDER

        def text_of(match: re.Match[str]) -> str:
            literal = match.groupdict().get("literal")
            return f"{{{literal}}}" if literal else values[match["name"]]

        def filled(text: str) -> str:
            return pattern.sub(text_of, text)

        def draft(ticket: Ticket) -> Ticket:
            return replace(
                ticket,
                title=filled(ticket.title),
                description=filled(ticket.description),
                fields={filled(name): filled(value) for name, value in ticket.fields.items()},
                acceptance_criteria=tuple(map(filled, ticket.acceptance_criteria)),
                rich_texts={name: filled(text) for name, text in ticket.rich_texts.items()},
            )

        return tuple(map_issues(ticket, draft) for ticket in self.tickets)


def find_template_files(root: Path) -> dict[str, Path]:
    """Return the files of the templates of a workspace, by their names; links are left out."""
    folder = root / TEMPLATE_FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return {}
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in _TEMPLATE_ENDINGS and path.is_file() and not path.is_symlink():
            files.setdefault(path.stem, path)
    return files


def read_template(path: Path) -> Template:
    """Read a template.

    Args:
        path: Its file, from `find_template_files`.

    Raises:
        TicketSyntaxError: It cannot be read as tickets.
        BadFile: It is not UTF-8, not YAML of the Go program, holds no draft, or has a key.
        SettingsAccessFailed: The system refused to read it.
    """
    text, short = read_text(path) or "", f"{TEMPLATE_FOLDER}/{path.name}"
    if path.suffix == ".md":
        pattern, tickets = _MARKDOWN_PLACEHOLDER, parse(text, source=short).tickets
    else:
        pattern, tickets = _YAML_PLACEHOLDER, tuple(_read_yaml(path, text))
    for ticket in tickets:
        if key := next(ticket.keys(), None):
            raise BadFile(short, ticket.line, f"a template has no key: {key}")
    if not tickets:
        raise BadFile(short, None, "it holds no ticket")
    placeholders: dict[str, PlaceholderAndLine] = {}
    for number, line in enumerate(text.split("\n"), 1):
        for match in pattern.finditer(line):
            if name := match["name"]:
                placeholders.setdefault(name, PlaceholderAndLine(name, number, line.strip()))
    return Template(path.stem, short, tickets, tuple(placeholders.values()))


def _read_yaml(path: Path, text: str) -> Iterator[Ticket]:
    """Yield the epic and the stories of a template of the Go program."""
    structure = parse_yaml(path, text).mapping("structure")
    epics = [structure.mapping("epic")] if "epic" in structure.names() else []
    fields: dict[str, str] = {}
    for block in (*epics, *structure.mappings("stories")):
        title = block.text("title")
        if title is None:
            raise BadFile(str(path), None, "an epic or a story has no title")
        tasks = tuple(map(Ticket, block.texts("tasks")))
        draft = Ticket(title, description=block.text("description") or "", fields=fields)
        if block in epics:
            fields = {PARENT_LINE_NAME: title}  # the epic has no key yet
            yield replace(draft, fields={"Type": "Epic"})
            # Jira takes no sub-task of an epic.
            yield from (replace(task, fields=fields) for task in tasks)
        else:
            yield replace(draft, tasks=tasks)
