"""Templates of drafts, in the folder ``templates`` of a workspace.

A template is an ordinary ticket file with placeholders, such as ``{Name}``, or a YAML template of
the Go program Ticketr, whose placeholders are ``{{.Name}}``. It is read as tickets before the values
are filled in, so no value can begin a ticket or a section.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ticketr.app import sync
from ticketr.app.config import BadFile, read_block, read_text
from ticketr.app.tickets import Ticket, parse
from ticketr.cleaning import clean

#: The placeholders of Markdown, where a doubled brace is a brace, and of the Go program's YAML.
_MARKDOWN = re.compile(r"\{\{(?P<literal>[^\W\d][\w-]*)\}\}|\{(?P<name>[^\W\d][\w-]*)\}")
_YAML = re.compile(r"\{\{\s*\.(?P<name>\w+)\s*\}\}")
_EPIC = "Epic"
_ENDINGS = (".md", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder of a template.

    Attributes:
        name: Its name.
        line: The number of the first line that has it, from 1.
        text: That line.
    """

    name: str
    line: int
    text: str


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
    placeholders: tuple[Placeholder, ...]

    def fill(self, values: Mapping[str, str]) -> tuple[Ticket, ...]:
        """Return the drafts that it makes.

        Args:
            values: A value for each placeholder.

        Raises:
            click.UsageError: A placeholder has no value, or a value no placeholder.
        """
        missing = [entry for entry in self.placeholders if entry.name not in values]
        if missing:
            lines = [f"{clean(self.path)}:{one.line}: no value for {one.name}" for one in missing]
            example = " ".join(f"{one.name}=..." for one in missing)
            raise click.UsageError("\n".join([*lines, f"give each of them: {example}"]))
        names = [entry.name for entry in self.placeholders]
        if unknown := [name for name in values if name not in names]:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise click.UsageError(
                f"{clean(self.path)} has no placeholder {clean(', '.join(unknown))}; {known}"
            )
        pattern = _pattern_of(self.path)

        def text_of(match: re.Match[str]) -> str:
            literal = match.groupdict().get("literal")
            return f"{{{literal}}}" if literal else values[match["name"]]

        return tuple(_filled(ticket, pattern, text_of) for ticket in self.tickets)


def _filled(
    ticket: Ticket, pattern: re.Pattern[str], text_of: Callable[[re.Match[str]], str]
) -> Ticket:
    def filled(text: str) -> str:
        return pattern.sub(text_of, text)

    return replace(
        ticket,
        title=filled(ticket.title),
        description=filled(ticket.description),
        fields={filled(name): filled(value) for name, value in ticket.fields.items()},
        acceptance_criteria=tuple(map(filled, ticket.acceptance_criteria)),
        texts={name: filled(text) for name, text in ticket.texts.items()},
        tasks=tuple(_filled(task, pattern, text_of) for task in ticket.tasks),
    )


def template_files(root: Path) -> dict[str, Path]:
    """Return the files of the templates of a workspace, by their names; links are left out."""
    folder = root / sync.TEMPLATES
    if folder.is_symlink() or not folder.is_dir():
        return {}
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in _ENDINGS and path.is_file() and not path.is_symlink():
            files.setdefault(path.stem, path)
    return files


def read_template(root: Path, name: str, story_type: str) -> Template:
    """Read a template of a workspace.

    Args:
        root: The workspace's folder.
        name: The name of the template.
        story_type: The type of the stories of a template in YAML, which names none.

    Raises:
        click.UsageError: There is no such template, or it holds no draft.
        TicketSyntaxError: It cannot be read as tickets.
        BadFile: It is not UTF-8, or not YAML of the Go program.
    """
    files = template_files(root)
    path = files.get(name)
    if path is None:
        known = f"there are {', '.join(files)}" if files else "there are none yet"
        raise click.UsageError(
            f"there is no template {clean(name)} in {clean(str(root / sync.TEMPLATES))}; {clean(known)}"
        )
    text, short = read_text(path) or "", f"{sync.TEMPLATES}/{path.name}"
    if path.suffix == ".md":
        tickets = parse(text, source=short).tickets
    else:
        tickets = tuple(_read_yaml(path, text, story_type))
    for ticket in tickets:
        if key := next(iter(ticket.keys()), None):
            raise click.UsageError(f"{clean(short)}:{ticket.line}: a template has no key: {key}")
    if not tickets:
        raise click.UsageError(f"{clean(short)} holds no ticket")
    return Template(name, short, tickets, tuple(_placeholders(text, _pattern_of(short))))


def _pattern_of(path: str) -> re.Pattern[str]:
    return _MARKDOWN if path.endswith(".md") else _YAML


def _placeholders(text: str, pattern: re.Pattern[str]) -> Iterator[Placeholder]:
    names: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):
        for match in pattern.finditer(line):
            if (name := match["name"]) and name not in names:
                names.add(name)
                yield Placeholder(name, number, line.strip())


def _read_yaml(path: Path, text: str, story_type: str) -> Iterator[Ticket]:
    """Yield the epic and the stories of a template of the Go program."""
    structure = read_block(path, text).block("structure")
    issues = [(_EPIC, structure.block("epic"))] if "epic" in structure.names() else []
    issues += [(story_type, story) for story in structure.blocks("stories")]
    below: dict[str, str] = {}  # the line that names the epic, which has no key yet
    for kind, block in issues:
        title = block.text("title")
        if title is None:
            raise BadFile(str(path), None, f"a ticket of the type {kind} has no title")
        tasks = tuple(Ticket(title=task) for task in block.texts("tasks"))
        draft = Ticket(
            title, description=block.text("description") or "", fields={"Type": kind, **below}
        )
        if kind is _EPIC:  # Jira takes no sub-task of an epic
            below = {"Parent": title}
            yield draft
            yield from (replace(task, fields={"Type": story_type, **below}) for task in tasks)
        else:
            yield replace(draft, tasks=tasks)
