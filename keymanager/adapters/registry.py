"""Which adapters there are: ours, one line each, and those of installed packages (entry point group below)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from common.errors import InputError
from keymanager.adapters.auth0 import Auth0Adapter
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.entra import EntraAdapter
from keymanager.adapters.external import ExternalAdapter
from keymanager.adapters.forgerock import ForgeRockAdapter
from keymanager.adapters.hydra import HydraAdapter
from keymanager.adapters.keycloak import KeycloakAdapter
from keymanager.adapters.okta import OktaAdapter
from keymanager.adapters.pingfederate import PingFederateAdapter
from keymanager.adapters.resident import ResidentAdapter
from keymanager.adapters.rfc import RfcAdapter
from keymanager.adapters.surfoauth import SurfOAuthAdapter
from keymanager.adapters.wso2is import Wso2IsAdapter
from keymanager.adapters.wso2is7 import Wso2Is7Adapter

SHIPPED: Final[Mapping[str, type[KeyManagerAdapter]]] = {
    EntraAdapter.slug: EntraAdapter,
    PingFederateAdapter.slug: PingFederateAdapter,
    Auth0Adapter.slug: Auth0Adapter,
    OktaAdapter.slug: OktaAdapter,
    ExternalAdapter.slug: ExternalAdapter,
    ForgeRockAdapter.slug: ForgeRockAdapter,
    HydraAdapter.slug: HydraAdapter,
    KeycloakAdapter.slug: KeycloakAdapter,
    ResidentAdapter.slug: ResidentAdapter,
    RfcAdapter.slug: RfcAdapter,
    SurfOAuthAdapter.slug: SurfOAuthAdapter,
    Wso2IsAdapter.slug: Wso2IsAdapter,
    Wso2Is7Adapter.slug: Wso2Is7Adapter,
}

GROUP: Final = "archway.key_managers"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFault:
    """An entry point that gives no adapter, and why. ``distribution``: the package that has it."""

    name: str
    distribution: str
    reason: str


def found_in_packages(
    points: Iterable[EntryPoint], taken: Iterable[str]
) -> tuple[dict[str, type[KeyManagerAdapter]], list[PackageFault]]:
    """The adapters behind entry points, and what is wrong with the others. A slug that is taken is never replaced."""
    adapters: dict[str, type[KeyManagerAdapter]] = {}
    faults = []
    used = set(taken)
    for point in sorted(points, key=lambda item: (item.name, item.value)):
        adapter, reason = _loaded(point, used)
        if adapter is None:
            owner = point.dist.name if point.dist is not None else "(unknown)"
            faults.append(PackageFault(name=point.name, distribution=owner, reason=reason))
            continue
        adapters[point.name] = adapter
        used.add(point.name)
    return adapters, faults


def _loaded(point: EntryPoint, taken: set[str]) -> tuple[type[KeyManagerAdapter] | None, str]:
    """The adapter class, or why there is none."""
    if point.name in taken:
        return None, f"There is an adapter {point.name!r} already."
    try:
        found = point.load()
    except Exception as exc:  # noqa: BLE001 - code of others must not stop ours; the system check shows what it did
        return None, f"{point.value} cannot be imported: {type(exc).__name__}: {exc}"
    if not (isinstance(found, type) and issubclass(found, KeyManagerAdapter)):
        return None, f"{point.value} is no KeyManagerAdapter."
    if getattr(found, "slug", "") != point.name:
        return None, f"The entry point's name must be the adapter's slug, which is {getattr(found, 'slug', '')!r}."
    if not getattr(found, "label", "") or not is_dataclass(getattr(found, "Config", None)):
        return None, f"{point.value} needs a label and a Config that is a dataclass."
    return found, ""


_packages, PACKAGE_FAULTS = found_in_packages(entry_points(group=GROUP), SHIPPED)
ADAPTERS: Final[Mapping[str, type[KeyManagerAdapter]]] = {**SHIPPED, **_packages}


def adapter_class(slug: str) -> type[KeyManagerAdapter]:
    """The adapter of this slug. Raises ``InputError`` naming ``adapter``."""
    if slug not in ADAPTERS:
        raise InputError.of("adapter", f"there is no adapter {slug!r}; there are {', '.join(sorted(ADAPTERS))}")
    return ADAPTERS[slug]
