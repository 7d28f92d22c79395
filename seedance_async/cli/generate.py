"""What `seedance generate` does: one prompt, one video."""

import asyncio
from contextlib import suppress
from pathlib import Path

from attrs import define, frozen

from seedance_async import AsyncSeedance, TaskHandle, VideoResult
from seedance_async.cli.explain import explain, without_secrets
from seedance_async.cli.interrupts import Interrupted, Interrupts, run_with_interrupts
from seedance_async.cli.loglines import told_by_events
from seedance_async.cli.options import InputOptions, ServiceOptions
from seedance_async.cli.service import make_session, parse_budget
from seedance_async.cli.targets import ready_target
from seedance_async.cli.terminal import Terminal, amount, one_line, quoted
from seedance_async.cli.watch import follow
from seedance_async.contents import look
from seedance_async.core.inputs import Inputs
from seedance_async.core.request import Request, prepare_row
from seedance_async.errors import SeedanceError, TaskFailedError
from seedance_async.hooks import Drift, GateClosed, GateOpened, HookEvent, PossibleDouble, Uploaded

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
    """Make one video, save it and print where it is; with `json` a failure of any kind is an object as well."""
    job: list[TaskHandle] = []
    try:
        request = prepare_row({"prompt": prompt, **fields.fields()}, service.chosen_catalogue(), look)
        session = make_session(service, budget=parse_budget(budget), hooks=[Told(terminal)])
        one = One(request.inputs, output, ready_target(output, overwrite=overwrite), overwrite, json)
        say_request(request, terminal)

        async def command(interrupts: Interrupts) -> int:
            with told_by_events():
                async with session:
                    job.append(session.enqueue(one.inputs))
                    return await _make(session, job[0], one, terminal, interrupts)

        return run_with_interrupts(command)
    except Exception as error:
        if json:
            terminal.json(failure_json(job[0].task_id if job else None, error))
        raise


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


async def _make(
    session: AsyncSeedance, handle: TaskHandle, one: One, terminal: Terminal, interrupts: Interrupts
) -> int:
    end = _End(handle, terminal, one.output, json=one.json)
    interrupts.last_words = end.say
    try:
        result = await interrupts.guard(follow(terminal, handle))
        path = await interrupts.guard(session.download(result, one.target, overwrite=one.overwrite))
    except Interrupted as interrupted:
        await end.wait_for_answer()
        end.say()
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


@frozen
class Told:
    """Says what a session tells of a job beyond its state; listen with it as a hook."""

    terminal: Terminal

    def __call__(self, event: HookEvent) -> None:
        """Take an event."""
        match event:
            case GateClosed(reason=reason):
                self.terminal.complain(f"waiting for the service: {without_secrets(one_line(reason))}")
            case GateOpened():
                self.terminal.complain("the service answers again")
            case PossibleDouble(reason=reason):
                why = without_secrets(one_line(reason))
                self.terminal.complain(f"sent again after an error of the service, may be paid twice: {why}")
            case Drift():
                self.terminal.complain(f"{event.what} should be {event.expected} and is {event.actual}")
            case Uploaded(path=path, size=size) if path is not None:
                self.terminal.say(f"uploaded {one_line(Path(path).name, 60)} ({size:,} bytes)")
            case _:
                pass


@define
class _End:
    """Takes a job back after a signal if that is possible, and says once what is left of it."""

    handle: TaskHandle
    terminal: Terminal
    output: str
    json: bool
    _withdrawn: bool = False
    _said: bool = False

    async def wait_for_answer(self) -> None:
        """Learn the task id of a create that is on the wire, if that is a matter of seconds."""
        if self._withdraw() or self.handle.task_id is not None:
            return
        self.terminal.complain("\nwaiting for the answer of the service, which has the task's id; once more to leave")
        with suppress(SeedanceError, TimeoutError):
            async with asyncio.timeout(LAST_ANSWER_SECONDS):
                await self.handle.accepted()

    def say(self) -> None:
        """Say it; a second signal neither repeats nor contradicts what the first one said."""
        if self._said:
            return
        self._said = True
        withdrawn, task_id = self._withdraw(), self.handle.task_id
        text = f"interrupted; {'nothing was sent' if withdrawn else self._what_is_left()}"
        self.terminal.complain(f"\n{text}")
        if self.json:
            charged = "no" if withdrawn else "maybe" if task_id is None else "yes"
            status = "unknown" if charged == "maybe" else "interrupted"
            self.terminal.json({"task_id": task_id, "status": status, "error": text, "charged": charged})

    def _withdraw(self) -> bool:
        # A job can be taken back once; what counts is that it was.
        self._withdrawn = self._withdrawn or self.handle.cancel()
        return self._withdrawn

    def _what_is_left(self) -> str:
        task_id = self.handle.task_id
        if task_id is None:
            return (
                "the service had not answered yet: the task may run and may be paid, and its id is not known; "
                "look at the account's page before you send it again"
            )
        state = "is finished and paid for" if self.handle.done() else "is paid for and goes on without us"
        return f"task {task_id} {state}\n{how_to_fetch(task_id, self.output)}"


def how_to_fetch(task_id: str, output: str) -> str:
    """Give the command that saves a task's video to the same place later."""
    place = "" if output == "." else f" -o {quoted(output)}"
    return f"fetch it with: seedance download {quoted(task_id)}{place} --wait"


def failure_json(task_id: str | None, error: Exception) -> dict[str, object]:
    """Describe why there is no video, and whether it is paid for all the same."""
    known = error if isinstance(error, SeedanceError) else None
    charged = "no" if known is None and task_id is None else "yes" if known is None else known.charged
    return {
        "task_id": task_id,
        "status": "fail" if isinstance(error, TaskFailedError) else "unknown" if charged == "maybe" else "error",
        "error": explain(error)[0],
        "charged": charged,
    }


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
