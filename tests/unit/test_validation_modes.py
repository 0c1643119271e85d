"""How a key manager's tokens are checked follows from its adapter's configuration alone."""

import pytest

from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.resident import ResidentConfig
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.validation.resolver import validates_by
from tests.unit.validation_kit import AdapterInMemory

ISSUER = "https://idp.example"


def with_config(config: object) -> KeyManagerAdapter:
    adapter = AdapterInMemory()
    adapter.__dict__["config"] = config
    return adapter


@pytest.mark.parametrize("mode", ["jwt", "introspection"])
def test_the_switch_of_any_rfc_server_decides(mode: str) -> None:
    assert validates_by(with_config(RfcConfig(issuer=ISSUER, token_validation=mode))) == mode


@pytest.mark.parametrize(("token_format", "mode"), [("jwt", "jwt"), ("opaque", "introspection")])
def test_the_residents_token_format_decides(token_format: str, mode: str) -> None:
    config = ResidentConfig(issuer=ISSUER, management_token="m", access_token_format=token_format)
    assert validates_by(with_config(config)) == mode


def test_an_adapter_without_a_switch_verifies_where_it_has_keys() -> None:
    assert validates_by(with_config(object())) == "jwt"
