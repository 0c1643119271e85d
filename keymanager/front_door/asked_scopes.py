"""The scopes that a request asks for, cut to what the client may have (RFC 6749 section 3.3)."""

from dataclasses import replace

from common.scopes import format_scope
from keymanager.adapters.contract import TokenAnswer
from keymanager.front_door.forms import Parameters
from keymanager.models import Credential
from keymanager.services.allowances import cut_scopes


def with_allowed_scope(asked: Parameters, credential: Credential) -> Parameters:
    """The same parameters with a shorter ``scope`` where the client may not have all of it; equal when it may.

    Raises ``InputError`` naming ``scope`` and the scopes when nothing is left. No ``scope`` asks for what the key
    manager gives by default.
    """
    scopes = [key for key in asked.get("scope").split(" ") if key]
    left = cut_scopes(credential, scopes, name="scope")
    if left == scopes:
        return asked
    return Parameters(pairs=tuple((key, " ".join(left) if key == "scope" else value) for key, value in asked.pairs))


def saying_scope(answer: TokenAnswer) -> TokenAnswer:
    """An answer to a shortened request: it must say what was granted, because that is not what was asked for."""
    if not answer.ok or "scope" in answer.body:
        return answer
    return replace(answer, body={**answer.body, "scope": format_scope(answer.scopes)})
