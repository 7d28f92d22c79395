"""The application of the environment, for `uvicorn examples.fastapi_app.main:app`."""

from examples.fastapi_app.app import make_app

app = make_app()
