"""Measurements of a running Archway on this machine: ``python -m bench [part ...]``. See ``docs/benchmarks.md``."""
