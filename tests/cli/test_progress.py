"""How a running batch looks: bounded in height and width, and quiet about what has one reason in common."""

import asyncio
import io
from decimal import Decimal
from pathlib import Path, PurePosixPath

import pytest
from attrs import evolve
from rich.console import Console

from seedance_async.batch import (
    CreditsBack,
    PlannedRow,
    Progress,
    RowEnded,
    RowRunning,
    RowSaving,
    RowStatus,
    ServiceBack,
    ServiceUnreachable,
    StopReason,
    SubmittingStopped,
    WaitingForCredits,
)
from seedance_async.cli.options import RowDefaults, ServiceOptions
from seedance_async.cli.progress import ACTIVE_ROWS, SHOWN_TROUBLES, BatchView
from seedance_async.cli.quote import read_plan
from seedance_async.cli.terminal import Terminal
from seedance_async.hooks import Refusal
from tests.batch.plans import plan_of, standing_of
from tests.batch.records import running, written

PROGRESS = Progress(
    total=10_000,
    ended={"done": 4_200, "failed": 31},
    running=50,
    saving=3,
    waiting=5_716,
    slots_used=50,
    slot_limit=50,
    credits_used=Decimal(840_000),
    credits_reserved=Decimal(10_000),
    seconds_left=7_300.0,
)


@pytest.fixture
def rows(tmp_path: Path) -> tuple[PlannedRow, ...]:
    """Two hundred rows."""
    (tmp_path / "a.txt").write_text("".join(f"a lake, number {n}\n" for n in range(200)))
    return read_plan(str(tmp_path / "a.txt"), RowDefaults(), ServiceOptions()).rows


def make_view(width: int = 80, height: int = 24, *, live: bool = True) -> tuple[BatchView, io.StringIO]:
    """A view on a terminal of this size, or on a file."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, height=height, force_terminal=live, color_system=None, markup=False, highlight=False,
        legacy_windows=False, soft_wrap=True,
    )  # fmt: skip
    return BatchView(Terminal(console=console), clock=lambda: 100.0), stream


def drawn(view: BatchView, progress: Progress) -> list[str]:
    """The lines of the picture."""
    console = view.terminal.console
    with console.capture() as capture:
        console.print(view.picture(progress), soft_wrap=False)
    return capture.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (30, 10), (200, 60), (20, 5)])
def test_the_picture_fits(rows: tuple[PlannedRow, ...], width: int, height: int) -> None:
    """Whatever runs, it stays below the terminal's height and width and below a fixed number of rows."""
    view, _ = make_view(width, height)
    for row in rows:
        view.on_event(RowRunning(row, "task_x", "generating"))
    lines = drawn(view, PROGRESS)
    assert len(lines) <= max(4, min(height - 1, ACTIVE_ROWS + 4))
    assert max(map(len, lines)) <= width


def test_the_picture_has_what_one_wants_to_know(rows: tuple[PlannedRow, ...]) -> None:
    """Counts, slots, credits, time left, the rows at work and how many more there are."""
    view, _ = make_view(100)
    for row in rows[:10]:
        view.on_event(RowRunning(row, "task_x", "generating"))
    view.on_event(RowSaving(rows[0], "task_x"))
    view.on_event(RowEnded(rows[1], "done", "task_x"))
    text = "\n".join(drawn(view, PROGRESS))
    for words in (
        "4,231 of 10,000, 31 failed", "50 of 50 slots, 3 saving, 5,716 waiting", "about 2h01m left",
        "840,000 credits used, 10,000 reserved", "and 1 more", "saving",
    ):  # fmt: skip
        assert words in text


def test_statuses_of_the_service_cannot_steer_the_terminal(rows: tuple[PlannedRow, ...]) -> None:
    """The service's word is shown, without its control characters."""
    view, _ = make_view()
    view.on_event(RowRunning(rows[0], "task_x", "\x1b[2Jodd"))
    assert "\x1b" not in "\n".join(drawn(view, PROGRESS))


def test_troubles_beyond_a_number_are_only_counted(rows: tuple[PlannedRow, ...]) -> None:
    """A screen is not flooded; a log has them all."""
    for live, expected in ((True, SHOWN_TROUBLES + 1), (False, len(rows))):
        view, stream = make_view(live=live)
        for row in rows:
            view.on_event(RowEnded(row, "failed", "task_x", message="task task_x failed"))
        assert len(stream.getvalue().splitlines()) == expected


@pytest.mark.parametrize("status", ["not_submitted", "running"])
def test_what_has_one_reason_is_left_to_the_summary(rows: tuple[PlannedRow, ...], status: RowStatus) -> None:
    """Two hundred rows that were not sent are one line of the summary."""
    view, stream = make_view(live=False)
    for row in rows:
        view.on_event(RowEnded(row, status, None, message="interrupted"))
    assert stream.getvalue() == ""


def test_messages_hold_no_signed_url(rows: tuple[PlannedRow, ...]) -> None:
    """Whatever the message of a row says."""
    view, stream = make_view()
    view.on_event(RowEnded(rows[0], "not_saved", "t", message="GET https://files.example/a.mp4?sig=planted failed"))
    assert "planted" not in stream.getvalue()


def test_each_limit_is_said_once() -> None:
    """A refusal is normal; only news about the limit are news."""
    view, stream = make_view()
    for limit in (4, 4, None, 3, 3):
        view.on_session_event(Refusal("key", limit, limit))
    assert [line[:27] for line in stream.getvalue().splitlines()] == [
        "the account takes 4 tasks a",
        "the account takes 3 tasks a",
    ]


def test_an_outage_and_its_end_are_said() -> None:
    """And no row fails for it."""
    view, stream = make_view()
    view.on_event(ServiceUnreachable("the service is not reachable"))
    view.on_event(ServiceBack())
    assert stream.getvalue().splitlines() == ["the service is not reachable", "the service answers again"]


def test_the_screen_is_clean_afterwards() -> None:
    """The picture disappears when the batch ends; only lines that matter stay."""
    view, stream = make_view()

    async def show_for_a_moment() -> None:
        task = asyncio.create_task(view.show(lambda: PROGRESS))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(show_for_a_moment())
    assert "4,231 of 10,000" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K" * 1)


def test_tasks_of_earlier_runs_are_shown_from_the_beginning() -> None:
    """With their age; and nobody is told a second time that they were accepted."""
    plan = plan_of({"id": "lake", "prompt": "a lake"})
    standing = standing_of(plan, [running(written(plan.rows[0]), "task_old")])
    view, _ = make_view()
    view.attach(standing)
    (line,) = [line for line in drawn(view, PROGRESS) if "attached" in line]
    assert "lake.mp4" in line
    assert "1h00m" in line
    plain, stream = make_view(live=False)
    plain.attach(standing)
    plain.on_event(RowRunning(plan.rows[0], "task_old", "generating"))
    assert stream.getvalue() == ""


def test_videos_of_one_row_are_told_apart(rows: tuple[PlannedRow, ...]) -> None:
    """They have one line of the file and two keys."""
    second = evolve(rows[0], key=f"{rows[0].key}#2", variant=2, file=PurePosixPath("second.mp4"))
    view, _ = make_view()
    for row in (rows[0], second):
        view.on_event(RowRunning(row, f"task_{row.variant}", "generating"))
    assert sum("generating" in line for line in drawn(view, PROGRESS)) == 2


def test_waiting_for_credits_is_no_estimate(rows: tuple[PlannedRow, ...]) -> None:
    """It says why nothing happens, that it costs nothing, and when there are credits again."""
    view, stream = make_view(live=False)
    view.on_event(WaitingForCredits("the account has too few credits; one row is tried every 10 minutes", 600.0))
    view.on_event(CreditsBack())
    assert [line for line in stream.getvalue().splitlines() if "credits" in line][1] == "there are credits again"
    lines = "\n".join(drawn(view, evolve(PROGRESS, no_credits="the account has too few credits")))
    assert "waiting for credits" in lines
    assert " left" not in lines


@pytest.mark.parametrize("reason", ["interrupt", "terminate", "hangup"])
def test_a_signal_is_told_by_whoever_took_it(reason: StopReason) -> None:
    """Once is enough."""
    view, stream = make_view(live=False)
    view.on_event(SubmittingStopped(reason, "interrupted"))
    assert stream.getvalue() == ""
