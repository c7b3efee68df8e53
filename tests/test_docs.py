"""Check the claims of README.md, CHANGELOG.md and docs/."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
from pathlib import Path

import click
import install_blocks
import pytest
from rows import for_each

import ticketr
from ticketr._install import IS_ON_PYPI, missing_packages_message
from ticketr.app.cli.app import cli
from ticketr.app.cli.go_commands import REPLACEMENT_BY_GO_COMMAND

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


#: The most characters in a line of prose.
WIDTH = 120


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_example_of_the_readme_is_short() -> None:
    (example,) = blocks("python", README)
    code = [line for line in example.splitlines() if line.strip()]

    assert len(code) <= 14


#: A command that takes the package by its name from a registry, where nobody has registered it.
BY_NAME = re.compile(
    r"\b(?:pip3?|pipx|uv|uv tool|uv pip|poetry)\s+(?:install|add|run|inject)\s[^`\n#]*?(?<![\w./-])(?:ticketr|jira-sandbox)\b"
    r"|\buvx\s[^`\n]*\b(?:ticketr|jira-sandbox)\b|\bticketr\[[\w,-]+\]"
)
#: Files that tell people how to install.
TELLING = [
    *PAGES,
    *ROOT.glob("src/**/*.py"),
    *ROOT.glob("sandbox/src/**/*.py"),
    *ROOT.glob("examples/*.py"),
    *(path for path in ROOT.glob("docs/**/*.py") if path.name != "install_blocks.py"),
    *(ROOT / name for name in ("Makefile", ".ci/wheel")),
]


@pytest.mark.skipif(IS_ON_PYPI, reason="the names are registered")
def test_no_page_and_no_message_installs_by_a_name_that_nobody_has_registered() -> None:
    told = [
        (path.relative_to(ROOT).as_posix(), line)
        for path in TELLING
        for line in path.read_text(encoding="utf-8").splitlines()
        if BY_NAME.search(line) and "/ticketr[" not in line
    ]

    assert told == []


def test_each_page_installs_as_it_has_to_at_present() -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in install_blocks.pages()}

    wrong = [page for page, text in texts.items() if text != install_blocks.written(text)]
    assert wrong == [], "run: .venv/bin/python docs/install_blocks.py"


def test_one_switch_has_every_page_and_message_install_by_name() -> None:
    shown = {
        name
        for page in install_blocks.pages()
        for name in re.findall(r"install: (\w+)", page.read_text(encoding="utf-8"))
    }
    released = install_blocks.written(README, released=True)
    before = install_blocks.written(README, released=False)

    assert shown == set(install_blocks.BLOCKS)
    assert "uv tool install 'ticketr[demo]'" in released
    assert "There is no release yet" not in released
    assert "There is no release yet" in before
    assert install_blocks.written(released, released=IS_ON_PYPI) == README
    sentences = [
        missing_packages_message("it", "demo", released=released) for released in (False, True)
    ]
    assert sentences == [
        "it needs more packages: in a clone of ticketr, run: pip install ./sandbox '.[demo]'",
        "it needs more packages: run: pip install 'ticketr[demo]'",
    ]


def test_the_page_on_the_go_program_has_each_command_that_was_replaced() -> None:
    page = (ROOT / "docs" / "from-go.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("|")]
    words = set(re.findall(r"`([^`]+)`", "\n".join(cells)))

    for old in REPLACEMENT_BY_GO_COMMAND:
        assert old in words or old.rpartition(" ")[2] in words, old


def test_the_titles_of_troubleshooting_are_texts_of_the_program() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    titles = re.findall(r"^### `(.+)`$", page, re.MULTILINE)
    texts = "\n".join(
        node.value
        for path in ROOT.glob("src/ticketr/**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )

    assert len(titles) >= 20
    for title in titles:
        assert [piece for piece in title.split("…") if piece.strip() not in texts] == [], title


def test_the_tickets_in_the_readme_are_tickets() -> None:
    from ticketr.app.tickets import parse, render

    for example in blocks("markdown", README):
        file = parse(example)
        assert file.tickets
        assert render(file.tickets) == example


@for_each("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@for_each("page", PAGES)
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))

    targets = [(page.parent / file if file else page, anchor) for file, anchor in links]
    assert [anchor for target, anchor in targets if anchor not in anchors(target)] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub and MyST name them."""
    text = re.sub(
        r"^(`{3,}).*?^\1`*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@for_each("page", PAGES)
def test_lines_of_prose_are_at_most_120_characters_long(page: Path) -> None:
    assert long_lines(page.read_text(encoding="utf-8")) == []


def test_the_changelog_has_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == ticketr.__version__


def test_every_name_of_the_queue_in_the_changelog_exists() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    for name in re.findall(r"`ticketr\.(?!toml`)(\w+)(?:\(\))?`", changelog):
        assert hasattr(ticketr, name), name


def test_every_command_and_option_in_the_docs_exists() -> None:
    commands = cli.commands
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    # The first column of docs/from-go.md has the commands of another program.
    text = re.sub(r"^\| `ticketr [^|]*\|(?=[^|]*\|$)", "|", text, flags=re.MULTILINE)

    for name, rest in re.findall(r"`?ticketr ([a-z]+)\b([^`\n]*)", text):
        if name not in commands:
            continue
        command = commands[name]
        if isinstance(command, click.Group):
            command = command.commands.get(next(iter(rest.split()), ""), command)
        options = {
            option
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in parameter.opts
        }
        for option in re.findall(r"(--[a-z-]+)", rest):
            assert option in options | {"--help"}, f"{name} {option}"


def test_every_public_name_of_the_status_line_is_in_its_documentation() -> None:
    from ticketr import statusline

    page = (ROOT / "docs" / "statusline.md").read_text(encoding="utf-8")

    assert [name for name in statusline.__all__ if name not in page] == []


def test_the_keys_of_the_app_are_in_its_documentation() -> None:
    key_table = runpy.run_path(str(ROOT / "docs" / "key_table.py"))["key_table"]
    page = (ROOT / "docs" / "app.md").read_text(encoding="utf-8")

    assert key_table() in page, "run: .venv/bin/python docs/key_table.py docs/app.md"


def test_the_short_forms_are_in_the_documentation_of_the_format() -> None:
    form_table = runpy.run_path(str(ROOT / "docs" / "form_table.py"))["form_table"]
    page = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")

    assert form_table() in page, "run: .venv/bin/python docs/form_table.py docs/format.md"
    assert "changes" not in form_table()


def test_every_option_of_the_sandbox_is_in_its_documentation() -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")

    options = {name for parameter in cli.commands["sandbox"].params for name in parameter.opts}
    assert [name for name in options - {"--exit-with-stdin"} if f"`{name}" not in page] == []


def test_the_faults_of_the_sandbox_do_what_its_documentation_says() -> None:
    from jira_sandbox import Fault, FaultKind

    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| (yes|no|sometimes) \|$", page, re.MULTILINE)

    words = {(False, False): "no", (True, True): "yes", (False, True): "sometimes"}
    done = {kind: [Fault(kind, after).carried_out for after in (False, True)] for kind in FaultKind}
    assert dict(rows) == {kind.value: words[early, late] for kind, (early, late) in done.items()}


def test_no_file_names_a_package_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    words = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org")

    for name in tracked:
        path = ROOT / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        assert not any(word in text for word in words), name


def test_every_step_of_the_walks_through_the_code_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`: ", page, re.MULTILINE)

    assert len(steps) == len(re.findall(r"^\d+\. ", page, re.MULTILINE)) > 30
    for path, name in steps:
        assert name in defined_in(ROOT / "src" / "ticketr" / path), (path, name)


ROOMS = {
    "## The rooms of sync": "src/ticketr/app/sync",
    "## The rooms of jira": "src/ticketr/app/jira",
    "Within `adf`": "src/ticketr/app/jira/adf",
    "## Inside": "sandbox/src/jira_sandbox",
    "## The rooms of the app": "src/ticketr/app/tui",
    "## The rooms of the queue": "src/ticketr/jobs",
}


@pytest.mark.parametrize(("heading", "folder"), ROOMS.items())
def test_each_module_is_in_one_row_of_the_table_of_its_room(heading: str, folder: str) -> None:
    file = "sandbox/README.md" if folder.startswith("sandbox") else "docs/architecture.md"
    page = (ROOT / file).read_text(encoding="utf-8")
    section = re.split(r"\n## |\nWithin ", page.partition(f"\n{heading}")[2])[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    listed = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]

    paths = (ROOT / folder).iterdir()
    names = [path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert sorted(listed) == sorted({*names} - {"__init__"})


def long_lines(text: str) -> list[str]:
    """List the lines over `WIDTH`, except rows of tables, code in fences, and lines of one word."""
    found: list[str] = []
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        marks = re.match(r" *(`{3,})", line)
        if marks and not fence:
            fence = marks[1]
        elif fence:
            fence = "" if line.strip() == fence else fence
        elif len(line) > WIDTH and line[0] != "|" and " " in re.sub(r"^ *(- |\d+\. )?", "", line):
            found.append(f"{number}: {line}")
    return found


def defined_in(path: Path) -> set[str]:
    """List the functions of a module, and its methods as ``Class.method``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in tree.body if isinstance(node, functions)}
    for found in tree.body:
        if isinstance(found, ast.ClassDef):
            names |= {
                f"{found.name}.{each.name}" for each in found.body if isinstance(each, functions)
            }
    return names
