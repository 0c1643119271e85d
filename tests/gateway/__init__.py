"""Tests that start a real Envoy."""
