"""A web application that makes videos, with FastAPI. `uvicorn examples.fastapi_app.main:app` runs it."""
