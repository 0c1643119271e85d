"""The validator does not flood an identity provider: not by made-up key ids, not while it asks for fewer calls."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from common.http import AddressGuard, HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.validation.facts import KeyManagerFacts
from keymanager.validation.key_rings import REFETCH_SECONDS, KeyRings
from keymanager.validation.quiet_periods import QuietPeriods
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.snapshot import Snapshot
from tests.fakes.faults import Fault, Kind
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.unit.validation_kit import ManualClock, key_manager, token


class Place:
    """A fake identity provider, its adapter, and a resolver whose waiting times a test moves."""

    def __init__(self, quirks: Quirks | None = None, **config: Any) -> None:
        self.clock = ManualClock(time.time())
        self.monotonic = ManualClock(0.0)
        self.server = RfcServer(quirks=quirks, clock=self.clock.now)
        self.http = HttpClient(guard=AddressGuard.of("127.0.0.0/8"), now=self.clock.now)
        self.configure(**config)
        self.facts = Snapshot()
        self.facts.put_key_managers([key_manager(1, issuers=frozenset({self.server.issuer}))])
        now = self.monotonic.now
        self.resolver = TokenResolver(self, self.clock, KeyRings(now), QuietPeriods(now))

    def configure(self, **config: Any) -> None:
        """The adapter, with these settings over the usual ones."""
        values = {
            "issuer": self.server.issuer,
            "introspection_client_id": self.server.gateway_client_id,
            "introspection_client_secret": self.server.gateway_client_secret,
            **config,
        }
        self._adapter = RfcAdapter(parse_config(RfcConfig, values), self.http, self.clock)

    def adapter(self, _: KeyManagerFacts) -> KeyManagerAdapter:
        """``AdapterSource``."""
        return self._adapter

    def resolve(self, bearer: str) -> Resolved:
        """What the validator says of a token."""
        return self.resolver.resolve(bearer, self.facts, None)


@pytest.fixture
def places() -> Iterator[list[Place]]:
    opened: list[Place] = []
    yield opened
    for place in opened:
        place.http.close()
        place.server.stop()


def test_two_hundred_made_up_key_ids_cost_the_identity_provider_one_request_a_minute(places: list[Place]) -> None:
    place = Place(Quirks(token_format="jwt"))
    places.append(place)
    key = RSAKey.generate_key(2048, {"kid": "made-up"})
    forged = [token(key, header={"kid": f"made-up-{number}"}, iss=place.server.issuer) for number in range(200)]
    with ThreadPoolExecutor(max_workers=16) as pool:
        assert all(isinstance(answer, BadToken) for answer in pool.map(place.resolve, forged))
        assert len(place.server.requests_of("jwks")) == 1
        place.monotonic.time += REFETCH_SECONDS + 1
        assert all(isinstance(answer, BadToken) for answer in pool.map(place.resolve, forged))
    assert len(place.server.requests_of("jwks")) == 2
    assert place.server.requests_of("introspect") == []


def test_a_rotated_key_is_believed_within_the_minute_that_forged_ones_leave(places: list[Place]) -> None:
    place = Place(Quirks(token_format="jwt"))
    places.append(place)
    assert isinstance(place.resolve(place.server.make_token("c", seconds=600)), GoodToken)
    place.server.rotate_key()
    rotated = place.server.make_token("c", seconds=600)
    place.resolve(token(RSAKey.generate_key(2048, {"kid": "made-up"}), iss=place.server.issuer))
    assert isinstance(place.resolve(rotated), BadToken)
    place.monotonic.time += REFETCH_SECONDS + 1
    assert isinstance(place.resolve(rotated), GoodToken)


@pytest.mark.parametrize(
    "headers",
    [
        (("Retry-After", "{wait}"),),
        (("X-Rate-Limit-Limit", "600"), ("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", "{until}")),
        (("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "{until}")),
    ],
    ids=["as Entra says it", "as Okta says it", "as Auth0 says it"],
)
@pytest.mark.parametrize("operation", ["introspect", "jwks"])
def test_a_pause_that_the_identity_provider_asks_for_is_kept_and_nothing_is_allowed_in_it(
    places: list[Place], headers: tuple[tuple[str, str], ...], operation: str
) -> None:
    place = Place(Quirks(token_format="jwt" if operation == "jwks" else "opaque"))
    places.append(place)
    until = int(place.clock.time) + 30
    said = tuple((name, text.format(wait=30, until=until)) for name, text in headers)
    place.server.fault(operation, Fault(kind=Kind.ANSWER_INSTEAD, times=1000, status=429, body=b"", headers=said))
    tokens = [place.server.make_token("c", seconds=600) for _ in range(40)]
    answers = [place.resolve(bearer) for bearer in tokens]
    assert all(isinstance(answer, NoAnswer) and 29 <= answer.retry_after <= 30 for answer in answers)
    assert len(place.server.requests_of(operation)) == 1
    place.server.clear_faults()
    place.monotonic.time += 31
    assert isinstance(place.resolve(tokens[0]), GoodToken)


def test_keys_that_are_at_hand_go_on_being_used_in_a_pause(places: list[Place]) -> None:
    place = Place(Quirks(token_format="jwt"))
    places.append(place)
    assert isinstance(place.resolve(place.server.make_token("c", seconds=600)), GoodToken)
    place.server.fault("introspect", Fault.too_many(retry_after=30, times=1000))
    assert isinstance(place.resolve("opaque"), NoAnswer)
    assert isinstance(place.resolve(place.server.make_token("c", seconds=600)), GoodToken)


def test_token_information_is_asked_with_the_token_as_bearer_and_never_in_an_address(places: list[Place]) -> None:
    place = Place(token_validation="tokeninfo", tokeninfo_endpoint="http://127.0.0.1:9/")
    places.append(place)
    told = {"client_id": "c", "scope": ["read", "write"], "expires_in": 60, "token_type": "Bearer"}
    body = json.dumps(told).encode()
    answer = Fault(kind=Kind.ANSWER_INSTEAD, status=200, body=body, content_type="application/json")
    with RfcServer() as server:
        place.configure(token_validation="tokeninfo", tokeninfo_endpoint=f"{server.issuer}/userinfo")
        server.fault("*", answer)
        good = place.resolve("opaque-token")
        server.fault("*", Fault.empty(401))
        assert isinstance(place.resolve("unknown-token"), BadToken)
        asked = server.requests
    assert isinstance(good, GoodToken)
    assert (good.facts.client_id, sorted(good.facts.scopes)) == ("c", ["read", "write"])
    assert good.until == int(place.clock.time) + 60
    assert [received.bearer for received in asked] == ["opaque-token", "unknown-token"]
    assert not any("-token" in f"{received.path}?{received.query}" for received in asked)
