import pytest

pytest.register_assert_rewrite(
    *(
        f"tests.conformance.{name}"
        for name in ("suite_clients", "suite_faults", "suite_server", "suite_tokens", "world")
    )
)
