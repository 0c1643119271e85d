"""What the gateway would decide about a call, for the answer of ``/introspect``."""

from typing import Any

from keymanager.models import Credential
from keymanager.validation.explain import explain_call
from subscriptions.models import Subscription


def verdict_members(
    token: str, credential: Credential, *, context: str, version: str, method: str, path: str
) -> dict[str, Any]:
    """``subscription`` {state, plan} of the token's application, or null, and ``verdict`` {allowed, steps}.

    ``context`` and ``version`` name the API version, ``path`` is what follows them. Nothing is counted or stored.
    """
    context = f"/{context.strip('/')}"
    subscription = (
        Subscription.objects.filter(
            application=credential.application_id,
            api_version__api__context__iexact=context,
            api_version__version=version,
        )
        .select_related("plan")
        .first()
    )
    explanation = explain_call(
        token=token, context=context, version=version, method=method, path=f"/{path.partition('?')[0].lstrip('/')}"
    )
    return {
        "subscription": {"state": subscription.state, "plan": subscription.plan.slug} if subscription else None,
        "verdict": {
            "allowed": explanation.allowed,
            "steps": [
                {
                    "name": entry.name,
                    "outcome": entry.outcome.value,
                    "code": entry.code,
                    "message": entry.message,
                }
                for entry in explanation.entries
            ],
        },
    }
