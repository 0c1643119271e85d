"""Which grant types clients of a key manager may have."""

from keymanager.adapters.contract import TOKEN_EXCHANGE, Capability
from keymanager.models import KeyManager
from keymanager.registrations import rules
from keymanager.services.adapters import adapter_for


def offered_grant_types(key_manager: KeyManager) -> frozenset[str]:
    """The grant types that clients at the key manager may have, from its configuration."""
    adapter = adapter_for(key_manager)
    configured = getattr(getattr(adapter, "knobs", adapter.config), "grant_types", rules.GRANT_TYPES)
    return frozenset(configured) & grants_passed_on(key_manager)


def grants_passed_on(key_manager: KeyManager) -> frozenset[str]:
    """The grant types that the token endpoint passes on to the key manager, whoever made the client there."""
    known = frozenset(rules.GRANT_TYPES)
    return known if Capability.EXCHANGE_TOKEN in adapter_for(key_manager).capabilities else known - {TOKEN_EXCHANGE}
