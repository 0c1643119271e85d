"""A credential's side of a registration: what we must know to manage its client, sealed and opened in one place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from keymanager.adapters.contract import ClientHandle, ClientMetadata
from keymanager.models import Credential
from keymanager.sealing import (
    registration_token_context,
    seal,
    secret_context,
    secret_digest,
    unseal,
    unseal_secret,
)


def metadata_of(credential: Credential, wanted: Mapping[str, Any]) -> ClientMetadata:
    """The stored wish as the adapter takes it; the marker is the credential's own id."""
    return ClientMetadata(
        client_name=str(wanted["client_name"]),
        marker=str(credential.pk),
        grant_types=tuple(wanted["grant_types"]),
        response_types=tuple(wanted["response_types"]),
        redirect_uris=tuple(wanted["redirect_uris"]),
        token_endpoint_auth_method=str(wanted["token_endpoint_auth_method"]),
        scopes=frozenset(wanted["scopes"]),
        resources=frozenset(wanted.get("resources", ())),
        extra=dict(wanted.get("extra", {})),
    )


def handle_of(credential: Credential) -> ClientHandle:
    """What is stored to manage the client, secrets opened."""
    return ClientHandle(
        client_id=credential.client_id,
        remote_id=credential.remote_id,
        client_secret=unseal_secret(credential),
        registration_access_token=unseal(
            credential.sealed_registration_access_token, context=registration_token_context(credential.pk)
        ),
        registration_client_uri=credential.registration_client_uri,
        secret_id=credential.secret_id,
    )


def store_handle(credential: Credential, handle: ClientHandle) -> bool:
    """Keep everything that an answer said, in the caller's transaction; True when the secret is another one."""
    credential.client_id = handle.client_id
    credential.remote_id = handle.remote_id
    credential.registration_client_uri = handle.registration_client_uri
    credential.sealed_registration_access_token = seal(
        handle.registration_access_token, context=registration_token_context(credential.pk)
    )
    credential.secret_id = handle.secret_id
    replaced = new_secret(credential, handle.client_secret)
    credential.save()
    return replaced


def new_secret(credential: Credential, client_secret: str) -> bool:
    """Take ``client_secret`` over unless it is "" or the one that is known; True when it is another one.

    It is kept sealed until it was shown, and longer only where the key manager keeps secrets. Saved by the caller.
    """
    digest = secret_digest(credential.pk, client_secret) if client_secret else ""
    if not digest or digest == credential.secret_sha256:
        return False
    credential.secret_sha256 = digest
    credential.sealed_secret = seal(client_secret, context=secret_context(credential.pk))
    credential.secret_unseen = True
    credential.client_secret_expires_at = 0
    credential.old_secret_sha256, credential.old_secret_until = "", None
    return True


def keep_old_secret(credential: Credential, digest: str, *, expires_at: int) -> None:
    """The secret with this digest stays good beside the new one; ``expires_at``: epoch seconds, 0 until dropped."""
    credential.old_secret_sha256 = digest
    credential.old_secret_until = datetime.fromtimestamp(expires_at, UTC) if expires_at else None
    credential.save()


def forget_old_secret(credential: Credential) -> None:
    """Only the present secret is good."""
    credential.old_secret_sha256, credential.old_secret_until = "", None
    credential.save()


def forget_client(credential: Credential) -> str:
    """Let go of a client that can no longer be managed from here; returns the client id that was left behind."""
    left = credential.client_id
    credential.client_id = credential.remote_id = credential.registration_client_uri = ""
    forget_secrets(credential)
    return left


def forget_secrets(credential: Credential) -> None:
    """Erase every secret of the credential."""
    credential.sealed_secret = credential.sealed_registration_access_token = credential.secret_sha256 = ""
    credential.sealed_mapped_secret = credential.secret_id = ""
    credential.secret_unseen = False
    credential.client_secret_expires_at = 0
    forget_old_secret(credential)
