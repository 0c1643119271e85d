"""A credential's side of a registration: what we must know to manage its client, sealed and opened in one place."""

from collections.abc import Mapping
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
    )


def store_handle(credential: Credential, handle: ClientHandle) -> None:
    """Keep everything that an answer said, in the caller's transaction.

    A secret that is new is kept sealed until it was shown, and longer only where the key manager keeps secrets.
    """
    credential.client_id = handle.client_id
    credential.remote_id = handle.remote_id
    credential.registration_client_uri = handle.registration_client_uri
    credential.sealed_registration_access_token = seal(
        handle.registration_access_token, context=registration_token_context(credential.pk)
    )
    digest = secret_digest(credential.pk, handle.client_secret) if handle.client_secret else ""
    if digest and digest != credential.secret_sha256:
        credential.secret_sha256 = digest
        credential.sealed_secret = seal(handle.client_secret, context=secret_context(credential.pk))
        credential.secret_unseen = True
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
    credential.secret_unseen = False
    credential.save()
