"""Envoy as the gateway: plain values in, configuration files out, applied atomically and acknowledged; its process.

Nothing here knows Django or the database.
"""
