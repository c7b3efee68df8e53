"""Test the packages' metadata, and `make release` in a clone of the repository."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import ticketr

ROOT = Path(__file__).parent.parent


def settings(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def test_both_packages_have_one_version_and_one_repository() -> None:
    own, sandbox = settings("pyproject.toml"), settings("sandbox/pyproject.toml")
    hooks = own["tool"]["hatch"]["metadata"]["hooks"]

    assert sandbox["project"]["version"] == ticketr.__version__
    assert sandbox["project"]["urls"]["Source"] == hooks["custom"]["repository"]


def test_the_links_of_the_readme_lead_to_the_repository_from_elsewhere() -> None:
    with_absolute_links = runpy.run_path(str(ROOT / "hatch_build.py"))["with_absolute_links"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    text = with_absolute_links(readme, "https://forge.example/us/ticketr", "v1.2.3")

    assert "](https://forge.example/us/ticketr/blob/v1.2.3/docs/tutorial.md)" in text
    assert "](https://forge.example/us/ticketr/raw/v1.2.3/docs/pictures/film.svg)" in text
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", text) == []


def test_the_job_of_the_newest_names_each_package_that_is_not_in_the_lock() -> None:
    table = runpy.run_path(str(ROOT / ".ci" / "newest.py"))["table"]
    lock = (
        "click==8.1.0 \\\n    # via x\nSphinx==9.0 ; python_version < '3.12' \\\nsphinx==9.2 \\\n"
    )

    text = table(
        lock, {"sphinx": "9.2", "click": "9.0.1", "Typing_Extensions": "5", "ticketr": "1"}
    )

    title, _, _, _, *rows = text.splitlines()
    assert title == "2 packages differ from the lock"
    assert rows == ["| click | 8.1.0 | 9.0.1 |", "| typing-extensions | none | 5 |"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone in which the address of the repository was written."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git repository, or git is not installed")
    path = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(ROOT), str(path))
    pyproject = path / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    address = re.compile(r'(repository = )".*"')
    pyproject.write_text(address.sub(r'\1"https://forge.test/us/ticketr"', text), encoding="utf-8")
    for name in ("user.name", "user.email"):
        git(path, "config", name, "someone@forge.test")
    git(path, "commit", "--quiet", "--all", "--allow-empty", "--message", "Name the repository")
    return path


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def release(clone: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/release.py", version]
    return subprocess.run(command, cwd=clone, check=False, capture_output=True, text=True)


@pytest.mark.unmeasured
def test_a_release_writes_the_version_everywhere_commits_and_sets_a_tag(clone: Path) -> None:
    ended = release(clone, "7.8.9")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "describe") == "v7.8.9\n"
    readme = (clone / "README.md").read_text(encoding="utf-8")
    assert "There is no release yet" not in readme
    assert "pip install ticketr " in readme
    changelog = (clone / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n\n### ", changelog)
    sandbox = (clone / "sandbox" / "pyproject.toml").read_text(encoding="utf-8")
    assert 'version = "7.8.9"' in sandbox
    assert 'Source = "https://forge.test/us/ticketr"' in sandbox
    assert '"ticketr 7.8.9"' in (clone / "docs" / "ticketr.1").read_text(encoding="utf-8")


@pytest.mark.unmeasured
def test_a_release_that_cannot_be_made_changes_nothing(clone: Path) -> None:
    pyproject = clone / "pyproject.toml"
    (clone / "README.md").write_text("changed", encoding="utf-8")

    assert "no release: '1.x' is no version" in release(clone, "1.x").stderr
    assert "changes that are not committed" in release(clone, "7.8.9").stderr
    git(clone, "checkout", "--quiet", ".")
    git(clone, "tag", "v7.8.9")
    assert "v7.8.9 exists already" in release(clone, "7.8.9").stderr
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace("forge.test", "forge.example"), encoding="utf-8")
    assert "write the address of the repository there" in release(clone, "7.9.0").stderr
    assert git(clone, "diff", "--name-only") == "pyproject.toml\n"
