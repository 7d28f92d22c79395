"""Benchmarks: `python -m benchmarks --help`, explained in benchmarks/README.md."""
