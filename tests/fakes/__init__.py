"""Faithful fakes: real servers on loopback with switchable habits and faults."""
