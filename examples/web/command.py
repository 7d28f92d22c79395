"""The command line of both applications."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from examples.web.settings import WebSettings
from seedance_async import ConfigurationError
from seedance_async.testing import EmulatorThread
from seedance_async.testing.clips import can_render


def arguments(program: str) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=program, description="A web application that makes videos.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument("--demo", action="store_true", help="against an emulator: no key, nothing is spent")
    parser.add_argument("--quiet", action="store_true", help="write no line for each request")
    return parser.parse_args()


@contextmanager
def settings_for(options: argparse.Namespace) -> Iterator[WebSettings]:
    """Give the settings of the environment, or for `--demo` those of an emulator in this process.

    Raises:
        SystemExit: A setting is missing or wrong, in one sentence.
    """
    try:
        settings = WebSettings.from_environment()
        if not options.demo:
            # A server would put what this has to say below a traceback.
            settings.session()
    except ConfigurationError as error:
        raise SystemExit(f"error: {error}") from None
    if not options.demo:
        yield settings
        return
    # Two at a time and half a minute each, so that there is a queue to watch.
    with (
        tempfile.TemporaryDirectory() as folder,
        EmulatorThread(limit=2, speed=8.0, fresh_ids=True, clips="auto" if can_render() else "packaged") as emulator,
    ):
        print(f"demo: http://{options.host}:{options.port} (an emulated service; nothing is spent)")
        print("a prompt with [fail:moderation] is refused, as the service would refuse it")
        yield attrs.evolve(
            settings,
            api_key=emulator.api_key,
            base_url=emulator.base_url,
            journal=Path(folder) / "videos.db",
            poll_every=0.5,
        )
