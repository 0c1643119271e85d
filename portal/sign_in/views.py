"""Pages of signing in and out."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from common.errors import ArchwayError, KeyManagerError, NotFound
from portal.sign_in.openid import ID_TOKEN_KEY, OpenIdBackend, callback_url, openid_setting
from portal.sign_in.provider import OpenIdProvider, login_provider

OPENID_BACKEND = f"{OpenIdBackend.__module__}.{OpenIdBackend.__qualname__}"


class SignInPage(LoginView):
    """The local form, and a button for the login provider. ``trouble``: why the last attempt came to nothing."""

    template_name = "registration/sign_in.html"
    trouble = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign in. A directory that is down does not look like a wrong password."""
        try:
            return super().post(request, *args, **kwargs)
        except KeyManagerError as error:
            trouble = _("%(why)s. Try again in a moment; when it stays, tell an administrator.")
            return _no_entry(request, trouble % {"why": error.message.rstrip(".")}, status=error.status)
        except ArchwayError as error:
            return _no_entry(request, error.message, status=error.status)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the providers to choose from."""
        provider = login_provider()
        providers = [provider] if provider is not None else []
        return {**super().get_context_data(), "providers": providers, "trouble": self.trouble, **kwargs}


class GoToProvider(OIDCAuthenticationRequestView):
    """Sends the browser to the provider, with state, nonce and PKCE."""

    get_settings = staticmethod(openid_setting)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The endpoints are asked for when a request comes: the provider may be down now.
        super(OIDCAuthenticationRequestView, self).__init__(*args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Go there, or say that it does not answer."""
        provider = _provider()
        try:
            self.OIDC_OP_AUTH_ENDPOINT = provider.endpoints().authorization_endpoint
        except KeyManagerError as error:
            return _no_entry(request, _does_not_answer(provider, error), status=error.status)
        self.OIDC_RP_CLIENT_ID = provider.client_id
        answer: HttpResponse = super().get(request)
        return answer

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """The redirect URI as the provider knows it."""
        return {"redirect_uri": callback_url()}


class BackFromProvider(OIDCAuthenticationCallbackView):
    """Where the provider sends the browser back to."""

    get_settings = staticmethod(openid_setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign in and go on to where the person wanted to, or say what happened and who can mend it."""
        provider = _provider()
        if "error" in request.GET:
            return self._refused(request, provider)
        try:
            if request.GET.get("iss", provider.issuer) != provider.issuer:
                raise SuspiciousOperation("the answer of another issuer")
            answer: HttpResponse = super().get(request)
            return answer
        except SuspiciousOperation:
            return self.login_failure()
        except KeyManagerError as error:
            return _no_entry(request, _does_not_answer(provider, error), status=error.status)
        except ArchwayError as error:
            trouble = _("%(label)s knows you, but the portal did not let you in: %(why)s")
            return _no_entry(request, trouble % {"label": provider.label, "why": error.message}, status=error.status)

    def login_success(self) -> HttpResponse:
        """Sign in; a session of somebody else ends, and does not take the ID token with it."""
        id_token = self.request.session.get(ID_TOKEN_KEY, "")
        answer: HttpResponse = super().login_success()
        self.request.session[ID_TOKEN_KEY] = id_token
        return answer

    def login_failure(self) -> HttpResponse:
        """The answer belongs to no sign-in that this browser began."""
        trouble = _("This sign-in was begun too long ago, or in another browser. Begin again.")
        return _no_entry(self.request, trouble, status=400)

    def _refused(self, request: HttpRequest, provider: OpenIdProvider) -> HttpResponse:
        """The provider said no (RFC 6749 section 4.1.2.1); whoever is signed in here stays so."""
        states = request.session.get("oidc_states", {})
        if states.pop(request.GET.get("state", ""), None) is None:
            return self.login_failure()
        request.session["oidc_states"] = states
        code = request.GET["error"][:60]
        trouble = _("%(label)s did not sign you in (%(code)s). Try again, or ask its administrator.")
        return _no_entry(request, trouble % {"label": provider.label, "code": code}, status=403)


class SignOutPage(LogoutView):
    """Ends the session here, and at the provider where it offers that (OpenID Connect RP-Initiated Logout 1.0)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out."""
        provider = login_provider()
        id_token = request.session.get(ID_TOKEN_KEY, "")
        came_from_there = request.session.get(BACKEND_SESSION_KEY) == OPENID_BACKEND and id_token
        answer: HttpResponse = super().post(request, *args, **kwargs)
        if provider is None or not came_from_there:
            return answer
        try:
            url = provider.endpoints().end_session_endpoint
        except KeyManagerError:
            trouble = _("You are signed out here. %(label)s does not answer, so you are still signed in there.")
            messages.warning(request, trouble % {"label": provider.label})
            return answer
        return HttpResponseRedirect(_sign_out_url(url, provider, id_token)) if url else answer


def _sign_out_url(url: str, provider: OpenIdProvider, id_token: str) -> str:
    back = f"{settings.ARCHWAY_PUBLIC_URL}/"
    query = {"id_token_hint": id_token, "client_id": provider.client_id, "post_logout_redirect_uri": back}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _provider() -> OpenIdProvider:
    provider = login_provider()
    if provider is None:
        raise NotFound
    return provider


def _does_not_answer(provider: OpenIdProvider, error: KeyManagerError) -> str:
    if error.retryable:
        trouble = _("%(label)s does not answer: %(why)s. Try again in a moment.")
    else:
        trouble = _("%(label)s could not sign you in. %(why)s Try again; when it stays, tell an administrator.")
    return trouble % {"label": provider.label, "why": error.message}


def _no_entry(request: HttpRequest, trouble: str, *, status: int) -> HttpResponse:
    """The sign-in page, saying why the last attempt came to nothing."""
    page = SignInPage(trouble=trouble)
    page.setup(request)
    wanted = page.get_redirect_url() or request.session.get("oidc_login_next") or ""
    context = page.get_context_data(next=wanted)
    return render(request, page.template_name, context, status=status)
