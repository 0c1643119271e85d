"""``POST /revoke`` (RFC 7009): the token is dead at our gateways at once, and then at its key manager."""

from django.http import HttpRequest, HttpResponse

from keymanager.front_door.answers import empty_answer, endpoint, passed_on
from keymanager.front_door.client_authentication import AUTHENTICATION_PARAMETERS, Caller, identify
from keymanager.front_door.examining import ExaminedToken, examine
from keymanager.front_door.forms import Parameters, read_form
from keymanager.front_door.refusals import ClientRefused
from keymanager.front_door.routing import require_enabled
from keymanager.front_door.services import deny_token
from keymanager.services.token_calls import UNSUPPORTED_TOKEN_TYPE, TokenAnswer, revoke_token


@endpoint("POST")
def revoke(request: HttpRequest, key_manager_slug: str = "") -> HttpResponse:
    """200 when the token is not good any more, also when it never was or belongs to another client.

    Some key managers let any client revoke any token, so nothing is passed on for another client's. What is no access
    token as far as can be known (a refresh token, an expired one) is the key manager's to judge.
    """
    form = read_form(request)
    token = form.require("token")
    caller = identify(request, form, endpoint="revoke", key_manager_slug=key_manager_slug)
    require_enabled(caller.credential.key_manager)
    known = examine(token, key_manager=caller.credential.key_manager)
    if known is not None and not known.belongs_to(caller.credential):
        _authenticate(caller)
        return empty_answer()
    if known is None:
        return _answer(_pass_on(form, caller))
    return _revoke_own(form, caller, known)


def _revoke_own(form: Parameters, caller: Caller, known: ExaminedToken) -> HttpResponse:
    """A client whose secret we can check is heard at once, another one when its key manager has heard it."""
    token = form.require("token")
    proven = caller.secret_proven or caller.is_public
    if proven:
        deny_token(credential=caller.credential, token=token, exp=known.facts.exp)
    answer = _pass_on(form, caller)
    if not proven and (answer.status == 200 or _is_unsupported(answer)):
        if answer is UNSUPPORTED_TOKEN_TYPE:
            # The key manager was not asked, so nobody has checked the secret.
            raise ClientRefused
        deny_token(credential=caller.credential, token=token, exp=known.facts.exp)
    return empty_answer() if _is_unsupported(answer) else _answer(answer)


def _authenticate(caller: Caller) -> None:
    """Refuse a wrong secret where we can tell: a foreign token is no reason to ask the key manager."""
    if caller.credential.secret_sha256 and not caller.secret_proven and not caller.is_public:
        raise ClientRefused


def _pass_on(form: Parameters, caller: Caller) -> TokenAnswer:
    return revoke_token(
        credential=caller.credential,
        client_secret=caller.client_secret,
        parameters=form.without(*AUTHENTICATION_PARAMETERS),
    )


def _is_unsupported(answer: TokenAnswer) -> bool:
    return answer.status == 400 and answer.body.get("error") == "unsupported_token_type"


def _answer(answer: TokenAnswer) -> HttpResponse:
    """RFC 7009 section 2.2: a success has no body."""
    return empty_answer() if answer.status == 200 else passed_on(answer)
