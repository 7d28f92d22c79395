"""A process of its own that saves one file: `child.py URL TARGET [--limit-size N] [--as-nobody]`.

It prints `progress N` while it writes, then `saved PATH` or `error TEXT`, and last `left NAMES`.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import anyio.lowlevel

from seedance_async.core.results import Output, TaskSnapshot, VideoResult
from seedance_async.downloads import Downloads
from seedance_async.errors import DownloadError


async def refuse(_task_id: str) -> TaskSnapshot:
    raise AssertionError("no link expires here")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(url: str, target: str, *, as_nobody: bool) -> None:
    # Nobody may read the modules that are imported late, so import them before.
    await anyio.lowlevel.checkpoint()
    if sys.platform != "win32" and as_nobody:
        os.seteuid(65534)
    async with aiohttp.ClientSession() as session:
        downloads = Downloads(lambda: session, refuse)
        try:
            path = await downloads.save(
                VideoResult("task_1", None, (Output(url),)),
                target,
                on_progress=lambda done, _total: say(f"progress {done}"),
            )
        except DownloadError as error:
            say(f"error {error}")
        else:
            say(f"saved {path}")
        downloads.close()
    folder = Path(target) if target.endswith("/") else Path(target).parent
    say(f"left {' '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("target")
    parser.add_argument("--limit-size", type=int)
    parser.add_argument("--as-nobody", action="store_true")
    options = parser.parse_args()
    if sys.platform != "win32":
        if options.limit_size is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (options.limit_size, options.limit_size))
    asyncio.run(main(options.url, options.target, as_nobody=options.as_nobody))
