"""Running every process of Archway on one machine: the demo, and the smoke test that walks it."""
