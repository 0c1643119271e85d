"""The tests of the WSO2 servers' traps are worth something only if they fail: each planted fault is caught by one."""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError, KeyManagerProtocolError
from common.http import HttpResponse
from keymanager.adapters.contract import ClientHandle, RegisteredClient
from keymanager.adapters.wso2 import clients as common_clients
from keymanager.adapters.wso2.clients import Wso2Clients
from keymanager.adapters.wso2.management import ManagementApi, quoted
from keymanager.adapters.wso2.naming import preset_client_id
from keymanager.adapters.wso2is import clients as old_clients
from keymanager.adapters.wso2is import scopes as old_scopes
from keymanager.adapters.wso2is7.api_resources import ApiResources
from keymanager.adapters.wso2is7.applications import Applications
from tests.conformance.world import ManualClock
from tests.integration import test_wso2_traps as both
from tests.integration import test_wso2is7_adapter as seven
from tests.integration import test_wso2is_adapter as five
from tests.integration.wso2_kit import close_opened

Answers = Callable[..., RegisteredClient]


def only_created(read: Answers) -> Answers:
    """The status of the description, which the server's code does not give."""

    def checked(handle: ClientHandle, response: HttpResponse) -> RegisteredClient:
        if response.status != 201:
            raise KeyManagerProtocolError("not 201")
        return read(handle, response)

    return checked


def whoever_has_the_id(self: Wso2Clients, marker: str) -> RegisteredClient | None:
    return self.read(ClientHandle(client_id=preset_client_id(marker)))


def only_numbers(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    return value if isinstance(value, int) else None


def keeps_the_last_of_the_list(self: old_clients.Clients, handle: ClientHandle) -> None:
    path = f"{self.path_of(handle)}/secrets"
    for entry in self._api.send("GET", path).json_object()["list"][:-1]:
        self._api.send("DELETE", f"{path}/{self._encoded(entry['id'])}")


IN_RELEASE_7: list[Callable[..., None]] = []


def in_release_7(test: Callable[[both.Wso2], None]) -> Callable[..., None]:
    """A test of both releases, on the later one."""

    def there(wso2: both.Wso2) -> None:
        test(wso2)

    IN_RELEASE_7.append(there)
    return there


# A name for the fault, whose attribute becomes what, and the test that must fail.
PLANTED: list[tuple[str, Any, str, Any, Callable[..., None]]] = [
    (
        "SendsIdsAsTheyAre",
        old_clients.Clients,
        "_encoded",
        lambda _, identifier: quoted(identifier),
        five.test_ids_in_paths_are_base64url_encoded,
    ),
    (
        "TakesARepeatForARefusal",
        Wso2Clients,
        "find",
        lambda *_: None,
        five.test_a_creation_whose_answer_was_lost_can_simply_be_repeated,
    ),
    (
        "TakesOverWhateverHasTheId",
        Wso2Clients,
        "find",
        whoever_has_the_id,
        five.test_a_client_id_that_somebody_else_has_is_refused_and_not_taken_over,
    ),
    (
        "CallsEveryClientGoneWhereItIsRefused",
        ManagementApi,
        "prove_rights",
        lambda _: None,
        lambda wso2: both.test_our_own_refused_credentials_are_never_a_missing_client(wso2, "delete"),
    ),
    (
        "CallsNoClientGone",
        ManagementApi,
        "is_missing",
        lambda _, response: response.status == 404,
        five.test_a_new_secret_is_never_asked_for_a_client_that_is_gone,
    ),
    (
        "BelievesTheDescriptionsStatus",
        old_clients,
        "_with_secret",
        only_created(old_clients._with_secret),
        both.test_a_regenerated_secret_ends_all_tokens_of_the_client,
    ),
    (
        "LosesTheRolesOfAScope",
        old_scopes,
        "_BINDINGS",
        (),
        five.test_roles_that_others_have_bound_to_a_scope_stay,
    ),
    (
        "ReadsTheEndOfASecretAsANumberOnly",
        common_clients,
        "whole_number",
        only_numbers,
        five.test_the_end_of_a_secret_is_read_from_a_text,
    ),
    (
        "TakesTheLastOfTheListForTheNewest",
        old_clients.Clients,
        "drop_old_secrets",
        keeps_the_last_of_the_list,
        five.test_the_newest_secret_is_known_by_its_description,
    ),
    (
        "TakesABadRequestForARepeat",
        Wso2Clients,
        "find",
        lambda *_: RegisteredClient(handle=ClientHandle(client_id="whatever")),
        seven.test_bad_metadata_have_the_same_status_as_a_repeat_and_stay_a_refusal,
    ),
    (
        "TouchesOtherPeoplesApis",
        ApiResources,
        "ours",
        lambda self: [self._by_id(remote_id) for remote_id in self._ids("sw", "")],
        seven.test_what_somebody_else_authorised_a_client_for_is_left_alone,
    ),
    (
        "KeepsOldSecrets",
        Applications,
        "drop_old_secrets",
        lambda *_: None,
        seven.test_every_secret_but_the_newest_is_dropped,
    ),
    (
        "ForgetsToRegenerate",
        Applications,
        "regenerated",
        lambda _, handle: RegisteredClient(handle=handle),
        in_release_7(both.test_a_regenerated_secret_ends_all_tokens_of_the_client),
    ),
]


@contextmanager
def fixtures(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """What the test's own module would give it."""
    release = "7" if test.__module__ == seven.__name__ or test in IN_RELEASE_7 else "5"
    clock = ManualClock(time.time())
    with both.running(release, clock) as wso2:
        given: dict[str, Any] = {"wso2": wso2, "server": wso2.server, "clock": clock, "adapter": wso2.adapter()}
        try:
            yield {name: given[name] for name in inspect.signature(test).parameters}
        finally:
            close_opened()


def run(test: Callable[..., None]) -> None:
    with fixtures(test) as given:
        test(**given)


@pytest.mark.parametrize(
    ("where", "name", "broken", "test"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_a_planted_fault_is_caught(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, broken: Any, test: Callable[..., None]
) -> None:
    run(test)
    monkeypatch.setattr(where, name, broken)
    with pytest.raises((AssertionError, ArchwayError, Failed, KeyError)):
        run(test)
