"""Members of a client that only some key managers have: declared by their adapters, checked before they are saved."""

from collections.abc import Mapping
from typing import Any

from common.errors import InputError
from keymanager.adapters.config import parse_config
from keymanager.models import KeyManager
from keymanager.services.adapters import adapter_for


def checked_extra(key_manager: KeyManager, values: Mapping[str, Any], *, mapped: bool = False) -> dict[str, Any]:
    """``values`` when the key manager's adapter has such members; what is left out is the server's own default.

    ``mapped``: the client was made elsewhere, so nothing can be set. Raises ``InputError`` naming ``extra.<member>``.
    """
    fields = None if mapped else adapter_for(key_manager).ClientFields
    if fields is not None:
        parse_config(fields, values, prefix="extra")
    elif values:
        fault = "Nothing is changed at a client made elsewhere." if mapped else "This key manager has no such member."
        named = {f"extra.{name}": [fault] for name in values}
        raise InputError(f"{next(iter(named))}: {fault}", fields=named)
    return dict(values)
