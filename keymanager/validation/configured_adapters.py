"""Adapters of the key managers that are configured in the database."""

import uuid

from common.errors import ConfigurationError
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.models import KeyManager
from keymanager.services.adapters import adapter_for
from keymanager.validation.facts import KeyManagerFacts


class ConfiguredAdapters:
    """``AdapterSource`` on the database."""

    def adapter(self, key_manager: KeyManagerFacts) -> KeyManagerAdapter:
        """See ``AdapterSource``."""
        row = KeyManager.objects.filter(pk=uuid.UUID(int=key_manager.id)).first()
        if row is None:
            raise ConfigurationError(f"the key manager {key_manager.slug} is gone")
        return adapter_for(row)
