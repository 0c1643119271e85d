"""What every adapter must do, on every server. A subclass gives the fixture ``world``; ``adapter`` follows from it.

Nothing is skipped: where a capability is not declared, its operation must raise ``NotSupported``.
"""

from tests.conformance.suite_clients import ClientConformance
from tests.conformance.suite_faults import FaultConformance
from tests.conformance.suite_server import ServerConformance
from tests.conformance.suite_tokens import TokenConformance


class AdapterConformance(ClientConformance, TokenConformance, ServerConformance, FaultConformance):
    """The whole suite."""
