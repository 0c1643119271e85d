"""What can be proved of a client that was made elsewhere."""

from collections.abc import Callable

from common.errors import KeyManagerRejected
from keymanager.adapters.contract import ClientHandle, RegisteredClient, Verification

Read = Callable[[ClientHandle], RegisteredClient | None]


def verified(handle: ClientHandle, read: Read, secret_works: Callable[[ClientHandle], bool | None]) -> Verification:
    """Its existence by management, its secret by using it. A client of another owner is forbidden to us, not gone."""
    notes: tuple[str, ...] = ()
    try:
        exists = read(ClientHandle(client_id=handle.client_id)) is not None
    except KeyManagerRejected as refused:
        if refused.remote_status != 403:
            raise
        exists, notes = True, ("The client belongs to somebody else: it cannot be read.",)
    if not exists:
        return Verification(exists=False, secret_works=False if handle.client_secret else None)
    if not handle.client_secret:
        return Verification(exists=True, secret_works=None, notes=(*notes, "There is no secret to try."))
    bare = ClientHandle(client_id=handle.client_id, client_secret=handle.client_secret)
    return Verification(exists=True, secret_works=secret_works(bare), notes=notes)
