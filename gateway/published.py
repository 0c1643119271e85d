"""Which API versions the gateway routes, read from the shared database."""

import logging
from pathlib import Path

from django.conf import settings

from common.errors import ConfigurationError
from common.origins import origin_of
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream
from subscriptions.models import ApiVersion
from subscriptions.states import ROUTED

logger = logging.getLogger(__name__)


def published_apis() -> list[GatewayApi]:
    """Every routed API version. One that the gateway cannot serve is left out and logged, the others are served."""
    rows = (
        ApiVersion.objects.filter(state__in=[state.value for state in ROUTED])
        .select_related("api")
        .order_by("api__context", "version")
    )
    found = []
    for row in rows:
        try:
            found.append(_gateway_api(row))
        except ConfigurationError as exc:
            logger.error("%s cannot be served by the gateway: %s", row, exc)
    return found


def gateway_settings() -> GatewaySettings:
    """How this gateway listens and whom it asks."""
    return GatewaySettings(
        listen_host=settings.ARCHWAY_GATEWAY_HOST,
        listen_port=settings.ARCHWAY_GATEWAY_PORT,
        validator_host=settings.ARCHWAY_VALIDATOR_HOST,
        validator_port=settings.ARCHWAY_VALIDATOR_PORT,
        validator_socket=settings.ARCHWAY_VALIDATOR_SOCKET,
        validator_headers=tuple(settings.ARCHWAY_VALIDATOR_HEADERS),
        validator_timeout_ms=settings.ARCHWAY_VALIDATOR_TIMEOUT_MILLISECONDS,
        portal_url=settings.ARCHWAY_PUBLIC_URL,
        cors_origins=(origin_of(settings.ARCHWAY_PUBLIC_URL), *settings.ARCHWAY_GATEWAY_CORS_ORIGINS),
        access_log=Path(settings.ARCHWAY_GATEWAY_ACCESS_LOG) if settings.ARCHWAY_GATEWAY_ACCESS_LOG else None,
        workers=settings.ARCHWAY_GATEWAY_THREADS,
    )


def _gateway_api(row: ApiVersion) -> GatewayApi:
    return GatewayApi(
        id=str(row.pk),
        prefix=row.path_prefix,
        production=Upstream(url=row.production_url) if row.production_url else None,
        sandbox=Upstream(url=row.sandbox_url) if row.sandbox_url else None,
        forward_token=row.forward_token,
    )
