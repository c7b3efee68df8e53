"""Each example runs, on a virtual clock, and says what it says it says."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio

if TYPE_CHECKING:
    from trio.testing import MockClock

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(FOLDER.glob("[0-9]*.py"))


async def output_of(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    spec = spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    await module.main()
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_has_its_test(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 60
    assert f'output_of("{path.stem}"' in Path(__file__).read_text()


async def test_first_queue(capsys: pytest.CaptureFixture[str], autojump_clock: MockClock) -> None:
    lines = await output_of("01_first_queue", capsys)

    assert lines[:-1] == [
        "served: a cup of tea",
        "coffee is running",
        "cancelling coffee: requested",
        "coffee ended cancelled",
        "served: a cup of water",
    ]
    assert "completed=2" in lines[-1]
    assert trio.current_time() == pytest.approx(0.3)


async def test_progress(capsys: pytest.CaptureFixture[str], autojump_clock: MockClock) -> None:
    lines = await output_of("02_progress", capsys)

    assert sorted(lines) == [
        "100% (2/2) Copying for anna",
        "100% (3/3) Copying for ben",
        "33% (1/3) Copying for ben",
        "50% (1/2) Copying for anna",
        "67% (2/3) Copying for ben",
    ]
