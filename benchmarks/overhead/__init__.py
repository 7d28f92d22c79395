"""Scenario `overhead`: what the SDK itself costs per task, when the service takes no time at all."""
