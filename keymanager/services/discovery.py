"""Discovery import: what a server says of itself (RFC 8414, OpenID Connect Discovery), before a key manager is made.

Nothing is stored. The answer says which settings follow from the document, which a person must give, what was not
found, and what looks wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from common.errors import InputError
from common.http import HttpClient, HttpLimits
from common.http_values import check_url
from keymanager.adapters.config import DescribedField, parse_config
from keymanager.adapters.contract import KeyManagerAdapter, ServerMetadata
from keymanager.adapters.description import Description, describe, read_keys
from keymanager.adapters.registry import ADAPTERS, adapter_class
from keymanager.adapters.rfc.presets import PRESETS
from keymanager.adapters.well_known import discovery_urls, issuer_of_place
from keymanager.models import ClaimedIssuer
from keymanager.services.adapters import RESIDENT, http_client
from keymanager.services.configuration import config_fields
from keymanager.services.discovery_findings import ENDPOINTS, Finding, Level, findings_of, findings_of_keys

_LIMITS: Final = HttpLimits(connect=3.0, read=5.0, total=8.0)
_PLAIN: Final = "rfc"
_STAND_INS: Final[Mapping[str, Any]] = {
    "url": "https://stand-in.invalid/",
    "boolean": True,
    "integer": 1,
    "list": ["-"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An adapter (and a preset of it, or "") that knows the server, and by what."""

    adapter: str
    title: str
    preset: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSetting:
    """One setting of the adapter. ``origin``: document, adapter (derived from the document), preset, default or person.

    ``store`` False: it is read from the document again and again, so that a change there is followed; giving a value
    replaces that. With ``origin`` "person" there is no value yet and one must be given.
    """

    name: str
    title: str
    value: Any
    origin: str
    store: bool
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """``document_url``: where it was found, "" when it was not. ``found``: endpoint names to URLs."""

    adapter: str
    preset: str
    issuer: str
    document_url: str
    found: Mapping[str, str]
    settings: tuple[ImportedSetting, ...]
    suggestions: tuple[Suggestion, ...]
    findings: tuple[Finding, ...]
    metadata: ServerMetadata | None

    @property
    def missing(self) -> tuple[str, ...]:
        """Sentences about what was not found."""
        return tuple(item.message for item in self.findings if item.level != Level.DOUBTFUL)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Sentences about what looks wrong."""
        return tuple(item.message for item in self.findings if item.level == Level.DOUBTFUL)

    @property
    def config(self) -> dict[str, Any]:
        """The settings to begin a key manager's configuration with."""
        values = {item.name: item.value for item in self.settings if item.store and item.origin in _STORED}
        return {"preset": self.preset, **values} if self.preset else values

    @property
    def filled(self) -> dict[str, Any]:
        """As ``config``, with the settings of the preset spelled out: what a form begins with."""
        return {
            item.name: item.value
            for item in self.settings
            if item.origin == "preset" or (item.store and item.origin in _STORED)
        }

    @property
    def announced(self) -> dict[str, Any]:
        """Settings that the document gave, those too that are read from it again and again."""
        return {item.name: item.value for item in self.settings if item.origin in _STORED}

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the settings that a person must still give."""
        return tuple(item.name for item in self.settings if item.origin == "person")


_STORED: Final = ("document", "adapter")


def discover(*, url: str, adapter: str = "", preset: str = "") -> Discovered:
    """Ask the server at ``url`` (its issuer, or its discovery document) what it is.

    ``adapter``: whose settings are filled in; "" takes the first that knows the server, else ``rfc``. Raises
    ``InputError`` naming ``url``, ``adapter`` or ``preset``; a server that does not answer well is a finding.
    """
    if not url:
        raise InputError.of("url", "Give the issuer's URL.")
    try:
        check_url(url)
    except InputError as exc:
        raise InputError.of("url", "This must be an absolute http or https URL.") from exc
    if adapter == RESIDENT:
        raise InputError.of("adapter", "The resident key manager knows itself; there is nothing to discover.")
    if preset and preset not in PRESETS:
        raise InputError.of("preset", f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    asked = adapter_class(adapter) if adapter else None
    http = http_client(adapter or _PLAIN)
    http.limits = _LIMITS
    try:
        return _Import(http, url, asked, preset).result()
    finally:
        http.close()


class _Import:
    """One import: what was asked, and what came of it."""

    def __init__(self, http: HttpClient, url: str, asked: type[KeyManagerAdapter] | None, preset: str) -> None:
        self._http = http
        self._url = url
        self._asked = asked
        self._preset = preset

    def result(self) -> Discovered:
        """Read, recognise, fill in, judge."""
        places = self._places()
        description = describe(self._http, places) if places else _told(self._url)
        known = bool(description.place) or not places
        suggestions = _suggestions(description.metadata) if description.place else ()
        chosen, preset = self._choice(suggestions)
        settings = tuple(_settings(chosen, preset, description.metadata)) if known else ()
        metadata = description.metadata
        return Discovered(
            adapter=chosen.slug,
            preset=preset,
            issuer=metadata.issuer if known else "",
            document_url=description.place,
            found={name: getattr(metadata, name) for name in ENDPOINTS if getattr(metadata, name)},
            settings=settings,
            suggestions=suggestions,
            findings=tuple(self._findings(description, chosen, suggestions, settings)),
            metadata=metadata if known else None,
        )

    def _places(self) -> tuple[str, ...]:
        if "/.well-known/" in self._url:
            return (self._url,)
        if self._asked is not None:
            return self._asked.discovery_places(self._url)
        every = (place for each in ADAPTERS.values() for place in each.discovery_places(self._url))
        plain = adapter_class(_PLAIN).discovery_places(self._url)
        return tuple(dict.fromkeys((*plain, *every)))

    def _choice(self, suggestions: tuple[Suggestion, ...]) -> tuple[type[KeyManagerAdapter], str]:
        chosen = self._asked
        if chosen is None:
            chosen = adapter_class(suggestions[0].adapter if suggestions else _PLAIN)
        fitting = next((item.preset for item in suggestions if item.adapter == chosen.slug), "")
        return chosen, (self._preset or fitting) if chosen.slug == _PLAIN else ""

    def _findings(
        self,
        description: Description,
        chosen: type[KeyManagerAdapter],
        suggestions: tuple[Suggestion, ...],
        settings: tuple[ImportedSetting, ...],
    ) -> Iterator[Finding]:
        if not description.place:
            yield _no_document(description, chosen)
            return
        yield from findings_of(description, expected=self._expected(description))
        if description.metadata.jwks_uri:
            yield from findings_of_keys(*read_keys(self._http, description.metadata.jwks_uri))
        others = [item for item in suggestions if item.adapter != chosen.slug]
        if suggestions and len(others) == len(suggestions):
            words = f"This looks like {others[0].title}: {others[0].reason} The adapter {others[0].adapter} knows it."
            yield Finding(code="another_adapter", level=Level.DOUBTFUL, message=words)
        yield from _taken(description.metadata.issuer)
        yield from _refused(chosen, self._preset, settings)

    def _expected(self, description: Description) -> str:
        if "/.well-known/" in self._url:
            return issuer_of_place(self._url)
        # A place that only an adapter knows is for an issuer that only the adapter knows.
        return self._url if description.place in discovery_urls(self._url) else ""


def _told(url: str) -> Description:
    """For servers that describe themselves nowhere: the address is what is known."""
    return Description(metadata=ServerMetadata(issuer=url.rstrip("/")))


def _suggestions(metadata: ServerMetadata) -> tuple[Suggestion, ...]:
    found = []
    for each in ADAPTERS.values():
        known = each.recognise(metadata)
        if known is not None:
            found.append(Suggestion(adapter=each.slug, title=each.label, preset=known.preset, reason=known.reason))
    # An adapter of its own knows more of its server than a preset of the general one.
    return tuple(sorted(found, key=lambda item: item.adapter == _PLAIN))


def _settings(adapter: type[KeyManagerAdapter], preset: str, found: ServerMetadata) -> Iterator[ImportedSetting]:
    derived = {name: value for name, value in adapter.settings_from(found).items() if value not in ("", None)}
    preset_values = PRESETS[preset] if preset else {}
    needed = _needed(adapter, {**preset_values, **derived})
    said = {value for value in found.raw.values() if isinstance(value, str)} | {found.issuer}
    for item in config_fields(adapter.slug):
        value, origin, store = item.default, "default", False
        if item.name in derived:
            value, origin, store = derived[item.name], "document" if derived[item.name] in said else "adapter", True
        elif item.name in ENDPOINTS and getattr(found, item.name):
            value, origin = getattr(found, item.name), "document"
        elif item.name in preset_values:
            value, origin, store = preset_values[item.name], "preset", True
        elif item.name in needed:
            value, origin, store = None, "person", True
        if origin == "default" and value in ("", None, ()):
            continue
        yield ImportedSetting(
            name=item.name, title=item.label, value=value, origin=origin, store=store, secret=item.secret
        )


def _needed(adapter: type[KeyManagerAdapter], values: Mapping[str, Any]) -> frozenset[str]:
    """Names of the settings without which the adapter takes no configuration."""
    fields = {item.name: item for item in config_fields(adapter.slug)}
    needed = {name for name, item in fields.items() if item.required and name not in values}
    faults = _faults(adapter, {**values, **{name: _stand_in(fields[name]) for name in needed}})
    return frozenset(needed | {name for name in faults if name in fields and name not in values})


def _refused(adapter: type[KeyManagerAdapter], preset: str, settings: tuple[ImportedSetting, ...]) -> Iterator[Finding]:
    """Settings from the document that the adapter would not take."""
    fields = {item.name: item for item in config_fields(adapter.slug)}
    values = dict(PRESETS[preset]) if preset else {}
    values |= {item.name: item.value for item in settings if item.store and item.origin != "person"}
    stand_ins = {item.name: _stand_in(fields[item.name]) for item in settings if item.origin == "person"}
    for name, messages in _faults(adapter, {**values, **stand_ins}).items():
        if name in values:
            text = f"{adapter.label} does not take {name} as it was found: {messages[0]}"
            yield Finding(code="setting_refused", level=Level.DOUBTFUL, member=name, message=text)


def _faults(adapter: type[KeyManagerAdapter], values: Mapping[str, Any]) -> dict[str, list[str]]:
    try:
        parse_config(adapter.Config, values)
    except InputError as exc:
        return {name.removeprefix("config."): list(messages) for name, messages in exc.fields.items()}
    return {}


def _stand_in(item: DescribedField) -> Any:
    return item.choices[0] if item.choices else _STAND_INS.get(item.kind, "-")


def _no_document(description: Description, chosen: type[KeyManagerAdapter]) -> Finding:
    if not description.faults:
        words = f"{chosen.label} describes itself nowhere: every setting but the address must be given."
        return Finding(code="no_discovery", level=Level.MISSING, message=words)
    words = f"There is no discovery document: {'; '.join(description.faults)}."
    return Finding(code="no_document", level=Level.FATAL, message=words)


def _taken(issuer: str) -> Iterator[Finding]:
    claim = ClaimedIssuer.objects.select_related("key_manager").filter(issuer=issuer).first()
    if claim is not None:
        words = f"The key manager {claim.key_manager.slug} has this issuer already; only one of them can be enabled."
        yield Finding(code="issuer_taken", level=Level.DOUBTFUL, member="issuer", message=words)
