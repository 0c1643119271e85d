"""The rows that every SurfOAuth ships with."""

from tests.fakes.surfoauth.store import Client, Person, Principal, ResourceServer, Store, Token

ADMIN_SERVER = 99998
ADMIN_TOKEN = "00000000-0000-4000-8000-000000000001"
_ART = "https://raw.github.com/OpenConextApps/apis/master/apis-images"


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def plant(store: Store) -> None:
    """Fill an empty store."""
    for server in (
        ResourceServer(
            id=99999, name="university-foo", key="university-foo", secret=_uuid(4), owner=None, scopes=["read"],
            contact_name="foo.bar", contact_email="foo@university.org", thumb_nail_url=f"{_ART}/university.png",
        ),
        ResourceServer(
            id=ADMIN_SERVER, name="Authorization Server Apis", key="authorization-server-admin", secret=_uuid(3),
            owner=None, scopes=["read", "write"], contact_name="local admin", contact_email="localadmin@example.com",
            thumb_nail_url=f"{_ART}/surf-oauth.png",
        ),
        ResourceServer(
            id=99997, name="it-test-resource-server", key="it-test-resource-server", secret="somesecret",
            owner="it-test-enduser", scopes=["read"], contact_name="it test", contact_email="it-test@example.com",
        ),
        ResourceServer(
            id=99991, name="CDK", key="cdk-resource-server", secret=_uuid(5), owner="showroom_shopmanager",
            scopes=["read"], contact_name="surfconext-beheer", contact_email="surfconext-beheer@surfnet.nl",
            thumb_nail_url=f"{_ART}/surf-conext-logo.png",
        ),
    ):  # fmt: skip
        store.servers[server.id] = server
    both = ["read", "write"]
    for client in (
        _client(99999, 99999, "cool_app_id", "secret", ["read"]),
        Client(
            id=99998, server_id=ADMIN_SERVER, name="authorization server admin js client", secret=None, scopes=both,
            client_id="authorization-server-admin-js-client", implicit=True, include_principal=True,
            expire_duration=1800,
        ),
        _client(99997, 99997, "it-test-client", "somesecret", both),
        Client(
            id=99996, server_id=99997, name="it test client no consent refresh", secret="somesecret2", scopes=both,
            client_id="it-test-client-no-consent-refresh", skip_consent=True, use_refresh_tokens=True,
            expire_duration=3600, implicit=True,
        ),
        Client(
            id=99995, server_id=99997, name="it test client grant", client_id="it-test-client-grant",
            secret="somesecret-grant", scopes=both, implicit=True,
        ),
        Client(
            id=99993, server_id=99997, name="it test client credential grant", scopes=["read"],
            client_id="it-test-client-credential-grant", secret="some-secret-client-credential-grant",
            client_credentials=True,
        ),
        Client(
            id=99992, server_id=99991, name="cdk-gadget-client", client_id="cdk-gadget-client", secret=None,
            implicit=True, include_principal=True,
        ),
    ):  # fmt: skip
        store.clients[client.id] = client
    # The blank behind the name is the server's.
    for number, value, client_pk, owner, scopes in (
        (99998, ADMIN_TOKEN, 99998, "admin-enduser", both),
        (99999, _uuid(2), 99999, "emma.blunt", ["read"]),
        (99997, "00-11-22-33", 99997, "it-test-enduser ", both),
    ):
        store.tokens[number] = Token(
            id=number, value=value, refresh=None, client=client_pk, client_id=store.clients[client_pk].client_id,
            owner=owner, principal=Principal(name=owner), scopes=list(scopes),
        )  # fmt: skip
    store.people[99999] = Person(id=99999, username="emma.blunt", password="")


def _client(number: int, server: int, client_id: str, secret: str, scopes: list[str]) -> Client:
    return Client(id=number, server_id=server, name=client_id, client_id=client_id, secret=secret, scopes=scopes)
