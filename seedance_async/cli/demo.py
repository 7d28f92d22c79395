"""What `seedance demo` does: the batch command against an emulator in this process."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from seedance_async import AsyncSeedance
from seedance_async.batch import JOURNAL, BatchReport, ExitCode, check_folder, open_folder
from seedance_async.cli.batch import say_standing
from seedance_async.cli.demo_folder import choose_folder, leave_note
from seedance_async.cli.emulate import EMULATOR_KEY
from seedance_async.cli.interrupts import Interrupts, run_with_interrupts
from seedance_async.cli.options import RowDefaults, ServiceOptions
from seedance_async.cli.quote import read_plan
from seedance_async.cli.run import BatchJob
from seedance_async.cli.terminal import Terminal, amount, count
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.polling import FixedPolling
from seedance_async.testing import Emulator
from seedance_async.testing.clips import can_render

#: Fewer than the prompts and fewer than a session tries at first, so that it meets the limit.
LIMIT: Final = 4
#: In the middle the account takes one task less: limits of real accounts change as well.
LOWERED_AT: Final = 9
LOWERED_TO: Final = 3
#: Tasks of two to four minutes take four to eight seconds.
SPEED: Final = 30.0
LOOK_EVERY: Final = 0.5
#: The prompt that the emulator refuses.
MARK: Final = "[fail:"


def run_demo(
    output: str, terminal: Terminal, *, json: bool, speed: float = SPEED, look_every: float = LOOK_EVERY
) -> int:
    """Make the demo's videos and say what was seen.

    Args:
        output: The folder, or the first of the folders to try.
        terminal: Where progress goes.
        json: Whether to print the report as JSON.
        speed: How many times faster than the service tasks go.
        look_every: Seconds between two looks at a task.
    """
    folder = choose_folder(Path(output))
    if folder != Path(output):
        terminal.complain(f"{output} holds files that are not an untouched demo; writing to {folder}")
    with as_file(files("seedance_async.cli").joinpath("prompts.jsonl")) as prompts:
        plan = read_plan(str(prompts), RowDefaults(), ServiceOptions(catalogue="classic"))
    standing = open_folder(folder).standing(plan)
    check_folder(standing, folder)
    terminal.say("a demo against an emulated service in this process: no key, no network, nothing is spent")
    say_standing(standing, terminal, LIMIT, folder)
    terminal.say(f"here tasks go {speed:g} times as fast")
    if not can_render():
        terminal.say(
            "every video will be the same small clip; for clips of the asked size and length: "
            'pip install "seedance-async[emulator]"'
        )
    # Its service ends with it, so there is nothing to go on with.
    job = BatchJob(plan, folder, terminal, json=json, standing=standing, go_on=None)
    planned = {row.index for row in plan.rows if MARK in row.inputs.prompt}

    async def command(interrupts: Interrupts) -> int:
        emulator = Emulator(
            limit=LIMIT,
            speed=speed,
            catalogue=Catalogue.CLASSIC,
            faults=[f"limit:nth={LOWERED_AT},value={LOWERED_TO}"],
            clips="auto",
            api_key=EMULATOR_KEY,
        )
        async with emulator:
            session = AsyncSeedance(
                emulator.api_key,
                base_url=emulator.base_url,
                catalogue=Catalogue.CLASSIC,
                polling=FixedPolling(look_every),
                journal=folder / JOURNAL,
                hooks=[job.hook],
            )
            report = await job.run(session, interrupts)
            seen = emulator.statistics()
        terminal.say(
            f"the emulator saw {count(seen.creates, 'create')}: {seen.accepted:,} accepted, "
            f"{seen.refusals:,} over the limit and sent again later"
        )
        leave_note(folder)
        if report.stopped is not None:
            terminal.complain("this was a demo: its service has ended with it, and there is nothing to fetch or to pay")
        else:
            imaginary = f"{amount(seen.credits_spent)} imaginary credits, nothing real"
            terminal.say(f"{imaginary}; the failure is part of the demo")
        return int(exit_code(report, planned))

    return run_with_interrupts(command)


def exit_code(report: BatchReport, planned: set[int]) -> ExitCode:
    """Take the failure that the demo shows on purpose for a success, and nothing else."""
    left = {row.row.index for row in report.rows if row.status != "done"}
    failed = {row.row.index for row in report.rows if row.status == "failed"}
    return ExitCode.DONE if report.stopped is None and left == failed == planned else report.exit_code
