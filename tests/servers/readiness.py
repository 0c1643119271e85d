"""Readiness probes over HTTP."""

import urllib.request


def answers(url: str) -> bool:
    """Whether the URL answers 200 now; refused and reset connections and timeouts count as not yet."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:  # URLError, HTTPError and TimeoutError are kinds of it
        return False
