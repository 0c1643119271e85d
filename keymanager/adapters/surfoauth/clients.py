"""Clients: create, read, update, delete, rotate, find, list."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient, Verification
from keymanager.adapters.rfc.answers import CLIENT_GONE
from keymanager.adapters.surfoauth.administration import Administration, Exchange
from keymanager.adapters.surfoauth.bodies import Remote, copied, parsed, registered, wanted
from keymanager.adapters.surfoauth.config import SurfOAuthConfig
from keymanager.adapters.surfoauth.refusals import NAME_TAKEN, NOT_UNIQUE, SERVER_LOST, halfway
from keymanager.adapters.surfoauth.resource_servers import ResourceServers, Server, lock_of
from keymanager.adapters.surfoauth.tokens import Tokens


class Clients:
    """The client operations of one configured SurfOAuth."""

    def __init__(
        self, config: SurfOAuthConfig, administration: Administration, servers: ResourceServers, tokens: Tokens
    ) -> None:
        self._config = config
        self._administration = administration
        self._servers = servers
        self._tokens = tokens

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """A new client named after the marker; one that an earlier, unanswered call made is taken over."""
        body = wanted(self._config, metadata)
        server = self._servers.for_scopes(metadata.scopes)
        with self._lock(server.id):
            made = self._made(server, body)
            if made is not None and made.client_id == body["name"]:
                return _checked(registered(made, None, body))
            return self._taken_over(server, made, body)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """``None`` when it is gone, never when only its resource server is not ours any more."""
        remote = self._remote(handle)
        return None if remote is None else _kept_id(registered(remote, handle, {}), handle)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """By reading, changing and writing the whole; mends a rotation that was broken off, and moves between APIs."""
        body = wanted(self._config, metadata)
        remote = self._needed(handle)
        home = self._servers.for_scopes(metadata.scopes) if self._servers.per_api else None
        if home is not None and home.id != remote.server_id:
            return self._made_again(handle, remote, home, body)
        with self._lock(remote.server_id):
            remote = self._needed(handle)
            if remote.client_id != handle.client_id:
                remote = self._with_new_secret(remote, handle.client_id, body)
            self._write(remote, {**body, "name": remote.name})
            stored = self._needed(handle)
        return registered(stored, handle, {**body, "name": remote.name})

    def delete(self, handle: ClientHandle) -> None:
        """One that is gone is success; one whose resource server is not ours any more is not."""
        remote = self._addressed(handle)
        if remote is None:
            return
        with self._lock(remote[0]):
            self._delete(*remote, handle)

    def rotate(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret, in place or by making the client again, as configured."""
        remote = self._needed(handle)
        with self._lock(remote.server_id):
            remote = self._needed(handle)
            if self._config.rotation == "recreate":
                server = self._servers.read(remote.server_id)
                if server is None:
                    raise _server_lost(handle)
                return self._made_again(handle, remote, server, wanted(self._config, metadata))
            rotated = self._rotated(remote, handle)
        if not self._tokens.lives(rotated.client_id, rotated.secret):
            raise KeyManagerProtocolError("SurfOAuth gave a client secret that does not work")
        return registered(rotated, handle, {})

    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        """Delete the client and make it again as it was: only that ends its tokens. The secret is another one."""
        remote = self._needed(handle)
        with self._lock(remote.server_id):
            remote = self._needed(handle)
            server = self._servers.read(remote.server_id)
            if server is None:
                raise _server_lost(handle)
            return self._made_again(handle, remote, server, copied(remote)).handle

    def find(self, marker: str) -> RegisteredClient | None:
        """By name; the one that has the name as its client id goes before a double."""
        found = [remote for remote in self.all() if remote.name == marker]
        if not found:
            return None
        return registered(min(found, key=lambda remote: remote.client_id != marker), None, {})

    def all(self) -> Iterator[Remote]:
        """Every client of our resource servers."""
        for server in self._servers.in_use():
            yield from self.of_server(server.id)

    def of_server(self, server_id: int) -> list[Remote]:
        """The clients of one resource server; none when it is not ours."""
        exchange = self._administration.call("GET", f"resourceServer/{server_id}/client")
        if exchange.status != 200:
            raise exchange.refused("to list the clients")
        return [parsed(row, server_id, exchange.response) for row in exchange.response.json_list()]

    def take_scope_away(self, server_id: int, scope: str) -> None:
        """From every client that has it still."""
        for remote in self.of_server(server_id):
            scopes = remote.raw.get("scopes") or []
            if scope in scopes:
                self._write(remote, {"scopes": [other for other in scopes if other != scope]})

    def verify(self, handle: ClientHandle) -> Verification:
        """By a read, which shows the secret, if it is in one of our resource servers; else by its secret."""
        remote = self._by_client_id(handle.client_id)
        if remote is not None:
            works = handle.client_secret == remote.secret if handle.client_secret else None
            return Verification(exists=True, secret_works=works)
        works = self._tokens.lives(handle.client_id, handle.client_secret) if handle.client_secret else None
        note = "It is in no resource server of ours, so the portal cannot look tokens of it up."
        return Verification(exists=True if works else None, secret_works=works, notes=(note,))

    def _lock(self, server_id: int) -> AbstractContextManager[bool]:
        return lock_of(self._config.base, server_id)

    def _made(self, server: Server, body: Mapping[str, Any], *, number: int | None = None) -> Remote | None:
        """The answer to a creation, ``None`` when its name was taken at the same moment. ``number`` overwrites."""
        sent = dict(body) if number is None else {**body, "id": number}
        exchange = self._administration.call("PUT", f"resourceServer/{server.id}/client", sent)
        if exchange.status in (200, 201):
            return parsed(exchange.response.json_object(), server.id, exchange.response)
        error = exchange.refused("the client")
        if isinstance(error, KeyManagerRejected) and error.remote_code == NOT_UNIQUE:
            return None
        if exchange.status == 500 and self._servers.read(server.id) is None:
            raise KeyManagerRejected(
                f"The resource server {server.id} does not exist at SurfOAuth or belongs to somebody else now",
                remote_code=SERVER_LOST,
                remote_status=500,
            )
        raise error

    def _taken_over(self, server: Server, extra: Remote | None, body: Mapping[str, Any]) -> RegisteredClient:
        """The name was taken: by ourselves when an answer was lost, or by somebody else. The double is deleted."""
        with halfway():
            if extra is not None:
                self._delete(server.id, extra.id, None)
            own = next((remote for remote in self.all() if remote.client_id == body["name"]), None)
            if own is None:
                raise KeyManagerRejected(
                    f"The client id {body['name']} belongs to somebody else at SurfOAuth", remote_code=NAME_TAKEN
                )
            self._write(own, body)
            return _checked(registered(self._fetch(own.server_id, own.id) or own, None, body))

    def _made_again(
        self, handle: ClientHandle, remote: Remote, server: Server, body: Mapping[str, Any]
    ) -> RegisteredClient:
        """Delete and create, in ``server``: the client id stays, the secret is new, all tokens end."""
        missing = sorted(set(body["scopes"]) - set(server.scopes))
        if missing:
            raise KeyManagerRejected(
                f"SurfOAuth does not know the scopes {', '.join(missing)}", remote_code="violations"
            )
        with self._lock(server.id):
            self._delete(remote.server_id, remote.id, handle)
            with halfway():
                made = self._made(server, {**body, "name": handle.client_id})
                if made is None or made.client_id != handle.client_id:
                    raise KeyManagerProtocolError("SurfOAuth did not give the client its client id again")
        return registered(made, handle, body)

    def _rotated(self, remote: Remote, handle: ClientHandle) -> Remote:
        """A creation with an id overwrites: the first frees the client id, the second takes it again.

        A break between the two leaves the client with another client id; then only the second is needed.
        """
        display_name, body = remote.name, dict(remote.raw)
        if remote.client_id == handle.client_id:
            remote = self._with_new_secret(remote, "", {**body, "name": handle.client_id})
        with halfway():
            remote = self._with_new_secret(remote, handle.client_id, {**body, "name": handle.client_id})
            if display_name != handle.client_id:
                self._write(remote, {"name": display_name})
        return remote

    def _with_new_secret(self, remote: Remote, client_id: str, body: Mapping[str, Any]) -> Remote:
        """Overwrite the client by a creation with its id. ``client_id``: what it must have then, or "" for any."""
        server = self._servers.read(remote.server_id)
        if server is None:
            raise KeyManagerRejected("The resource server is not ours any more", remote_code=SERVER_LOST)
        fields = {**remote.raw, **body, "name": client_id or body["name"]}
        made = self._made(server, fields, number=remote.id)
        if made is None or not made.secret or (client_id and made.client_id != client_id):
            raise KeyManagerProtocolError("SurfOAuth did not give the client its client id again")
        return made

    def _write(self, remote: Remote, changes: Mapping[str, Any]) -> None:
        """Send the whole object with its id: what is missing falls back to a default, what is null stays."""
        body = {**remote.raw, **changes, "id": remote.id}
        path = f"resourceServer/{remote.server_id}/client/{remote.id}"
        exchange = self._administration.call("POST", path, body)
        if exchange.status == 404:
            raise _gone(remote.client_id)
        if exchange.status != 200:
            raise exchange.refused("the change")
        parsed(exchange.response.json_object(), remote.server_id, exchange.response)

    def _delete(self, server_id: int, number: int, handle: ClientHandle | None) -> None:
        exchange = self._administration.call("DELETE", f"resourceServer/{server_id}/client/{number}")
        if exchange.status in (200, 204):
            return
        if exchange.status == 404:
            self._need_gone(server_id, handle)
            return
        if exchange.status == 500 and self._fetch(server_id, number) is None:
            return
        raise exchange.refused("the removal")

    def _addressed(self, handle: ClientHandle) -> tuple[int, int] | None:
        """Resource server and number of a client; looked for by its client id when we never knew them."""
        server, _, number = handle.remote_id.partition("/")
        if server.isdecimal() and number.isdecimal():
            return int(server), int(number)
        remote = self._by_client_id(handle.client_id)
        return None if remote is None else (remote.server_id, remote.id)

    def _remote(self, handle: ClientHandle) -> Remote | None:
        address = self._addressed(handle)
        if address is None:
            return None
        remote = self._fetch(*address)
        if remote is None:
            self._need_gone(address[0], handle)
        return remote

    def _needed(self, handle: ClientHandle) -> Remote:
        remote = self._remote(handle)
        if remote is None:
            raise _gone(handle.client_id)
        return remote

    def _need_gone(self, server_id: int, handle: ClientHandle | None) -> None:
        """404 is also said when the resource server got another owner. Raises then, if the client still works."""
        if self._servers.read(server_id) is not None or handle is None:
            return
        if self._tokens.lives(handle.client_id, handle.client_secret):
            raise _server_lost(handle)

    def _by_client_id(self, client_id: str) -> Remote | None:
        return next((remote for remote in self.all() if remote.client_id == client_id), None)

    def _fetch(self, server_id: int, number: int) -> Remote | None:
        exchange: Exchange = self._administration.call("GET", f"resourceServer/{server_id}/client/{number}")
        if exchange.status == 404:
            return None
        if exchange.status != 200:
            raise exchange.refused("to show the client")
        return parsed(exchange.response.json_object(), server_id, exchange.response)


def _kept_id(answer: RegisteredClient, handle: ClientHandle) -> RegisteredClient:
    """After a rotation that was broken off, the client has another client id until the next update or rotation."""
    if answer.handle.client_id == handle.client_id:
        return answer
    return RegisteredClient(handle=handle, observed=answer.observed, ignored=("client_id",))


def _checked(answer: RegisteredClient) -> RegisteredClient:
    if not answer.handle.client_secret and answer.observed["token_endpoint_auth_method"] != "none":
        raise KeyManagerProtocolError("SurfOAuth made a client without a secret")
    return answer


def _gone(client_id: str) -> ArchwayError:
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at SurfOAuth", remote_code=CLIENT_GONE, remote_status=404
    )


def _server_lost(handle: ClientHandle) -> KeyManagerRejected:
    return KeyManagerRejected(
        f"The client {handle.client_id} exists, but its resource server belongs to somebody else now",
        remote_code=SERVER_LOST,
        remote_status=404,
    )
