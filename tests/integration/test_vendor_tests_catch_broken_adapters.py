"""The tests of Entra ID and PingFederate are worth something only if they fail: each broken adapter must be caught."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError, KeyManagerRejected, KeyManagerUnavailable, NotFinished, OutcomeUnknown
from keymanager.adapters.contract import (
    ClientHandle,
    ClientMetadata,
    Introspection,
    RegisteredClient,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.entra import EntraAdapter
from keymanager.adapters.entra.graph import CREATE_IF_MISSING
from keymanager.adapters.pingfederate import PingFederateAdapter
from tests.integration import test_entra_adapter as entra
from tests.integration import test_pingfederate_adapter as ping


class ReportsTheAskedScopes(EntraAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        asked = dict(request.parameters).get("scope", "")
        return replace(super().issue_token(request), scopes=frozenset(asked.split()))


class ReadsScopesFromTheAnswer(EntraAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        given = super().issue_token(request)
        return replace(given, scopes=frozenset(str(given.body.get("scope", "")).split()))


class TakesAPersonsRolesForScopes(EntraAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        given = super().issue_token(request)
        claims = self._keys.check(str(given.body.get("access_token", "")))
        roles = getattr(claims, "claims", {}).get("roles", [])
        return replace(given, scopes=given.scopes | frozenset(roles))


class BelievesEveryAudience(EntraAdapter):
    def introspect(self, token: str) -> Introspection:
        return self._keys.check(token)


class CallsALateClientGone(EntraAdapter):
    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        object_id = handle.remote_id
        if self._graph.find(f"/applications/{object_id}", doing="x") is None:
            return None
        return super().read_client(handle)


class LosesTheClientForItsScopes(EntraAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        made = super().create_client(metadata)
        if "scope" in made.ignored:
            raise KeyManagerRejected("The scopes cannot be given")
        return made


class EndsSecretsMadeByHand(EntraAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        object_id = handle.remote_id
        application = self._graph.find(f"/applications/{object_id}", doing="x") or {}
        for entry in application.get("passwordCredentials", []):
            path = f"/applications/{object_id}/removePassword"
            self._graph.call("POST", path, {"keyId": entry["keyId"]}, fine=(204,), doing="x")
        return super().rotate_secret(handle, metadata)


class ForgetsWhenASecretEnds(EntraAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        return replace(super().create_client(metadata), client_secret_expires_at=0)


class ResumesWithEveryUpdate(EntraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        self.resume_client(handle)
        return super().update_client(handle, metadata)


class OverwritesTags(EntraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        key = f"/servicePrincipals(appId='{handle.client_id}')"
        body = {"tags": ["archway-client"]}
        self._graph.call("PATCH", key, body, fine=(201, 204), headers=CREATE_IF_MISSING, doing="x")
        return super().update_client(handle, metadata)


class SaysThatEveryGrantWasKept(EntraAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        made = super().create_client(metadata)
        return replace(made, ignored=tuple(name for name in made.ignored if name != "grant_types"))


class CallsWhatIsNotYetThereAnOutage(EntraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().update_client(handle, metadata)
        except NotFinished as exc:
            raise KeyManagerUnavailable(exc.message) from exc


class WritesOnlyWhatItKnows(PingFederateAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        known = self._admin._members(metadata)
        auth = {"type": "SECRET", "secret": handle.client_secret}
        body = {"clientId": handle.client_id, **known, "clientAuth": auth}
        self._admin._management.call("PUT", f"/oauth/clients/{handle.client_id}", body, fine=(200,), doing="x")
        return super().update_client(handle, metadata)


class TakesEveryRefusalForAClientThatIsThere(PingFederateAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().create_client(metadata)
        except KeyManagerRejected as exc:
            raise OutcomeUnknown("It may be there already") from exc


class LeavesTheServersRetention(PingFederateAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        path = f"/oauth/clients/{handle.client_id}/clientAuth/clientSecret"
        body = {"secret": "a-new-secret"}
        self._admin._management.call("PUT", path, body, fine=(200,), doing="x")
        return RegisteredClient(handle=replace(handle, client_secret=body["secret"]))


class ReadsOnePageOnly(PingFederateAdapter):
    def list_clients(self) -> Iterator[RegisteredClient]:
        return itertools.islice(super().list_clients(), 100)


class RepeatsACreationUnderAnotherId(PingFederateAdapter):
    tries = 0

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        self.tries += 1
        return super().create_client(replace(metadata, marker=f"{metadata.marker}-{self.tries}"))


AT_ENTRA: list[tuple[type[EntraAdapter], Callable[..., None]]] = [
    (ReportsTheAskedScopes, entra.test_a_scope_that_is_taken_from_a_client_is_no_longer_in_its_tokens),
    (ReadsScopesFromTheAnswer, entra.test_a_persons_token_has_the_consented_scopes_and_not_the_persons_roles),
    (TakesAPersonsRolesForScopes, entra.test_a_persons_token_has_the_consented_scopes_and_not_the_persons_roles),
    (BelievesEveryAudience, entra.test_a_token_for_another_api_of_the_directory_is_not_ours),
    (CallsALateClientGone, entra.test_a_client_that_one_server_does_not_know_yet_is_never_called_gone),
    (
        CallsWhatIsNotYetThereAnOutage,
        entra.test_a_client_that_one_server_does_not_know_yet_is_never_called_gone,
    ),
    (LosesTheClientForItsScopes, entra.test_scopes_that_cannot_be_given_yet_do_not_lose_the_client),
    (EndsSecretsMadeByHand, entra.test_a_secret_made_by_hand_survives_a_rotation),
    (ForgetsWhenASecretEnds, entra.test_the_end_of_a_secret_is_told),
    (ResumesWithEveryUpdate, entra.test_an_update_does_not_resume_a_suspended_client),
    (OverwritesTags, entra.test_tags_that_an_administrator_gave_stay),
    (SaysThatEveryGrantWasKept, entra.test_that_a_grant_cannot_be_taken_away_is_told),
]
AT_PINGFEDERATE: list[tuple[type[PingFederateAdapter], Callable[..., None]]] = [
    (WritesOnlyWhatItKnows, ping.test_an_update_keeps_what_an_administrator_set),
    (TakesEveryRefusalForAClientThatIsThere, ping.test_a_refused_value_is_not_taken_for_a_client_that_is_there_already),
    (
        LeavesTheServersRetention,
        ping.test_a_retention_that_the_server_has_for_everybody_does_not_keep_a_secret_that_we_call_ended,
    ),
    (ReadsOnePageOnly, ping.test_a_list_has_our_clients_only_and_all_of_them),
    (
        RepeatsACreationUnderAnotherId,
        lambda kit: ping.test_a_create_that_is_repeated_makes_one_client_with_one_secret(kit, "admin_api"),
    ),
]
CAUGHT = (AssertionError, ArchwayError, Failed)


@pytest.mark.parametrize(("adapter", "test"), AT_ENTRA, ids=lambda value: getattr(value, "__name__", ""))
def test_the_tests_of_entra_catch(adapter: type[EntraAdapter], test: Callable[..., None]) -> None:
    with entra.running(adapter) as kit, pytest.raises(CAUGHT):
        test(kit)


@pytest.mark.parametrize(("adapter", "test"), AT_PINGFEDERATE, ids=lambda value: getattr(value, "__name__", ""))
def test_the_tests_of_pingfederate_catch(adapter: type[PingFederateAdapter], test: Callable[..., None]) -> None:
    with ping.running(adapter) as kit, pytest.raises(CAUGHT):
        test(kit)
