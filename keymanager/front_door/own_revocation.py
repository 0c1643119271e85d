"""Revoking a token for the person whose team owns its client, without the client's secret being typed."""

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, KeyManagerError
from keymanager.front_door.examining import examine
from keymanager.front_door.services import deny_token
from keymanager.models import Credential
from keymanager.sealing import unseal_secret
from keymanager.services.token_calls import revoke_token


def revoke_own_token(*, actor: Actor, credential: Credential, token: str) -> bool:
    """Refuse the token at every gateway from now on, then tell its key manager (RFC 7009 section 2.1).

    Returns whether the key manager took the revocation too. Raises ``InputError`` naming ``token`` when it is no good
    token of this client, ``KeyManagerUnavailable`` when nobody can say whose it is.
    """
    actor.require_role(Role.APP_DEVELOPER)
    known = examine(token, key_manager=credential.key_manager)
    if known is None or known.is_revoked or not known.belongs_to(credential):
        raise InputError.of("token", "This is not a token of this client that is still good.")
    deny_token(credential=credential, token=token, exp=known.facts.exp, actor=actor)
    if not credential.sealed_secret:
        return False
    parameters = (("token", token), ("token_type_hint", "access_token"))
    try:
        answer = revoke_token(credential=credential, client_secret=unseal_secret(credential), parameters=parameters)
    except KeyManagerError:
        return False
    return answer.status == 200
