"""Golden frames of the line in different widths and styles.

After a change that is meant, run this file as a program: it writes them again.
"""

from __future__ import annotations

import re
from pathlib import Path

from fakes.job_snapshots import snapshot
from fakes.status_models import NOW, states
from hypothesis import given, strategies as st
from rows import for_each

from ticketr import JobErrorInfo, JobStatus
from ticketr.statusline import LineStyle, StatusModel
from ticketr.text import width

FRAMES = Path(__file__).with_name("frames.txt")
WIDTHS = (20, 40, 80, 200)
STYLES = {
    "unicode": LineStyle(),
    "ascii": LineStyle(unicode=False),
    "no motion": LineStyle(motion=False),
}


def frames(model: StatusModel) -> list[str]:
    """Render each width in Unicode, and 80 cells in other styles; a bar marks the end of the row."""
    return [
        f"{name} {cells}|{model.line(cells, NOW, style)}|"
        for name, style in STYLES.items()
        for cells in (WIDTHS if name == "unicode" else (40, 80))
    ]


def golden() -> dict[str, list[str]]:
    parts = FRAMES.read_text(encoding="utf-8").split("\n\n")
    return {name: rows for name, *rows in (part.splitlines() for part in parts)}


@for_each("name", sorted(states()))
def test_a_frame_equals_its_golden_frame(name: str) -> None:
    assert frames(states()[name]) == golden()[name]


def test_every_golden_frame_is_drawn() -> None:
    assert sorted(golden()) == sorted(states())


@for_each("name", sorted(states()))
def test_a_row_is_exactly_as_wide_as_asked(name: str) -> None:
    model = states()[name]

    for style in STYLES.values():
        for cells in range(-1, 120):
            row = model.line(cells, NOW, style)
            assert width(row) == max(cells, 0)
            assert not re.search(r"[\x00-\x1f\x7f-\x9f]", row)


def test_the_ascii_style_draws_in_ascii() -> None:
    for name, model in states().items():
        if name != "hostile message":
            assert model.line(80, NOW, LineStyle(unicode=False)).isascii()


NUMBERS = st.floats(min_value=0, max_value=1e300) | st.integers(0, 10**9)


@given(
    st.text(max_size=60),
    st.text(max_size=30),
    st.sampled_from(JobStatus),
    NUMBERS,
    NUMBERS,
    st.floats(min_value=0, max_value=1e9),
    st.integers(0, 120),
    st.sampled_from(sorted(STYLES)),
)
def test_any_job_at_any_width_gives_a_row_of_that_width(
    message: str,
    name: str,
    status: JobStatus,
    current: float,
    total: float,
    now: float,
    cells: int,
    style: str,
) -> None:
    job = snapshot(
        name=name,
        status=status,
        message=message,
        current=current,
        total=total,
        finished=now,
        error=JobErrorInfo(name, message, "") if status is JobStatus.FAILED else None,
    )
    model = StatusModel().see(snapshot("0"), 0.0).see(job, now).see(job, now + 1)

    assert width(model.line(cells, now, STYLES[style])) == cells
    assert "\x1b" not in model.line(cells, now, STYLES[style])


def write() -> None:
    parts = ("\n".join([name, *frames(model)]) for name, model in states().items())
    FRAMES.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
