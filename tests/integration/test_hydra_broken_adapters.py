"""The tests about Hydra are worth something only if they fail: each broken adapter is caught by the test about it."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError
from keymanager.adapters.contract import (
    ClientHandle,
    ClientMetadata,
    Inactive,
    Introspection,
    RegisteredClient,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.hydra import HydraAdapter
from keymanager.adapters.rfc import RfcAdapter
from tests.integration import hydra_kit
from tests.integration import test_hydra_adapter as clients
from tests.integration import test_hydra_adapter_tokens as tokens
from tests.integration.hydra_kit import Bench


class StopsAfterTheFirstPage(HydraAdapter):
    def list_clients(self) -> Iterator[RegisteredClient]:
        for entry in self._api.send("GET", "/clients?page_size=500", doing="").json_list():
            yield RegisteredClient(handle=ClientHandle(client_id=entry["client_id"]))


class BelievesAnOwner(HydraAdapter):
    def find_client(self, marker: str) -> RegisteredClient | None:
        entry = next(self._api.pages(owner=marker), None)
        return RegisteredClient(handle=ClientHandle(client_id=entry["client_id"])) if entry else None


class ForgetsWhatOthersSet(HydraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        body = self._managed._body(metadata)
        self._api.send("PUT", f"/clients/{handle.client_id}", body, doing="")
        return RegisteredClient(handle=handle)


class SendsANewSecretWithEveryChange(HydraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        body = {**self._managed._body(metadata), "client_secret": handle.client_secret}
        self._api.send("PUT", f"/clients/{handle.client_id}", body, doing="")
        return RegisteredClient(handle=handle)


class TakesARefreshTokenForAnAccessToken(HydraAdapter):
    def introspect(self, token: str) -> Introspection:
        found = super().introspect(token)
        return found if isinstance(found, Inactive) else replace(found, token_use="access")


class TakesAnIdTokenForAnAccessToken(HydraAdapter):
    def introspect(self, token: str) -> Introspection:
        return self._keys.check(token)


class BelievesEveryRevocation(HydraAdapter):
    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        return RfcAdapter.revoke_token(self, request)


class ForgetsRefreshTokens(HydraAdapter):
    def revoke_all(self, handle: ClientHandle) -> None:
        self._managed.delete_access_tokens(handle.client_id)


class SendsAResourceThatHydraIgnores(HydraAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        return RfcAdapter.issue_token(self, request)


class ChangesTheSecretHardWhereThereIsNoSecondOne(HydraAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        present = self._managed._present(handle.client_id)
        body = {**present, "client_secret": "another-0123456789"}
        self._api.send("PUT", f"/clients/{handle.client_id}", body, doing="")
        return RegisteredClient(handle=ClientHandle(client_id=handle.client_id, client_secret="another-0123456789"))


class TakesOverWhateverHasTheId(HydraAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        body = {**self._managed._body(metadata), "client_secret": "another-0123456789"}
        path = f"/clients/{self._managed.id_of(metadata.marker)}"
        self._api.send("PUT", path, body, doing="")
        return RegisteredClient(handle=ClientHandle(client_id=body["client_id"]))


PLANTED: list[tuple[type[HydraAdapter], Callable[..., None]]] = [
    (StopsAfterTheFirstPage, clients.test_the_list_goes_from_page_to_page_by_the_link_header),
    (BelievesAnOwner, clients.test_an_owner_that_a_stranger_claimed_by_registration_is_not_found),
    (ForgetsWhatOthersSet, clients.test_a_change_keeps_what_an_administrator_set_beside_ours),
    (SendsANewSecretWithEveryChange, clients.test_a_change_keeps_an_old_secret_in_overlap),
    (
        ChangesTheSecretHardWhereThereIsNoSecondOne,
        clients.test_an_older_hydra_says_that_it_cannot_hold_two_secrets_and_keeps_the_one,
    ),
    (TakesOverWhateverHasTheId, clients.test_a_client_that_has_our_id_but_not_our_marker_is_never_taken_over),
    (
        TakesARefreshTokenForAnAccessToken,
        tokens.test_a_refresh_token_is_active_and_never_taken_for_an_access_token,
    ),
    (
        TakesAnIdTokenForAnAccessToken,
        tokens.test_a_jwt_of_another_issuer_an_id_token_and_an_expired_one_are_refused,
    ),
    (BelievesEveryRevocation, tokens.test_revoking_the_token_of_another_client_is_not_called_done),
    (ForgetsRefreshTokens, tokens.test_revoking_all_says_when_refresh_tokens_are_left),
    (SendsAResourceThatHydraIgnores, tokens.test_a_resource_indicator_is_sent_as_audience),
]


def run(test: Callable[..., None]) -> None:
    """Run one test as pytest would."""
    made: list[Bench] = []
    wanted = inspect.signature(test).parameters
    try:
        fixtures: dict[str, Any] = {"benches": made}
        for name, values in (("bench", {}), ("overlapping", hydra_kit.OVERLAP)):
            if name in wanted:
                made.append(Bench(**values))
                fixtures[name] = made[-1]
        test(**{name: fixtures[name] for name in wanted})
    finally:
        for bench in made:
            bench.stop()


@pytest.mark.parametrize(("adapter", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_the_tests_about_hydra_catch(
    adapter: type[HydraAdapter], test: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(test)
    monkeypatch.setattr(hydra_kit, "HydraAdapter", adapter)
    with pytest.raises((AssertionError, ArchwayError, Failed)):
        run(test)
