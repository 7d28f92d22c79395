"""The last resort for the id of a paid task that the journal did not take: tell whoever reads the output."""

import logging
import sys

from seedance_async.job import Job

logger = logging.getLogger("seedance_async")


def tell_unwritten(job: Job) -> None:
    """Print and log the task id of a job that was accepted and could not be written down.

    Printed, because an application that shows no log would lose what was paid for.
    """
    text = f"task {job.task_id} of job {job.key!r} was accepted and its id could not be written down: keep it"
    logger.critical("%s", text)
    # A process without a terminal may have none.
    if sys.stderr is not None:
        sys.stderr.write(f"seedance_async: {text}\n")
