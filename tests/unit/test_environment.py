"""Ports from the environment: an error names the variable, before anything is started."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from portal.environment import env_port
from portal.runner.layout import Layout


@pytest.mark.parametrize("value", ["70000", "0", "-1", "abc"])
def test_a_port_that_cannot_be_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ARCHWAY_PORT", value)
    with pytest.raises(ConfigurationError, match="ARCHWAY_PORT must be a .*" + value):
        env_port("ARCHWAY_PORT", 8000)


def test_one_port_for_two_servers_is_refused_naming_both_variables(tmp_path: Path) -> None:
    layout = Layout(home=tmp_path, web_port=1, gateway_port=2, validator_port=3, backend_port=4)
    with pytest.raises(ConfigurationError, match="ARCHWAY_PORT and ARCHWAY_GATEWAY_PORT must differ"):
        replace(layout, gateway_port=1).require_different_ports()
