"""Signing keys of the embedded authorization server."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from keymanager.resident.keys import active_signing_key, public_key_set, rotate_signing_key
from keymanager.resident.models import SigningKey
from tests.integration.resident_kit import ResidentUnderTest


@pytest.mark.django_db
def test_two_processes_that_make_the_first_key_at_the_same_time_share_one() -> None:
    """Between the look-up of one and its transaction, the other makes the key."""
    others: list[str] = []

    def interleave(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SAVEPOINT") and not others:
            others.append("at work")
            others[0] = active_signing_key().kid
        return execute(sql, params, many, context)

    with connection.execute_wrapper(interleave):
        mine = active_signing_key().kid

    assert [mine] == others == [SigningKey.objects.get().kid]


@pytest.mark.django_db
def test_there_is_never_a_second_active_key() -> None:
    active_signing_key()

    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(kid="another", sealed_private_pem="x")


@pytest.mark.django_db
def test_after_a_rotation_old_tokens_still_verify_and_new_ones_use_the_new_key() -> None:
    resident = ResidentUnderTest()
    client = resident.register(scope="")
    before = resident.token(client)["access_token"]
    new_kid = rotate_signing_key()
    after = resident.token(client)["access_token"]

    keys = KeySet.import_key_set(resident.http.get(f"{resident.base}/jwks").json())

    assert jwt.decode(before, keys, algorithms=["RS256"]).claims["client_id"] == client["client_id"]
    assert jwt.decode(after, keys, algorithms=["RS256"]).header["kid"] == new_kid


@pytest.mark.django_db
def test_a_key_disappears_when_nothing_it_signed_can_be_alive() -> None:
    old = active_signing_key().kid
    new = rotate_signing_key()
    assert [key["kid"] for key in public_key_set()["keys"]] == [new, old]

    SigningKey.objects.filter(kid=old).update(retired_at=timezone.now() - timedelta(days=1))

    assert [key["kid"] for key in public_key_set()["keys"]] == [new]


@pytest.mark.django_db
def test_the_published_keys_have_no_private_part() -> None:
    for key in public_key_set()["keys"]:
        assert key.keys() == {"kty", "n", "e", "kid", "use", "alg"}
