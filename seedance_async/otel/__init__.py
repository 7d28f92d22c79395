"""Traces and metrics by OpenTelemetry: `AsyncSeedance(hooks=[OpenTelemetryHook()])`. Needs the extra `otel`.

Only the API is used: without an SDK that the application sets up, nothing is recorded. `docs/observability.md` lists
every span, attribute and metric. Prompts, keys of the API and links to files are in none of them.
"""

from seedance_async.otel.hook import OpenTelemetryHook

__all__ = ["OpenTelemetryHook"]
