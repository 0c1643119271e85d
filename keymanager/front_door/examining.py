"""Whose token is it, and is it good: what ``/revoke`` and ``/introspect`` must know before they answer."""

import hashlib
import uuid
from dataclasses import dataclass
from functools import cache

from common.clock import SystemClock
from common.errors import KeyManagerUnavailable
from keymanager.front_door.routing import usable_credentials
from keymanager.models import Credential, KeyManager, RevokedToken
from keymanager.services.token_calls import TokenFacts
from keymanager.validation.configured_adapters import ConfiguredAdapters
from keymanager.validation.database_facts import DatabaseFacts
from keymanager.validation.resolved import GoodToken, NoAnswer
from keymanager.validation.resolver import TokenResolver


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedToken:
    """An access token that its key manager vouches for. ``credential``: its client, if it is one of ours and wanted."""

    key_manager: KeyManager
    facts: TokenFacts
    credential: Credential | None
    is_revoked: bool

    def belongs_to(self, credential: Credential) -> bool:
        """True when the token was issued to this client."""
        return self.credential is not None and self.credential.pk == credential.pk


@cache
def _resolver() -> TokenResolver:
    """One for the process, so that signing keys are fetched once. Adapters are kept by their settings' revision."""
    return TokenResolver(ConfiguredAdapters(), SystemClock())


def examine(token: str, *, key_manager: KeyManager | None = None) -> ExaminedToken | None:
    """The token if it is a good access token, else ``None``; nothing is cached.

    ``key_manager``: the only one that an opaque token is shown to. Raises ``KeyManagerUnavailable`` when a key manager
    that had to be asked did not answer.
    """
    accepted = None if key_manager is None else frozenset({key_manager.pk.int})
    answer = _resolver().resolve(token, DatabaseFacts(), accepted)
    if isinstance(answer, NoAnswer):
        raise KeyManagerUnavailable(answer.reason, retry_after=answer.retry_after)
    if not isinstance(answer, GoodToken):
        return None
    owner = KeyManager.objects.get(pk=uuid.UUID(int=answer.key_manager_id))
    client_id = answer.facts.client_id
    return ExaminedToken(
        key_manager=owner,
        facts=answer.facts,
        credential=usable_credentials().filter(key_manager=owner, client_id=client_id).first() if client_id else None,
        is_revoked=RevokedToken.objects.filter(token_sha256=hashlib.sha256(token.encode()).hexdigest()).exists(),
    )
