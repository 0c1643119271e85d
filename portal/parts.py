"""The parts that one web process may serve, chosen by ``ARCHWAY_PARTS``."""

from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PARTS: Final = ("publisher", "store", "administration", "keymanager")


def served_parts() -> frozenset[str]:
    """The parts of this process. Raises ``ImproperlyConfigured`` naming an unknown one."""
    chosen = frozenset(settings.ARCHWAY_PARTS)
    unknown = sorted(chosen - set(PARTS))
    if unknown or not chosen:
        raise ImproperlyConfigured(
            f"ARCHWAY_PARTS: unknown {', '.join(unknown) or '(empty)'}; parts are {', '.join(PARTS)}"
        )
    return chosen
