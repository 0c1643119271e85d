"""Reading what a server says of itself before it is configured: believing nothing, refusing nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import InputError, KeyManagerError
from common.http import HttpClient, address_only
from keymanager.adapters.contract import ServerMetadata
from keymanager.adapters.rfc.discovery import parsed_metadata
from keymanager.adapters.well_known import issuer_of_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """``place``: where the document was, "" when there is none. ``expected``: the issuer that this place is for.

    ``faults``: what the places that gave no document answered, each a sentence.
    """

    metadata: ServerMetadata
    place: str = ""
    expected: str = ""
    faults: tuple[str, ...] = ()


def describe(http: HttpClient, places: tuple[str, ...]) -> Description:
    """The documents at ``places``: the first that names an issuer, completed by the others of that issuer."""
    merged: dict[str, Any] = {}
    first = ""
    faults: list[str] = []
    for place in places:
        document = _document(http, place, faults)
        if not document.get("issuer") or (merged and document["issuer"] != merged["issuer"]):
            continue
        first = first or place
        merged = {**document, **merged}
    return Description(
        metadata=parsed_metadata(merged),
        place=first,
        expected=issuer_of_place(first) if first else "",
        faults=() if first else tuple(faults),
    )


def read_keys(http: HttpClient, jwks_uri: str) -> tuple[list[Mapping[str, Any]], str]:
    """The keys at ``jwks_uri``, and why there are none that can be read ("" when that went well)."""
    try:
        response = http.get(jwks_uri)
        if response.status != 200:
            return [], f"{address_only(jwks_uri)} answered HTTP {response.status}"
        keys = response.json_object(any_content_type=True).get("keys")
    except (KeyManagerError, InputError) as exc:
        return [], exc.message
    if not isinstance(keys, list):
        return [], f"{address_only(jwks_uri)} holds no keys"
    return [key for key in keys if isinstance(key, dict)], ""


def _document(http: HttpClient, place: str, faults: list[str]) -> Mapping[str, Any]:
    try:
        response = http.get(place)
        if response.status == 200:
            document = response.json_object()
            if not isinstance(document.get("issuer"), str):
                faults.append(f"{address_only(place)} names no issuer")
                return {}
            return document
        faults.append(f"{address_only(place)} answered HTTP {response.status}")
    except KeyManagerError as exc:
        faults.append(exc.message)
    return {}
