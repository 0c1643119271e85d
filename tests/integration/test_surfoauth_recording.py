"""The fake SurfOAuth answers every recorded exchange as the real server did."""

import pytest

from tests.fakes.surfoauth import SurfOAuthServer
from tests.integration.surfoauth_recording import RECORDING, Replay, exchanges

pytestmark = pytest.mark.skipif(
    not RECORDING.is_file(), reason=f"no recording at {RECORDING}: set ARCHWAY_SHARED to the folder it is in"
)


def replayed(instance: str, server: SurfOAuthServer) -> Replay:
    with server:
        replay = Replay(server=server)
        replay.run(exchanges(instance))
    return replay


def test_the_server_as_it_ships_is_answered_for() -> None:
    replay = replayed("A", SurfOAuthServer())
    assert replay.wrong == []
    assert replay.done == 648


def test_the_server_with_the_complete_schema_and_no_login_is_answered_for() -> None:
    replay = replayed("B", SurfOAuthServer(complete_schema=True, everybody_is_admin=True))
    assert replay.wrong == []
    assert replay.done == 71


def test_the_replay_sees_a_difference() -> None:
    recorded = exchanges("A")[:60]
    for entry in recorded:
        if entry["note"] == "duplicate name":
            entry["response"]["status"] = 409
        if entry["note"] == "principal":
            entry["response"]["json"]["name"] = "somebody else"
        if entry["note"] == "POST on collection":
            entry["response"]["headers"]["Allow"] = "POST"
    with SurfOAuthServer() as server:
        replay = Replay(server=server)
        replay.run(recorded)
    assert len(replay.wrong) == 3
