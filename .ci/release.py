"""Make a release of the present commit: `make release VERSION=0.1.0`.

It writes the version, the date and how to install into the files, checks the pages, commits and
sets a tag. Nothing leaves the machine. docs/releasing.md says what comes before and after.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parent.parent
#: What stands between the heading of what is unreleased and its first group.
_PREFACE = re.compile(r"## \[Unreleased\]\n+(?:[^#\s].*\n+)*")


def main(version: str) -> None:
    """Make the release."""
    os.chdir(ROOT)
    pyproject = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    repository = pyproject["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"]
    changelog = Path("CHANGELOG.md").read_text("utf-8")
    _check(version, repository, changelog)
    today = dt.datetime.now(dt.UTC).date()
    heading = f"## [Unreleased]\n\n## [{version}] - {today}\n\n"
    _write("CHANGELOG.md", _PREFACE, heading)
    _write("src/ticketr/_version.py", r'__version__ = ".*"', f'__version__ = "{version}"')
    _write("src/ticketr/_install.py", r"IS_ON_PYPI = \w+", "IS_ON_PYPI = True")
    _write("sandbox/pyproject.toml", r'(?m)^version = ".*"', f'version = "{version}"')
    _write("sandbox/pyproject.toml", r'(?m)^Source = ".*"', f'Source = "{repository}"')
    own = {**os.environ, "PYTHONPATH": "src:sandbox/src:tests"}
    _run(sys.executable, "docs/install_blocks.py", env=own)
    _run(sys.executable, "-m", "fakes.man_page", env={**own, "PYTHONPATH": "../src:."}, cwd="tests")
    _run(sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/test_docs.py", env=own)
    _run("git", "commit", "--quiet", "--all", "--message", f"Release {version}")
    _run("git", "tag", "--annotate", "--message", f"ticketr {version}", f"v{version}")
    print(f"v{version} is ready: look at `git show`, then `git push --follow-tags` publishes it")


def _check(version: str, repository: str, changelog: str) -> None:
    """End the program if the release cannot be made."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        _refuse(f"{version!r} is no version; say make release VERSION=0.1.0")
    if ".example/" in repository:
        _refuse(f"pyproject.toml names {repository}; write the address of the repository there")
    if _output("git", "status", "--porcelain"):
        _refuse("there are changes that are not committed")
    if _output("git", "tag", "--list", f"v{version}"):
        _refuse(f"v{version} exists already")
    if not re.search(
        r"^- ", changelog.partition("\n## [Unreleased]")[2].partition("\n## ")[0], re.MULTILINE
    ):
        _refuse("CHANGELOG.md has nothing that is unreleased")


def _write(name: str, pattern: str | re.Pattern[str], text: str) -> None:
    path = Path(name)
    changed, count = re.subn(pattern, lambda _: text, path.read_text("utf-8"), count=1)
    if count != 1:
        _refuse(f"{name} does not have {pattern}")
    path.write_text(changed, "utf-8")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _run(*command: str, **options: object) -> None:
    if subprocess.run(command, check=False, **options).returncode != 0:  # type: ignore[call-overload]
        _refuse(f"{' '.join(command)} failed; `git checkout .` takes back what was written")


def _refuse(words: str) -> NoReturn:
    sys.exit(f"no release: {words}")


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "")
