"""Real documents of other projects import whole and in time; they are read from a folder beside this repository."""

import json
import os
import time
from pathlib import Path

import pytest

from common.served_definition import with_gateway_urls
from publisher.definitions import parse_definition

SHARED = Path(os.environ.get("ARCHWAY_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
DOCUMENTS = SHARED / "data" / "openapi"
needs_documents = pytest.mark.skipif(
    not DOCUMENTS.is_dir(), reason=f"the real documents are not at {DOCUMENTS}: set ARCHWAY_SHARED to their folder"
)


@needs_documents
@pytest.mark.parametrize(
    ("name", "version", "title", "operations", "first"),
    [
        ("museum.yaml", "3.1.0", "Redocly Museum API", 8, ("GET", "/museum-hours", "getMuseumHours")),
        ("adyen-checkout-v71.json", "3.1.0", "Adyen Checkout API", 28, ("POST", "/applePay/sessions", None)),
        ("twilio-conversations-v1.json", "3.0.1", "Twilio - Conversations", 103, ("GET", "/v1/Configuration", None)),
        ("uspto.yaml", "3.0.1", "USPTO Data Set API", 3, ("GET", "/", "list-data-sets")),
        ("uber-v2.json", "2.0", "Uber API", 5, ("GET", "/products", "")),
    ],
)
def test_a_real_document_imports_whole_in_under_three_seconds_of_work(
    name: str, version: str, title: str, operations: int, first: tuple[str, str, str | None]
) -> None:
    text = (DOCUMENTS / name).read_bytes()
    started = time.process_time()
    definition = parse_definition(text)
    assert time.process_time() - started < 3
    assert (definition.version, definition.title, len(definition.operations)) == (version, title, operations)
    begins = definition.operations[0]
    assert (begins.method, begins.path) == first[:2]
    assert first[2] is None or begins.operation_id == first[2]
    assert {operation.auth for operation in definition.operations} == {"required"}
    served = with_gateway_urls(definition.document, "https://gw.example/a/1", None, "https://portal.example/token")
    assert parse_definition(json.dumps(served)).operations == definition.operations


@needs_documents
def test_a_large_document_with_one_mistake_says_the_line_of_it() -> None:
    text = (DOCUMENTS / "adyen-checkout-v71.json").read_text()
    line = next(number for number, row in enumerate(text.split("\n"), 1) if '"operationId"' in row)
    rows = text.split("\n")
    rows[line - 1] = rows[line - 1].replace('"operationId" : "', '"operationId" : 7, "x-was" : "')
    with pytest.raises(Exception, match=f"line {line}, /paths/[^:]+/operationId: 7 is not of type 'string'"):
        parse_definition("\n".join(rows))
