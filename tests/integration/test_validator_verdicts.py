"""Refusals are stored and readable by those whom they concern; calls can be explained; backend JWTs verify."""

import datetime
import hashlib
import threading
import uuid
from functools import partial
from typing import Any

import pytest
from django.db import connection
from joserfc import jwt
from joserfc.jwk import KeySet

from keymanager.adapters.contract import TokenFacts
from keymanager.models import RefusedCall, RevokedToken, SigningKey
from keymanager.validation.answers import new_reference, refusal
from keymanager.validation.backend_jwt import claims_of
from keymanager.validation.codes import Code
from keymanager.validation.database_facts import DatabaseFacts
from keymanager.validation.explain import Explainer
from keymanager.validation.loader import load_snapshot
from keymanager.validation.refusal_log import RefusalLog
from keymanager.validation.signing import SigningKeys, _make, current_signing_key, public_jwks, rotate_signing_key
from keymanager.validation.step import Call, Outcome, VerdictEntry, failed, passed
from keymanager.validation.verdicts import find_verdict, refused_call
from subscriptions.services.applications import start_removal
from tests.integration.validation_rows import ADMINISTRATOR, Rows, block_subscription, make_rows
from tests.unit.validation_kit import NOW, AdapterInMemory, ManualClock, token


class OneAdapter:
    """``AdapterSource``: the same adapter for every key manager."""

    def __init__(self) -> None:
        self.made = AdapterInMemory()

    def adapter(self, key_manager: object) -> AdapterInMemory:
        return self.made


@pytest.fixture
def rows(db: None) -> Rows:
    return make_rows()


@pytest.fixture
def explainer() -> Explainer:
    return Explainer(OneAdapter(), ManualClock())


def stored(rows: Rows, *, known: bool, reference: str = "v-abc", path: str = "/museum/1.0.0/hours?key=secret") -> None:
    call = Call(load_snapshot(), "GET", path, ["Bearer the-token"], {})
    found = call.facts.find_route("/museum/1.0.0/hours")
    call.route = found[0] if found else None
    if known:
        call.application = call.facts.application(rows.application.pk.int)
    entries = (passed("route"), failed("subscription", Code.SUBSCRIPTION_BLOCKED, "Blocked."))
    row = refused_call(reference=reference, call=call, entry=entries[1], entries=entries, now=NOW)
    log = RefusalLog()
    log.add(lambda: row)
    log.flush()


def test_the_applications_team_reads_each_step_of_the_verdict(rows: Rows) -> None:
    stored(rows, known=True)
    verdict = find_verdict("v-abc", [rows.apps_team.pk])
    assert verdict is not None
    assert (verdict.failed_step, verdict.code, verdict.status) == ("subscription", "subscription_blocked", 403)
    assert [step.outcome for step in verdict.steps] == [Outcome.PASSED, Outcome.FAILED]


def test_other_teams_and_unknown_references_answer_alike(rows: Rows) -> None:
    stored(rows, known=True)
    assert find_verdict("v-abc", [rows.apis_team.pk, uuid.uuid4()]) is None
    assert find_verdict("v-other", [rows.apps_team.pk]) is None


def test_a_call_of_no_known_application_is_readable_by_the_apis_team(rows: Rows) -> None:
    stored(rows, known=False)
    assert find_verdict("v-abc", [rows.apis_team.pk]) is not None
    assert find_verdict("v-abc", [rows.apps_team.pk]) is None


def test_administrators_read_every_verdict(rows: Rows) -> None:
    stored(rows, known=True)
    assert find_verdict("v-abc", [], administrator=True) is not None


def test_neither_token_nor_query_is_stored(rows: Rows) -> None:
    stored(rows, known=True)
    row = RefusedCall.objects.get()
    assert row.path == "/museum/1.0.0/hours"
    assert "the-token" not in str(row.__dict__)


def test_a_path_that_no_text_column_takes_is_stored_in_a_form_that_it_takes(rows: Rows) -> None:
    stored(rows, known=False, path="/museum/\x00\ud800" + "x" * 600)
    assert len(RefusedCall.objects.get().path) == 500


def refused(reference: str) -> RefusedCall:
    now = datetime.datetime.now(tz=datetime.UTC)
    return RefusedCall(reference=reference, at=now, method="GET", path="/", status=404, code="api_not_found", steps=[])


def test_a_flood_of_refusals_is_dropped_and_counted(rows: Rows) -> None:
    log = RefusalLog(queued_at_most=2)
    for number in range(5):
        log.add(partial(refused, f"v-{number}"))
    log.flush()
    assert (log.stored, log.dropped, RefusedCall.objects.count()) == (2, 3, 2)


# --- explanations ---------------------------------------------------------------------------------------------------


def explain(explainer: Explainer, rows: Rows, **call: Any) -> Any:
    values = {"token": token(), "method": "GET", "path": "/museum/1.0.0/hours", **call}
    return explainer.call(**values)


def test_an_allowed_call_is_explained_with_application_subscription_and_plan(rows: Rows, explainer: Explainer) -> None:
    explanation = explain(explainer, rows)
    assert explanation.allowed
    assert explanation.application_id == str(rows.application.pk)
    assert (explanation.key_manager, explanation.subscription_state, explanation.plan) == (
        "idp", "unblocked", "test-plan",
    )  # fmt: skip


def test_an_explanation_says_what_is_true_now(rows: Rows, explainer: Explainer) -> None:
    assert explain(explainer, rows).allowed
    block_subscription()
    assert explain(explainer, rows).failure.code == Code.SUBSCRIPTION_BLOCKED
    start_removal(actor=ADMINISTRATOR, application=rows.application)
    assert explain(explainer, rows).failure.code == Code.APPLICATION_REMOVED


def test_explaining_a_call_does_not_use_up_the_plan(rows: Rows, explainer: Explainer) -> None:
    rows.plan.requests, rows.plan.per_seconds = 1, 3600
    rows.plan.save()
    assert all(explain(explainer, rows).allowed for _ in range(3))


def test_the_database_answers_the_same_questions_as_the_snapshot(rows: Rows) -> None:
    memory, database = load_snapshot(), DatabaseFacts()
    for path in ("/museum/1.0.0/hours", "/museum/1.0.0", "/museum/1.0.1/x", "/museum", "/", "/a/b/c/d"):
        here, there = memory.find_route(path), database.find_route(path)
        assert (here and (here[0].id, here[1])) == (there and (there[0].id, there[1]))


def test_a_token_revoked_through_us_is_bad_whatever_its_key_manager_says(rows: Rows, explainer: Explainer) -> None:
    bearer = token()
    digest = hashlib.sha256(bearer.encode()).hexdigest()
    RevokedToken.objects.create(token_sha256=digest, expires_at=datetime.datetime.now(tz=datetime.UTC))
    assert explain(explainer, rows, token=bearer).failure.code == Code.TOKEN_REVOKED
    assert getattr(explainer.token(bearer), "code", "") == Code.TOKEN_REVOKED


# --- backend JWT ----------------------------------------------------------------------------------------------------


def decided(rows: Rows) -> Call:
    call = Call(load_snapshot(), "GET", "/museum/1.0.0/hours", [f"Bearer {token()}"], {})
    found = call.facts.find_route(call.path)
    assert found is not None
    call.route = found[0]
    call.key_manager = call.facts.key_manager(rows.key_manager.pk.int)
    call.credential = call.facts.credential(rows.key_manager.pk.int, "client-1")
    call.application = call.facts.application(rows.application.pk.int)
    call.plan = call.facts.plan(rows.plan.pk.int)
    call.token_facts = TokenFacts(client_id="client-1", scopes=frozenset({"b", "a"}), exp=int(NOW) + 60, sub="someone")
    return call


def test_a_backend_jwt_verifies_with_the_published_keys_and_says_who_calls_what(rows: Rows) -> None:
    claims = claims_of(decided(rows), issuer="https://portal.example", now=NOW)
    signed = current_signing_key().sign(claims)
    published: Any = public_jwks()
    read = jwt.decode(signed, KeySet.import_key_set(published), algorithms=["RS256"])
    assert read.claims == claims
    assert claims["exp"] == int(NOW) + 60
    assert claims["aud"] == str(rows.api_version.pk)
    assert claims["application"] == {"id": str(rows.application.pk), "name": "App"}
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("someone", "client-1", "a b")
    assert claims["api"]["version"] == "1.0.0"


def test_published_keys_hold_no_private_part(rows: Rows) -> None:
    assert not {"d", "p", "q", "dp", "dq", "qi"} & public_jwks()["keys"][0].keys()
    assert "PRIVATE" not in SigningKey.objects.get().sealed_private_pem


def test_a_rotated_key_signs_at_once_and_the_old_one_stays_published(rows: Rows) -> None:
    old = current_signing_key().kid
    new = rotate_signing_key().kid
    assert current_signing_key().kid == new
    assert [key["kid"] for key in public_jwks()["keys"]] == [new, old]


def test_a_change_of_keys_that_arrives_while_they_are_read_is_not_overwritten(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = SigningKeys()
    first = current_signing_key()

    def read_and_be_overtaken() -> Any:
        keys.forget()
        return first

    monkeypatch.setattr("keymanager.validation.signing.current_signing_key", read_and_be_overtaken)
    assert keys.load() is first
    assert keys.at_hand() is None


@pytest.mark.django_db(transaction=True)
def test_processes_that_make_the_first_key_at_once_agree_on_one() -> None:
    # SQLite's database in memory has one writer; the agreement itself is tested below.
    threads = 1 if connection.vendor == "sqlite" else 8
    found: list[str] = []

    def make() -> None:
        try:
            found.append(current_signing_key().kid)
        finally:
            connection.close()

    running = [threading.Thread(target=make) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(30)
    assert len(set(found)) == 1
    assert len(found) == threads


def test_whoever_loses_the_race_for_a_key_takes_the_winners(rows: Rows) -> None:
    assert _make(generation=1).pk == _make(generation=1).pk
    assert SigningKey.objects.count() == 1


def test_refusals_say_nothing_about_a_token_to_its_bearer() -> None:
    entry: VerdictEntry = failed("token", Code.TOKEN_INVALID, "idp: the signature of key 7 does not verify")
    status, headers, body = refusal(entry, new_reference(), portal_url="https://portal.example")
    assert status == 401
    assert "key 7" not in body
    assert dict(headers)["content-type"] == "application/problem+json"
