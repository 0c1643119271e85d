"""Whose token is it, and is it good: what ``/revoke`` and ``/introspect`` must know before they answer."""

import hashlib
import uuid
from dataclasses import dataclass
from functools import cache

from common.clock import SystemClock
from common.errors import KeyManagerUnavailable
from keymanager.adapters.contract import KeyManagerAdapter, TokenFacts
from keymanager.front_door.routing import usable_credentials
from keymanager.models import Credential, KeyManager, RevokedToken
from keymanager.services.adapters import adapter_for
from keymanager.validation import loader
from keymanager.validation.facts import KeyManagerFacts
from keymanager.validation.resolved import GoodToken, NoAnswer
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.snapshot import Snapshot


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


class _Adapters:
    def adapter(self, key_manager: KeyManagerFacts) -> KeyManagerAdapter:
        return adapter_for(KeyManager.objects.get(pk=uuid.UUID(int=key_manager.id)))


@cache
def _resolver() -> TokenResolver:
    """One for the process, so that signing keys are fetched once. Adapters are kept by their settings' revision."""
    return TokenResolver(_Adapters(), SystemClock())


def examine(token: str, *, key_manager: KeyManager | None = None) -> ExaminedToken | None:
    """The token if it is a good access token, else ``None``; nothing is cached.

    ``key_manager``: the only one that an opaque token is shown to. Raises ``KeyManagerUnavailable`` when a key manager
    that had to be asked did not answer.
    """
    snapshot = Snapshot()
    snapshot.put_key_managers(loader.key_managers())
    accepted = None if key_manager is None else frozenset({key_manager.pk.int})
    answer = _resolver().resolve(token, snapshot, accepted)
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
