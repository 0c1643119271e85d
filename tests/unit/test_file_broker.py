"""The embedded default's queue of files: a message is read whole or not at all, and by one reader."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from portal.file_broker import SCHEME


@pytest.fixture
def name() -> str:
    """Kombu remembers for the whole process which queues it has bound, so every test has its own."""
    return f"queue-{uuid.uuid4().hex}"


@pytest.fixture
def queue(tmp_path: Path, name: str) -> Iterator[Any]:
    with connection(tmp_path) as opened:
        made = SimpleQueue(opened, name)
        yield made
        made.close()


def connection(folder: Path) -> Any:
    """A connection to the queue below ``folder``."""
    for name in ("queue", "control"):
        (folder / name).mkdir(exist_ok=True)
    options = {"data_folder_in": folder / "queue", "data_folder_out": folder / "queue"}
    return Connection(f"{SCHEME}://localhost", transport_options={**options, "control_folder": folder / "control"})


def take(queue: Any) -> list[Any]:
    """Everything in the queue, in its order."""
    found: list[Any] = []
    while True:
        try:
            message = queue.get_nowait()
        except queue.Empty:
            return found
        found.append(message.payload)
        message.ack()


def test_messages_come_out_once_and_in_their_order(queue: Any) -> None:
    for number in range(3):
        queue.put({"number": number})
    assert sorted(item["number"] for item in take(queue)) == [0, 1, 2]
    assert take(queue) == []


@pytest.mark.parametrize("torn", ["", '{"body": "abc', "\x00\x00"])
def test_a_torn_message_does_not_stop_the_reader(queue: Any, name: str, tmp_path: Path, torn: str) -> None:
    (tmp_path / "queue" / f"1_torn.{name}.msg").write_text(torn)
    queue.put({"number": 1})
    assert take(queue) == [{"number": 1}]
    assert list((tmp_path / "queue").iterdir()) == []


def test_only_the_owner_reads_the_messages(queue: Any, tmp_path: Path) -> None:
    queue.put({"number": 1})
    assert [entry.stat().st_mode & 0o777 for entry in (tmp_path / "queue").iterdir()] == [0o600]


def test_readers_beside_writers_see_whole_messages_and_each_message_once(tmp_path: Path, name: str) -> None:
    def write(writer: int) -> None:
        with connection(tmp_path) as opened:
            queue = SimpleQueue(opened, name)
            for number in range(100):
                queue.put({"number": writer * 100 + number})

    def read(_: int) -> list[int]:
        found: list[int] = []
        with connection(tmp_path) as opened:
            queue = SimpleQueue(opened, name)
            while not writers_done() or list((tmp_path / "queue").glob("*.msg")):
                found += [item["number"] for item in take(queue)]
        return found

    with ThreadPoolExecutor(4) as pool:
        write(9)  # the exchange exists before anybody races
        writers = [pool.submit(write, writer) for writer in range(2)]

        def writers_done() -> bool:
            return all(writer.done() for writer in writers)

        readers = [pool.submit(read, reader) for reader in range(2)]
        got = [number for reader in readers for number in reader.result(timeout=60)]
    assert sorted(got) == [*range(200), *range(900, 1000)]
