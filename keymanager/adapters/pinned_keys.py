"""Public keys that an administrator pins as PEM, bare or in certificates (RFC 7468)."""

import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

SHORTEST_RSA_BITS: Final = 2048
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_PRIVATE = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")


def fault_of_pinned_keys(text: str) -> str:
    """Why ``text`` cannot be pinned, or ""."""
    if _PRIVATE.search(text):
        return "This is a private key: it must never be given to anybody. Give the public key or the certificate."
    try:
        keys_in_pem(text)
    except ValueError as exc:
        return str(exc)
    return ""


def keys_in_pem(text: str) -> tuple[tuple[str, Key], ...]:
    """Key type (RFC 7518 section 6.1) and key of every block of ``text``. Raises ``ValueError`` for people."""
    blocks = list(_BLOCK.finditer(text))
    if not blocks or _BLOCK.sub("", text).strip():
        raise ValueError("This must be PEM blocks: BEGIN PUBLIC KEY or BEGIN CERTIFICATE.")
    return tuple(_key(block.group(1), block.group(0)) for block in blocks)


def _key(label: str, block: str) -> tuple[str, Key]:
    try:
        public = _public_key(label, block.encode())
        kty = _kind(public)
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return kty, JWKRegistry.import_key(pem, kty)
    except (JoseError, UnsupportedAlgorithm, TypeError) as exc:
        raise ValueError("A key is of a kind that cannot be used.") from exc


def _public_key(label: str, block: bytes) -> PublicKeyTypes:
    try:
        if label == "CERTIFICATE":
            return x509.load_pem_x509_certificate(block).public_key()
        if label in ("PUBLIC KEY", "RSA PUBLIC KEY"):
            return load_pem_public_key(block)
    except ValueError as exc:
        raise ValueError(f"A block BEGIN {label} cannot be read.") from exc
    raise ValueError(f"A block BEGIN {label} is neither a public key nor a certificate.")


def _kind(public: PublicKeyTypes) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < SHORTEST_RSA_BITS:
            raise ValueError(f"An RSA key has {public.key_size} bits; {SHORTEST_RSA_BITS} are the least.")
        return "RSA"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "EC"
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "OKP"
    raise ValueError("Only RSA, EC and Ed25519 keys can be used.")
