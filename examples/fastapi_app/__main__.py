"""Run the application: `python -m examples.fastapi_app`, or with `--demo` against an emulator, without a key."""

import uvicorn

from examples.fastapi_app.app import make_app
from examples.web.command import arguments, settings_for
from examples.web.settings import GRACE


def main() -> None:
    """Serve until a signal comes."""
    options = arguments("python -m examples.fastapi_app")
    with settings_for(options) as settings:
        uvicorn.run(
            make_app(settings),
            host=options.host,
            port=options.port,
            log_level="warning" if options.quiet else "info",
            # Streams of events end by themselves when the signal comes; this bounds how long files may take.
            timeout_graceful_shutdown=GRACE,
        )


if __name__ == "__main__":
    main()
