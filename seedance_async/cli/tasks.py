"""What `seedance status` and `seedance download` do: tasks that are known by their ids."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from seedance_async import TaskSnapshot
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.batch.manifest import planned_files
from seedance_async.cli.explain import CommandError, exit_code_of, without_secrets, words_of
from seedance_async.cli.generate import video_json
from seedance_async.cli.interrupts import Interrupted, Interrupts, run_with_interrupts
from seedance_async.cli.options import ServiceOptions
from seedance_async.cli.service import make_session
from seedance_async.cli.targets import is_folder_name, ready_folder, ready_target
from seedance_async.cli.terminal import Terminal, amount, one_line, span
from seedance_async.errors import SeedanceError

#: Tasks looked after at a time; the session bounds requests and downloads further down.
AT_A_TIME = 16

_T = TypeVar("_T")


@frozen
class _Trouble:
    """Why one id came to nothing."""

    task_id: str
    text: str
    exit_code: ExitCode = ExitCode.FAILED

    @classmethod
    def of(cls, task_id: str, error: SeedanceError) -> "_Trouble":
        return cls(task_id, without_secrets(words_of(error)), exit_code_of(error))

    @property
    def line(self) -> str:
        return f"{one_line(self.task_id, 80)}: {self.text}"

    @property
    def json(self) -> dict[str, object]:
        return {"task_id": self.task_id, "error": self.text}


def show_status(task_ids: Sequence[str], service: ServiceOptions, terminal: Terminal, *, json: bool) -> int:
    """Print a line per task, in the order of the ids."""
    ids = _once(task_ids)
    session = make_session(service)

    async def look(task_id: str) -> TaskSnapshot | _Trouble:
        try:
            return await session.snapshot(task_id)
        except SeedanceError as error:
            return _Trouble.of(task_id, error)

    async def command(interrupts: Interrupts) -> int:
        async with session:
            found = await interrupts.guard(_each(look, ids, AT_A_TIME))
        for one in found:
            if isinstance(one, _Trouble):
                terminal.complain(one.line)
            elif not json:
                terminal.answer(_status_line(one))
        if json:
            terminal.json([one.json if isinstance(one, _Trouble) else _status_json(one) for one in found])
        return _worst(one.exit_code for one in found if isinstance(one, _Trouble))

    return run_with_interrupts(command)


def save_videos(
    task_ids: Sequence[str],
    service: ServiceOptions,
    terminal: Terminal,
    *,
    output: str,
    wait: bool,
    overwrite: bool,
    json: bool,
) -> int:
    """Save the videos of tasks and print a file name for each, as they come."""
    ids = _once(task_ids)
    target = _target(ids, output, overwrite=overwrite)
    planned = planned_files(target)
    session = make_session(service)

    async def save(task_id: str) -> dict[str, object] | _Trouble:
        try:
            snapshot = await session.snapshot(task_id)
            if not snapshot.terminal:
                if not wait:
                    word = one_line(snapshot.status, 40)
                    return _tell(_Trouble(task_id, f"not finished yet ({word}); add --wait to wait for it"))
                terminal.say(_status_line(snapshot))
            result = await session.attach(task_id)
            place = target / planned[task_id] if task_id in planned else target
            path = await session.download(result, place, overwrite=overwrite)
        except SeedanceError as error:
            return _tell(_Trouble.of(task_id, error))
        if not json:
            terminal.answer(str(path))
        return video_json(result, path)

    def _tell(trouble: _Trouble) -> _Trouble:
        terminal.complain(trouble.line)
        return trouble

    async def command(interrupts: Interrupts) -> int:
        async with session:
            try:
                done = await interrupts.guard(_each(save, ids, len(ids) if wait else AT_A_TIME))
            except Interrupted as interrupted:
                terminal.complain("\ninterrupted; nothing is lost: give the same command again")
                return interrupted.exit_code
        if json:
            terminal.json([one.json if isinstance(one, _Trouble) else one for one in done])
        return _worst(one.exit_code for one in done if isinstance(one, _Trouble))

    return run_with_interrupts(command)


def _target(ids: Sequence[str], output: str, *, overwrite: bool) -> Path:
    """Take `-o` as a file only for one task and only if it looks like one."""
    path = Path(output)
    if len(ids) == 1 and path.suffix and not is_folder_name(output):
        return ready_target(output, overwrite=overwrite)
    if path.is_file():
        raise CommandError(f"{output} is a file; {len(ids)} videos need a folder")
    ready_folder(path)
    return path


def _once(task_ids: Sequence[str]) -> list[str]:
    """Drop ids that were given twice, and check that none is blank."""
    ids = [task_id.strip() for task_id in task_ids]
    if not ids or not all(ids):
        raise CommandError("give at least one TASK_ID" if not ids else "a TASK_ID is empty")
    return list(dict.fromkeys(ids))


async def _each(work: Callable[[str], Awaitable[_T]], ids: Sequence[str], at_a_time: int) -> list[_T]:
    slots = asyncio.Semaphore(at_a_time)

    async def one(task_id: str) -> _T:
        async with slots:
            return await work(task_id)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(task_id)) for task_id in ids]
    return [task.result() for task in tasks]


def _worst(codes: Iterable[ExitCode]) -> int:
    """A refused key outweighs single failures: nothing else works before it is mended."""
    seen = set(codes)
    if ExitCode.ACCOUNT in seen:
        return int(ExitCode.ACCOUNT)
    return int(ExitCode.FAILED if seen else ExitCode.DONE)


def _status_line(snapshot: TaskSnapshot) -> str:
    parts = [snapshot.task_id or "", one_line(snapshot.status, 40), snapshot.model or ""]
    if snapshot.credits_used is not None:
        parts.append(f"{amount(snapshot.credits_used)} credits")
    seconds = _seconds(snapshot)
    if seconds is not None:
        parts.append(span(seconds))
    if snapshot.error is not None:
        code = "" if snapshot.error.code is None else f"[{snapshot.error.code}] "
        parts.append(without_secrets(one_line(code + snapshot.error.message)) + " (refunded)")
    return "  ".join(part for part in parts if part)


def _seconds(snapshot: TaskSnapshot) -> float | None:
    if snapshot.created_at is None:
        return None
    end = snapshot.completed_at or (None if snapshot.terminal else datetime.now(UTC))
    return None if end is None else (end - snapshot.created_at).total_seconds()


def _status_json(snapshot: TaskSnapshot) -> dict[str, object]:
    first = snapshot.outputs[0] if snapshot.outputs else None
    return {
        "task_id": snapshot.task_id,
        "status": snapshot.status,
        "finished": snapshot.terminal,
        "model": snapshot.model,
        "credits_used": snapshot.credits_used,
        "width": None if first is None else first.width,
        "height": None if first is None else first.height,
        "error": None
        if snapshot.error is None
        else {"code": snapshot.error.code, "message": without_secrets(snapshot.error.message)},
        "created_at": None if snapshot.created_at is None else snapshot.created_at.isoformat(),
        "completed_at": None if snapshot.completed_at is None else snapshot.completed_at.isoformat(),
    }
