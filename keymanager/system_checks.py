"""System checks (``manage.py check``) of what is installed beside Archway."""

from typing import Any

from django.core.checks import CheckMessage, Error

from keymanager.adapters.registry import GROUP, PACKAGE_FAULTS


def check_adapter_packages(**_: Any) -> list[CheckMessage]:
    """An error for each entry point of the adapters' group that gives no adapter."""
    return [
        Error(
            f"The package {fault.distribution} offers the key manager adapter {fault.name!r}, which is not used: "
            f"{fault.reason}",
            hint=f"Repair or remove the package; its entry point is in the group {GROUP}.",
            id="keymanager.E001",
        )
        for fault in PACKAGE_FAULTS
    ]
