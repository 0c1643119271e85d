"""What an answer of ``tokeninfo`` says. It names the client by its name only, and the person by ``principal``."""

import re
from collections.abc import Mapping
from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import HttpResponse, address_only
from common.redact import redact_mapping
from keymanager.adapters.contract import TokenFacts
from keymanager.adapters.rfc.answers import required_text, text_of, texts_of, whole_number

_DROPPED = re.compile(r"[^a-z0-9_-]")


def facts_of(response: HttpResponse, *, recipient: str) -> TokenFacts:
    """The facts of a token that is good, at the resource server ``recipient``: what it calls audience is the client.

    Raises ``KeyManagerProtocolError`` when what makes it usable is missing.
    """
    body = response.json_object()
    audience = required_text(body, "audience", response)
    principal = body.get("principal")
    scopes = body.get("scopes")
    if not isinstance(principal, dict) or not isinstance(scopes, list):
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered without principal or scopes")
    name = text_of(principal, "name")
    milliseconds = whole_number(body, "expires_in")
    if milliseconds is None:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered without expires_in")
    machine = is_machine(audience, name)
    return TokenFacts(
        client_id=_client_id(audience, name, machine=machine),
        # As it is: a scope with a blank inside is one scope, which nothing here has.
        scopes=frozenset(texts_of(body, "scopes")),
        exp=milliseconds // 1000 if milliseconds else None,
        sub=name,
        username="" if machine else name,
        aud=(recipient,),
        claims=redact_mapping(body),
    )


def is_machine(audience: str, principal: str) -> bool:
    """Whether the principal is the client itself: then it has the client id, which is made from the client's name."""
    derived = derived_id(audience)
    if derived == audience:
        return principal == audience
    return bool(principal) and re.fullmatch(re.escape(derived) + r"\d*", principal) is not None


def derived_id(name: str) -> str:
    """The client id that SurfOAuth makes from a name, if it is free."""
    return _DROPPED.sub("", name.lower().replace(" ", "-"))


def _client_id(audience: str, principal: str, *, machine: bool) -> str:
    """Clients of ours have their id as name. Of others, the token of a person does not tell the client id."""
    if audience == derived_id(audience):
        return audience
    return principal if machine else ""


def user_claims_of(facts: TokenFacts) -> dict[str, Any]:
    """What is known of the person behind a token; nothing for a machine."""
    principal = facts.claims.get("principal")
    if not facts.username or not isinstance(principal, Mapping):
        return {}
    attributes = principal.get("attributes")
    return {
        **(attributes if isinstance(attributes, Mapping) else {}),
        "sub": facts.username,
        "roles": list(texts_of(principal, "roles")),
        "groups": list(texts_of(principal, "groups")),
    }
