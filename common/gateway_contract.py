"""What the gateway and the validator say to each other: Envoy's HTTP service of external authorization.

The gateway asks ``<method> /check?<path?query>`` with the caller's headers and no body. A gateway that can only put
something before the path asks ``/check<path?query>``. Our own server reads either byte for byte; where another stands
between, the question mark keeps the path's escapes from being resolved. 200 allows the call; every other status refuses
it, and the answer's status, body and ``CLIENT_HEADERS`` go to the caller.
"""

from typing import Final

CHECK_PREFIX: Final = "/check"
CHECK_EXACTLY: Final = f"{CHECK_PREFIX}?"

# Of an allowing answer: which upstream the call goes to, and the signed statement about the caller for the backend.
ENVIRONMENT_HEADER: Final = "x-archway-environment"
PRODUCTION: Final = "production"
SANDBOX: Final = "sandbox"
BACKEND_JWT_HEADER: Final = "x-jwt-assertion"
# Of a refusing answer: what a person quotes when asking about it.
REFERENCE_HEADER: Final = "x-archway-reference"

# A caller that sends one of these is trying to pass as the gateway: they are removed before anything reads them.
RESERVED_PREFIX: Final = "x-archway-"
RESERVED_HEADERS: Final = (BACKEND_JWT_HEADER,)
# Frameworks let these replace the method or path that was judged: a call could become one that the token has no
# scope for.
OVERRIDE_HEADERS: Final = (
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
)

CLIENT_HEADERS: Final = (
    "allow",
    "cache-control",
    "content-type",
    "retry-after",
    "www-authenticate",
    REFERENCE_HEADER,
)

# Envoy reads a 5xx from the validator as "the validator is broken" and drops its words. A refusal whose status is 503
# ("the key manager does not answer") is therefore sent as this status, and the gateway turns it back into 503.
UNAVAILABLE_ON_THE_WIRE: Final = 463


def wire_status(status: int) -> int:
    """The status with which the validator tells the gateway to refuse a call with ``status``."""
    return UNAVAILABLE_ON_THE_WIRE if status >= 500 else status
