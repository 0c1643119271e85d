"""Who calls the REST API: a bearer API token of the portal, or the browser's session.

Tokens of key managers are never accepted here: the portal's own API and the published APIs do not share credentials.
"""

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.queries import find_api_token


class ApiTokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer awt_...`` (RFC 6750 section 2.1)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's user and the token; ``None`` when there is no bearer credential."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find_api_token(value.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                "This is not a live API token of the portal. Access tokens of key managers are for the gateway."
            )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 answer."""
        return 'Bearer realm="archway"'


class PortalSessionAuthentication(SessionAuthentication):
    """The browser's session, with CSRF protection."""
