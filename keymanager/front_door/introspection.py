"""``POST /introspect`` (RFC 7662) and ``/tokeninfo``: the token, enriched with what the portal knows of its client."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from accounts.models import Role
from accounts.queries import roles_of
from common.errors import InputError
from keymanager.front_door.answers import endpoint, json_answer
from keymanager.front_door.api_tokens import bearer_of, require_api_token
from keymanager.front_door.client_authentication import identify
from keymanager.front_door.examining import ExaminedToken, examine
from keymanager.front_door.forms import Parameters, read_form, read_query
from keymanager.front_door.refusals import BearerRefused, ClientRefused
from keymanager.front_door.verdicts import verdict_members
from keymanager.models import Credential

_INACTIVE: Final = {"active": False}
_CALL: Final = ("context", "version", "method", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: a client about its own tokens, or somebody who may ask about any (``credential`` is ``None``)."""

    credential: Credential | None = None


@endpoint("POST")
def introspect(request: HttpRequest, key_manager_slug: str = "") -> HttpResponse:
    """``{"active": false}`` for every token that is not good here, and for every token of another client."""
    form = read_form(request)
    return _answer(form.require("token"), form, _asker(request, form, key_manager_slug))


@endpoint("GET", "POST")
def tokeninfo(request: HttpRequest, key_manager_slug: str = "") -> HttpResponse:
    """The same; by GET the token itself is the credential, in the Authorization header only."""
    if request.method == "POST":
        form = read_form(request)
        return _answer(form.require("token"), form, _asker(request, form, key_manager_slug))
    query = read_query(request)
    token = bearer_of(request)
    if not token:
        raise BearerRefused("Send the token in the Authorization header.", presented=False)
    return _answer(token, query, Asker())


def _asker(request: HttpRequest, form: Parameters, key_manager_slug: str) -> Asker:
    """Raises ``BearerRefused`` or ``ClientRefused`` for whoever may not ask."""
    if bearer_of(request):
        token = require_api_token(request)
        # The right was given to an administrator: it ends with the role.
        if not token.may_introspect or Role.ADMINISTRATOR not in roles_of(token.user):
            raise BearerRefused("This API token has no right to introspect.", presented=True, lacks_rights=True)
        return Asker()
    caller = identify(request, form, endpoint="introspect", key_manager_slug=key_manager_slug)
    if not caller.secret_proven:
        raise ClientRefused
    return Asker(credential=caller.credential)


def _answer(token: str, parameters: Parameters, asker: Asker) -> HttpResponse:
    call = _asked_call(parameters)
    known = examine(token, key_manager=asker.credential.key_manager if asker.credential else None)
    if known is None or known.credential is None or known.is_revoked or not known.key_manager.takes_tokens:
        return json_answer(_INACTIVE)
    if asker.credential is not None and known.credential.pk != asker.credential.pk:
        return json_answer(_INACTIVE)
    answer = _members(known, known.credential)
    if call is not None:
        answer |= verdict_members(
            token, known.credential, context=call[0], version=call[1], method=call[2], path=call[3]
        )
    return json_answer(answer)


def _asked_call(parameters: Parameters) -> tuple[str, str, str, str] | None:
    """The call that a verdict is asked for: all four parameters or none. Raises ``InputError`` naming a missing one."""
    context, version, method, path = (parameters.get(name) for name in _CALL)
    missing = [name for name in _CALL if not parameters.get(name)]
    if len(missing) == len(_CALL):
        return None
    if missing:
        raise InputError.of(missing[0], f"{', '.join(_CALL)} belong together.")
    return context, version, method, path


def _members(known: ExaminedToken, credential: Credential) -> dict[str, Any]:
    """RFC 7662 section 2.2; what the key manager did not say is left out."""
    facts = known.facts
    standard: dict[str, Any] = {
        "scope": " ".join(sorted(facts.scopes)),
        "client_id": facts.client_id,
        "username": facts.username,
        "sub": facts.sub,
        "token_type": "Bearer",
        "exp": facts.exp,
        "iat": facts.iat,
        "nbf": facts.nbf,
        "iss": facts.iss or credential.key_manager.issuer,
        "aud": facts.aud[0] if len(facts.aud) == 1 else list(facts.aud),
        "jti": facts.jti,
    }
    return {
        "active": True,
        **{name: value for name, value in standard.items() if value not in (None, "", [])},
        "scope": standard["scope"],
        "application": {"id": str(credential.application_id), "name": credential.application.name},
        "key_manager": credential.key_manager.slug,
        "environment": credential.environment,
    }
