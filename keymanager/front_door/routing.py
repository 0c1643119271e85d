"""Which client, at which key manager, a request is about."""

from django.db.models import QuerySet

from common.errors import InputError, KeyManagerUnavailable
from keymanager.front_door.refusals import ClientRefused
from keymanager.models import Credential, KeyManager
from keymanager.registrations.states import Wish
from subscriptions.states import ApplicationState

_DISABLED_RETRY_SECONDS = 60


def usable_credentials() -> QuerySet[Credential]:
    """Credentials that have a client and are wanted: not removed, not being removed, application active."""
    return (
        Credential.objects.filter(
            removed_at=None, application__state=ApplicationState.ACTIVE, registration__wish=Wish.PRESENT
        )
        .exclude(client_id="")
        .select_related("application", "key_manager", "registration")
    )


def find_credentials(client_id: str, key_manager_slug: str = "") -> list[Credential]:
    """The usable credentials with this client id, at one key manager or at all of them."""
    if not client_id or len(client_id) > 255:
        return []
    rows = usable_credentials().filter(client_id=client_id)
    if key_manager_slug:
        rows = rows.filter(key_manager__slug=key_manager_slug)
    return list(rows)


def the_credential(rows: list[Credential], *, endpoint: str) -> Credential:
    """The only one. Raises ``ClientRefused`` for none, ``InputError`` naming the addresses to use for several."""
    if not rows:
        raise ClientRefused
    if len(rows) > 1:
        addresses = " or ".join(sorted(f"/{endpoint}/{row.key_manager.slug}" for row in rows))
        raise InputError.of("client_id", f"This client exists at more than one key manager; use {addresses}.")
    return rows[0]


def require_enabled(key_manager: KeyManager) -> None:
    """Raise ``KeyManagerUnavailable`` (503 ``temporarily_unavailable``) for a switched-off key manager.

    One whose tokens are still accepted also still issues them: the clients that exist there go on.
    """
    if not key_manager.takes_tokens:
        raise KeyManagerUnavailable(
            f"The key manager {key_manager.slug} is switched off.", retry_after=_DISABLED_RETRY_SECONDS
        )
