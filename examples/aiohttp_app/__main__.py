"""Run the application: `python -m examples.aiohttp_app`, or with `--demo` against an emulator, without a key."""

from aiohttp import web

from examples.aiohttp_app.app import make_app
from examples.web.command import arguments, settings_for
from examples.web.settings import GRACE


def main() -> None:
    """Serve until a signal comes."""
    options = arguments("python -m examples.aiohttp_app")
    with settings_for(options) as settings:
        web.run_app(
            make_app(settings),
            host=options.host,
            port=options.port,
            print=None if options.quiet else print,
            # A client that leaves while it waits for a video ends its handler, which gives its place in the queue back.
            handler_cancellation=True,
            # Streams of events end by themselves when the signal comes; this bounds how long files may take.
            shutdown_timeout=GRACE,
        )


if __name__ == "__main__":
    main()
