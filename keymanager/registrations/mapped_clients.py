"""Clients that were made elsewhere: asking the key manager what can be proved of one, and keeping the answer."""

from datetime import UTC, datetime
from typing import Final

from common.redact import redact_text
from keymanager.adapters.contract import Capability, ClientHandle, KeyManagerAdapter, Verification
from keymanager.models import Credential
from keymanager.registrations.client_facts import new_secret
from keymanager.registrations.rules import PUBLIC
from keymanager.registrations.work import Answer, Refusal
from keymanager.sealing import mapped_secret_context, seal, unseal

CLIENT_NOT_FOUND: Final = "client_not_found"
WRONG_SECRET: Final = "wrong_secret"
CLIENT_TAKEN: Final = "client_taken"
_UNPROVED_OWNER: Final = "No secret was given, so nothing proves that the client belongs to your team."
_UNPROVED_EXISTENCE: Final = "Whether the client exists could not be checked."
_UNPROVED_SECRET: Final = "Whether the secret is right could not be checked."


def claim_secret(credential: Credential, client_secret: str) -> None:
    """Remember the secret that the team says is the client's, until the key manager was asked. Saved by the caller."""
    credential.sealed_mapped_secret = seal(client_secret, context=mapped_secret_context(credential.pk))


def verify_claim(credential: Credential, adapter: KeyManagerAdapter) -> Answer:
    """Ask the key manager about the claimed client. Nothing is changed there."""
    claimed = ClientHandle(
        client_id=credential.mapped_client_id,
        client_secret=unseal(credential.sealed_mapped_secret, context=mapped_secret_context(credential.pk)),
    )
    others = Credential.objects.filter(key_manager=credential.key_manager_id, client_id=claimed.client_id)
    if others.filter(removed_at=None).exclude(pk=credential.pk).exists():
        return Answer(refusal=Refusal(code=CLIENT_TAKEN, message="Another credential has this client already."))
    found = _with_what_is_open(_ask(adapter, claimed), credential, has_secret=bool(claimed.client_secret))
    return Answer(handle=claimed, verification=found, refusal=_refusal(found, claimed))


def keep_claim(credential: Credential, answer: Answer, *, now: float) -> bool:
    """Keep what was found, and take the client for proved unless it was refused; True when it was. Saves the row."""
    found = answer.verification
    if found is not None:
        credential.verification = {
            "exists": found.exists,
            "secret_works": found.secret_works,
            "notes": [redact_text(note) for note in found.notes],
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        }
    proved = answer.refusal is None and answer.handle is not None
    if proved and answer.handle is not None:
        credential.client_id = answer.handle.client_id
        new_secret(credential, answer.handle.client_secret)
        # The team knows it already: there is nothing to show once.
        credential.secret_unseen = False
        if not credential.key_manager.keep_secrets:
            credential.sealed_secret = ""
        credential.sealed_mapped_secret = ""
    credential.save()
    return proved


def _ask(adapter: KeyManagerAdapter, claimed: ClientHandle) -> Verification:
    if Capability.VERIFY_CLIENT in adapter.capabilities:
        return adapter.verify_client(claimed)
    return Verification(exists=None, secret_works=None, notes=("This key manager proves nothing about such clients.",))


def _with_what_is_open(found: Verification, credential: Credential, *, has_secret: bool) -> Verification:
    """With a sentence for each thing that could not be verified."""
    notes = list(found.notes)
    if found.exists is None and not found.secret_works:
        notes.append(_UNPROVED_EXISTENCE)
    if has_secret and found.secret_works is None:
        notes.append(_UNPROVED_SECRET)
    if not has_secret and credential.token_endpoint_auth_method != PUBLIC:
        notes.append(_UNPROVED_OWNER)
    return Verification(
        exists=found.exists,
        secret_works=found.secret_works if has_secret else None,
        notes=tuple(dict.fromkeys(notes)),
    )


def _refusal(found: Verification, claimed: ClientHandle) -> Refusal | None:
    if found.exists is False:
        return Refusal(code=CLIENT_NOT_FOUND, message=f"The key manager has no client {claimed.client_id}.")
    if found.secret_works is False:
        said = " ".join(("The key manager refuses this client id with this secret.", *found.notes))
        return Refusal(code=WRONG_SECRET, message=redact_text(said))
    return None
