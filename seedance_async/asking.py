"""Ask for one task once."""

from seedance_async.core.answers import NoAnswer, api_error
from seedance_async.core.decode import decode_record
from seedance_async.core.redact import redact_json, redact_links
from seedance_async.core.results import TaskSnapshot
from seedance_async.errors import ApiError, ConnectionFailedError, SeedanceError
from seedance_async.transport import Transport


async def ask(transport: Transport, task_id: str) -> TaskSnapshot:
    """Ask for a task once.

    Raises:
        TaskNotFoundError: The service knows no such task.
        ApiError: The service refused to answer.
        ConnectionFailedError: No answer came.
    """
    reply = await transport.poll(task_id)
    error: SeedanceError
    if isinstance(reply, NoAnswer):
        error = ConnectionFailedError(str(reply.cause))
    elif reply.status != 200:
        error = api_error(reply, transport.key.source)
    else:
        snapshot = decode_record(reply.body, task_id)
        if snapshot is not None:
            return snapshot
        error = ApiError(
            200, "the answer is no record of the task; check base_url", redact_json(reply.body, redact_links)
        )
    error.task_id = task_id
    raise error
