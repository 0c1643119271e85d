"""Tables for the docs, made from the code: what each adapter can do, its settings, and what its presets set."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from common.clock import SystemClock
from common.http import HttpClient
from keymanager.adapters.config import DescribedField, describe_config
from keymanager.adapters.contract import Capability, KeyManagerAdapter
from keymanager.adapters.proofs import PROOFS
from keymanager.adapters.registry import SHIPPED, adapter_class
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.presets import PRESETS
from keymanager.services.configuration import config_fields

C = Capability
WORDS: Final[Mapping[Capability, str]] = {
    C.CREATE_CLIENT: "register a client",
    C.READ_CLIENT: "read a client",
    C.UPDATE_CLIENT: "change a client",
    C.DELETE_CLIENT: "remove a client",
    C.SUSPEND_CLIENT: "stop a client, and let it go on",
    C.VERIFY_CLIENT: "prove that a client made elsewhere works",
    C.ROTATE_SECRET: "replace a client's secret",
    C.OVERLAPPING_SECRETS: "two secrets at once while one replaces the other",
    C.FIND_CLIENT: "find our client again after a lost answer",
    C.LIST_CLIENTS: "list clients",
    C.ISSUE_TOKEN: "issue tokens",
    C.EXCHANGE_TOKEN: "exchange a token (RFC 8693)",
    C.INTROSPECT: "say whether a token is active (RFC 7662, or by its keys)",
    C.REVOKE_TOKEN: "revoke a token (RFC 7009)",
    C.REVOKE_ALL: "revoke all tokens of a client",
    C.AUTHORIZATION_URL: "authorization code grant",
    C.METADATA: "describe itself (RFC 8414)",
    C.JWKS: "publish its keys (RFC 7517)",
    C.RESOURCES: "keep a resource per API version",
    C.SCOPES: "keep scopes",
    C.USER_CLAIMS: "tell about a user",
    C.CHANGES: "report changes made there",
}
_EXAMPLE: Final = "https://idp.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One column of the matrix: an adapter, or one of its presets, with an example's address."""

    adapter: type[KeyManagerAdapter]
    preset: str = ""

    @property
    def title(self) -> str:
        """The column's head."""
        return f"`{self.adapter.slug}`, preset `{self.preset}`" if self.preset else f"`{self.adapter.slug}`"

    @property
    def key(self) -> str:
        """Its name among the proofs."""
        return f"{self.adapter.slug}/{self.preset}" if self.preset else self.adapter.slug

    def values(self) -> dict[str, Any]:
        """The configuration: the preset's values over the defaults."""
        named = {item.name for item in describe_config(self.adapter.Config)}
        own = {"issuer": _EXAMPLE} if "issuer" in named else {}
        return {**own, **(PRESETS[self.preset] if self.preset else {})}

    def capabilities(self, http: HttpClient, **changed: Any) -> frozenset[Capability]:
        """What it can do when ``changed`` is laid over its configuration. No call is made."""
        config = self.adapter.Config(**{**self.values(), **changed})
        return self.adapter(config, http, SystemClock()).capabilities


def variants() -> list[Variant]:
    """Every registered adapter, and the presets of ``rfc`` after it."""
    found = [Variant(adapter=SHIPPED[slug]) for slug in sorted(SHIPPED)]
    return found + [Variant(adapter=RfcAdapter, preset=preset) for preset in PRESETS]


def support_matrix() -> str:
    """Adapters and presets by capabilities, as a Markdown table."""
    http = HttpClient()
    try:
        columns = [(variant.title, _cells(variant, http)) for variant in variants()]
    finally:
        http.close()
    rows = [
        [f"{WORDS[capability]} (`{capability.value}`)", *(cells[capability] for _, cells in columns)]
        for capability in Capability
    ]
    return _table(["capability", *(title for title, _ in columns)], rows)


def reference_table() -> str:
    """How far each adapter and preset is proven, what its administrator sets up, its limits, as a Markdown table."""
    http = HttpClient()
    try:
        rows = [_reference_row(variant, http) for variant in variants()]
    finally:
        http.close()
    head = ["key manager", "proven on", "can", "its administrator sets up", "known limits"]
    return _table(head, rows)


def _reference_row(variant: Variant, http: HttpClient) -> list[str]:
    proof = PROOFS[variant.key]
    held = variant.capabilities(http)
    can = ", ".join(f"`{capability.value}`" for capability in Capability if capability in held)
    return [variant.title, f"{proof.server} ({proof.on})", can, proof.rights, proof.limits]


def settings_table(adapter: str) -> str:
    """The settings that a person fills in for an adapter, as a Markdown table. Raises ``InputError``."""
    rows = [[f"`{item.name}`", _kind(item), _shown(item.default), _meaning(item)] for item in config_fields(adapter)]
    return _table(["setting", "kind", "default", "meaning"], rows)


def presets_table() -> str:
    """The presets of ``rfc``: what each sets, as a Markdown table."""
    names = [item.name for item in describe_config(adapter_class(RfcAdapter.slug).Config)]
    used = [name for name in names if any(name in values for values in PRESETS.values())]
    rows = [
        [f"`{name}`", *(_shown(values[name]) if name in values else "" for values in PRESETS.values())] for name in used
    ]
    return _table(["setting", *(f"`{preset}`" for preset in PRESETS)], rows)


def _cells(variant: Variant, http: HttpClient) -> dict[Capability, str]:
    """ "yes", the one setting that would give it, or "no"."""
    held = variant.capabilities(http)
    cells = {capability: "yes" if capability in held else "no" for capability in Capability}
    for name, value in _single_changes(variant):
        for capability in variant.capabilities(http, **{name: value}) - held:
            if cells[capability] == "no":
                cells[capability] = f"with `{name}` {_shown(value)}"
    return cells


def _single_changes(variant: Variant) -> Iterator[tuple[str, Any]]:
    for item in config_fields(variant.adapter.slug):
        if item.kind == "boolean":
            yield from ((item.name, value) for value in (True, False))
        yield from ((item.name, choice) for choice in item.choices)


def _kind(item: DescribedField) -> str:
    if item.choices:
        return " or ".join(f"`{choice}`" for choice in item.choices)
    return f"{item.kind}, secret" if item.secret else item.kind


def _meaning(item: DescribedField) -> str:
    sentences = [f"**{item.label}**", item.help, "Required." if item.required else ""]
    return " ".join(sentence for sentence in sentences if sentence)


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(f"`{entry}`" for entry in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value not in ("", None) else ""


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
