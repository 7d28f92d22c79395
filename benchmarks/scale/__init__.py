"""Scenario `scale`: ten thousand handles in one process, and a hundred thousand inputs."""
