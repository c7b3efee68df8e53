"""jira.js, a client for Node.js, does a day's work on the sandbox, unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from sandbox_child import sandbox_child

from jira_sandbox import EMAIL, TOKEN

PACKAGE = "jira.js@5.4.0"
SCRIPT = Path(__file__).with_name("jira_js.mjs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the package is installed; skip without Node.js or a registry."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node or npm is not installed")
    folder = tmp_path_factory.mktemp("jira_js")
    install = [npm, "install", "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(
        install, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[-300:]}")
    shutil.copy(SCRIPT, folder)
    return folder


@pytest.mark.stress
def test_jira_js_does_a_days_work(folder: Path) -> None:
    with sandbox_child(tickets=5) as (_process, url):
        done = subprocess.run(
            ["node", SCRIPT.name, url, EMAIL, TOKEN],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "summary": "Changed",
        "labels": ["js"],
        "status": "In Progress",
        "isMine": True,
        "hasComment": [True],
        "links": ["DEMO-1"],
        "found": ["Changed"],
    }
