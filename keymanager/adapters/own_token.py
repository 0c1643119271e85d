"""A step of the connection check: does introspection see the tokens that this identity provider issues?

Some call good tokens inactive: of other clients, or as long as the asking client is not in their audience.
"""

from common.errors import KeyManagerProtocolError, NotSupported
from keymanager.adapters.contract import Capability, ClientHandle, Inactive, KeyManagerAdapter, TokenRequest
from keymanager.adapters.token_rules import checks_locally

STEP = "introspect a fresh token"
STEP_OF_OUR_CLIENT = "introspect our own client's fresh token"


def see_own_token(adapter: KeyManagerAdapter, client: ClientHandle) -> str:
    """Get a token as ``client`` and introspect it as ourselves; what there is to say.

    Raises ``NotSupported`` (to be skipped) where no token is introspected or ``client`` gets none, else whatever the
    adapter raises, and ``KeyManagerProtocolError`` with the adapter's hint when introspection does not see the token.
    """
    if Capability.ISSUE_TOKEN not in adapter.capabilities or not adapter.knows_opaque_tokens:
        raise NotSupported("No token is introspected here.")
    asked = (("grant_type", "client_credentials"),)
    answer = adapter.issue_token(
        TokenRequest(client_id=client.client_id, client_secret=client.client_secret, parameters=asked)
    )
    if not answer.ok:
        raise NotSupported(f"{client.client_id} gets no token: {answer.body.get('error', answer.status)}.")
    token = str(answer.body["access_token"])
    if token.count(".") == 2 and checks_locally(adapter):
        return "It is a JWT: its signature decides, nobody is asked."
    seen = adapter.introspect(token)
    if isinstance(seen, Inactive):
        hint = adapter.introspection_hint or "Is our client allowed to introspect the tokens of other clients?"
        raise KeyManagerProtocolError(f"Introspection does not see a token that was just issued. {hint}")
    return f"It is of the client {seen.client_id}." if seen.client_id else "It is active, and names no client."
