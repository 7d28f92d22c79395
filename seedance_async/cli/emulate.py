"""What `seedance emulator` does: the imitated service until Ctrl-C."""

import os
from collections.abc import Sequence
from typing import Final

from seedance_async.batch import ExitCode
from seedance_async.cli.explain import CommandError
from seedance_async.cli.interrupts import Interrupts, run_with_interrupts
from seedance_async.cli.options import DEFAULT_CATALOGUE
from seedance_async.cli.service import parse_credits
from seedance_async.cli.terminal import Terminal, amount, count
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.links import is_loopback
from seedance_async.testing import KINDS, Emulator, Fault, Statistics

#: What clients give as their key; the emulator knows no other.
EMULATOR_KEY: Final = "test-key"


def serve(
    terminal: Terminal,
    *,
    host: str,
    port: int,
    limit: int,
    credits_text: str,
    speed: float,
    seed: int,
    faults: Sequence[str],
    catalogue: str | None,
) -> int:
    """Serve until a signal comes, then say what was asked of it."""
    if "help" in faults:
        for line in fault_lines():
            terminal.answer(line)
        return int(ExitCode.DONE)
    if not 0 <= port <= 65535:
        raise CommandError(f"--port is from 0 to 65535, not {port}")
    if not 0 < speed < float("inf"):
        raise CommandError(f"--speed is more than 0, not {speed:g}")
    emulator = Emulator(
        host=host,
        port=port,
        limit=limit,
        credits=parse_credits(credits_text),
        speed=speed,
        seed=seed,
        fresh_ids=True,
        catalogue=Catalogue.named(catalogue or DEFAULT_CATALOGUE),
        faults=parse_faults(faults),
        clips="auto",
        api_key=EMULATOR_KEY,
    )

    async def command(interrupts: Interrupts) -> int:
        async with emulator:
            _greet(terminal, emulator, host)
            await interrupts.wait()
            terminal.say()  # the terminal has just shown ^C
            for line in statistics_lines(emulator.statistics()):
                terminal.say(line)
        return int(ExitCode.DONE)

    return run_with_interrupts(command)


def parse_faults(texts: Sequence[str]) -> list[Fault]:
    """Read the faults of a command line.

    Raises:
        CommandError: One of them cannot be read.
    """
    try:
        return [Fault.parse(text) for text in texts]
    except ValueError as error:
        raise CommandError(f"--fault: {error} (all of them: seedance emulator --fault help)") from None


def fault_lines() -> list[str]:
    """List every kind of fault with its meaning."""
    width = max(map(len, KINDS))
    return [
        "--fault KIND or --fault KIND:name=value,name=value",
        "names: on, nth, every, rate, prompt, since, until, count, seconds, value",
        "",
        *(f"{name:{width}}  {kind.text} ({', '.join(kind.places)})" for name, kind in KINDS.items()),
        f"{'http-502':{width}}  Any HTTP status, before the service looks at the request. (create, poll, file)",
        "",
        "Marks in a prompt: [fail:moderation], [fail:server,times=2], [takes:90], [waits:30], [stuck]",
    ]


def statistics_lines(statistics: Statistics) -> list[str]:
    """Say what was asked of the emulator and what became of it."""
    refused = {status: number for status, number in statistics.refused.items() if status != 429}
    others = "".join(f", {number:,} answered {status}" for status, number in sorted(refused.items()))
    creates = f"{count(statistics.creates, 'create')}: {statistics.accepted:,} accepted"
    creates += f", {statistics.refusals:,} over the limit{others}, {statistics.cut:,} cut off by faults"
    tasks = f"{count(statistics.succeeded, 'task')} succeeded, {statistics.failed:,} failed"
    tasks += f", {statistics.in_progress:,} in progress, {statistics.peak_in_progress:,} at most"
    money = f"credits: {amount(statistics.credits_spent)} spent, {amount(statistics.credits_refunded)} refunded"
    money += f", {amount(statistics.credits_available)} left; none of them real"
    return [
        creates,
        f"{tasks} of {statistics.limit:,}",
        f"{count(statistics.polls, 'poll')}, {count(statistics.file_requests, 'file request')}",
        money,
    ]


def _greet(terminal: Terminal, emulator: Emulator, host: str) -> None:
    terminal.answer(f"base URL: {emulator.base_url}")
    terminal.answer(f"API key:  {emulator.api_key}")
    if os.name == "nt":
        terminal.answer(
            f'use it:   $env:SEEDANCE_BASE_URL="{emulator.base_url}"; $env:KINOVI_API_KEY="{emulator.api_key}"'
        )
    else:
        terminal.answer(f"use it:   export SEEDANCE_BASE_URL={emulator.base_url} KINOVI_API_KEY={emulator.api_key}")
    terminal.answer(f"counts:   {emulator.url}/emulator/statistics")
    if not is_loopback(host):
        terminal.complain(
            f"warning: {host} can be reached from other computers; the emulator checks no key that means anything"
        )
    terminal.say("Ctrl-C ends it")
