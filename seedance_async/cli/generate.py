"""What `seedance generate` does: one prompt, one video."""

import asyncio
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from seedance_async import AsyncSeedance, TaskHandle, VideoResult
from seedance_async.cli.interrupts import Interrupted, Interrupts, run_with_interrupts
from seedance_async.cli.options import InputOptions, ServiceOptions
from seedance_async.cli.service import make_session, parse_budget
from seedance_async.cli.targets import ready_target
from seedance_async.cli.terminal import Terminal, amount, quoted
from seedance_async.cli.watch import follow
from seedance_async.core.build import inputs_from_fields
from seedance_async.core.inputs import Inputs
from seedance_async.core.request import Request, prepare
from seedance_async.errors import SeedanceError, TaskFailedError

#: After an interruption: how long to wait for the answer to a create that is on the wire, since it holds the id.
LAST_ANSWER_SECONDS = 10.0


@frozen
class One:
    """What was asked for, checked and ready to go."""

    inputs: Inputs
    output: str
    target: Path
    overwrite: bool
    json: bool


def make_one(
    prompt: str,
    fields: InputOptions,
    service: ServiceOptions,
    terminal: Terminal,
    *,
    output: str,
    overwrite: bool,
    budget: str | None,
    json: bool,
) -> int:
    """Make one video, save it and print where it is."""
    inputs = inputs_from_fields({"prompt": prompt, **fields.fields()})
    request = prepare(inputs, service.chosen_catalogue())
    session = make_session(service, budget=parse_budget(budget))
    one = One(inputs, output, ready_target(output, overwrite=overwrite), overwrite, json)
    say_request(request, terminal)

    async def command(interrupts: Interrupts) -> int:
        async with session:
            return await _make(session, one, terminal, interrupts)

    return run_with_interrupts(command)


def say_request(request: Request, terminal: Terminal) -> None:
    """Show what will be sent and what it costs."""
    parts = [request.spec.id, request.resolution]
    duration = getattr(request.inputs, "duration", None)
    if duration is not None:
        parts.append(f"{duration} s")
    cost = "of unknown price" if request.credits is None else f"{amount(request.credits)} credits"
    terminal.say(f"{', '.join(parts)}: {cost}")
    for name, catalogue in request.only_in:
        terminal.say(f"{name}: only the {catalogue} catalogue knows this field")


async def _make(session: AsyncSeedance, one: One, terminal: Terminal, interrupts: Interrupts) -> int:
    handle = session.enqueue(one.inputs)
    interrupts.last_words = lambda: terminal.complain(_what_remains(handle, one.output))
    try:
        result = await interrupts.guard(follow(terminal, handle))
        path = await interrupts.guard(session.download(result, one.target, overwrite=one.overwrite))
    except Interrupted as interrupted:
        withdrawn = await _withdraw(handle)
        terminal.complain("\ninterrupted; nothing was sent" if withdrawn else _what_remains(handle, one.output))
        return interrupted.exit_code
    except Exception as error:
        if handle.task_id is not None and not isinstance(error, TaskFailedError):
            error.add_note(how_to_fetch(handle.task_id, one.output))
        raise
    if one.json:
        terminal.json(video_json(result, path))
    else:
        terminal.answer(str(path))
    return 0


async def _withdraw(handle: TaskHandle) -> bool:
    """Take the job back if nothing was sent, else learn its task id if that is a matter of seconds."""
    if handle.cancel():
        return True
    with suppress(SeedanceError, TimeoutError):
        async with asyncio.timeout(LAST_ANSWER_SECONDS):
            await handle.accepted()
    return False


def _what_remains(handle: TaskHandle, output: str) -> str:
    if handle.task_id is None:
        return (
            "\ninterrupted before the service had answered; the task may run and may be paid, and its id is not known: "
            "look at the account's page before you send it again"
        )
    fetch = how_to_fetch(handle.task_id, output)
    return f"\ninterrupted; task {handle.task_id} is paid for and goes on without us\n{fetch}"


def how_to_fetch(task_id: str, output: str) -> str:
    """Give the command that saves a task's video to the same place later."""
    place = "" if output == "." else f" -o {quoted(output)}"
    return f"fetch it with: seedance download {quoted(task_id)}{place} --wait"


def video_json(result: VideoResult, path: Path) -> dict[str, object]:
    """Describe a saved video for a script; without its URL, which may be signed."""
    first = result.outputs[0]
    return {
        "task_id": result.task_id,
        "status": "success",
        "file": path,
        "model": result.model,
        "credits_used": result.credits_used,
        "width": first.width,
        "height": first.height,
        "media_type": first.media_type,
        "seed": first.seed,
        "created_at": None if result.created_at is None else result.created_at.isoformat(),
        "completed_at": None if result.completed_at is None else result.completed_at.isoformat(),
    }
