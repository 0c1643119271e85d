"""``POST /token`` (RFC 6749 section 3.2): passed on to the key manager that owns the client."""

from django.http import HttpRequest, HttpResponse

from common.errors import InputError, NotSupported
from keymanager.adapters.contract import TOKEN_EXCHANGE
from keymanager.front_door.answers import endpoint, passed_on
from keymanager.front_door.asked_scopes import saying_scope, with_allowed_scope
from keymanager.front_door.client_authentication import AUTHENTICATION_PARAMETERS, Caller, identify
from keymanager.front_door.forms import Parameters, read_form
from keymanager.front_door.refusals import GrantNotAllowed
from keymanager.front_door.routing import require_enabled
from keymanager.front_door.token_exchange import check_exchange
from keymanager.registrations.rules import CONFIDENTIAL_ONLY, GRANT_TYPES
from keymanager.services.offered_grants import grants_passed_on
from keymanager.services.token_calls import issue_token


@endpoint("POST")
def token(request: HttpRequest, key_manager_slug: str = "") -> HttpResponse:
    """The key manager's own answer. Nothing of the token is stored or logged.

    A key manager that is switched off or unreachable is 503 ``temporarily_unavailable`` with ``Retry-After``: RFC 6749
    has no code for it at the token endpoint, so the one of its section 4.1.2.1 is used. Scopes that the client may not
    have are not asked for; the answer's ``scope`` says so (RFC 6749 section 3.3).
    """
    form = read_form(request)
    caller = identify(request, form, endpoint="token", key_manager_slug=key_manager_slug)
    _check_grant(form, caller)
    require_enabled(caller.credential.key_manager)
    cut = with_allowed_scope(form, caller.credential)
    answer = issue_token(
        credential=caller.credential,
        client_secret=caller.client_secret,
        parameters=cut.without(*AUTHENTICATION_PARAMETERS),
    )
    return passed_on(saying_scope(answer) if cut != form else answer)


def _check_grant(form: Parameters, caller: Caller) -> None:
    grant_type = form.require("grant_type")
    if grant_type not in GRANT_TYPES:
        raise NotSupported(f"The grant types of this endpoint are {', '.join(GRANT_TYPES)}.")
    key_manager = caller.credential.key_manager
    if grant_type == TOKEN_EXCHANGE and grant_type not in grants_passed_on(key_manager):
        raise NotSupported(f"The key manager {key_manager.slug} exchanges no tokens.")
    if grant_type not in caller.credential.grant_types or (caller.is_public and grant_type in CONFIDENTIAL_ONLY):
        raise GrantNotAllowed(f"This client may not use the grant type {grant_type}.")
    if caller.is_public and grant_type == "authorization_code" and not form.get("code_verifier"):
        raise InputError.of("code_verifier", "A client without a secret must use PKCE (RFC 7636).")
    if grant_type == TOKEN_EXCHANGE:
        check_exchange(form)
