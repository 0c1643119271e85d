"""How a key manager's tokens are checked follows from its configuration alone."""

from typing import Any

import pytest

from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.registry import SHIPPED
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import CHECKS, TokenRules, checks_locally
from tests.unit.validation_kit import AdapterInMemory

ISSUER = "https://idp.example"


def with_config(config: object) -> KeyManagerAdapter:
    adapter = AdapterInMemory()
    adapter.__dict__["config"] = config
    return adapter


@pytest.mark.parametrize(
    ("mode", "local"), [("jwt", True), ("auto", True), ("introspection", False), ("tokeninfo", False)]
)
def test_the_switch_decides_whether_a_jwt_is_judged_by_its_signature(mode: str, local: bool) -> None:
    assert checks_locally(with_config(RfcConfig(issuer=ISSUER, token_validation=mode))) is local


def test_a_configuration_without_the_switch_is_judged_as_by_default() -> None:
    assert checks_locally(with_config(object()))


@pytest.mark.parametrize("adapter", SHIPPED.values(), ids=list(SHIPPED))
def test_the_rules_of_an_adapter_offer_no_check_that_is_not_known(adapter: Any) -> None:
    item = TokenRules.__dataclass_fields__["token_validation"]
    own = adapter.Config.__dataclass_fields__["token_validation"]
    assert set(own.metadata["field"].choices) <= set(CHECKS)
    assert own.metadata["field"].label == item.metadata["field"].label
