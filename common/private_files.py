"""Files that only their owner may read, made once although several processes want them at the same time."""

import os
import secrets
from pathlib import Path


def private_file(path: Path, content: str) -> str:
    """Read ``path``, or create it with ``content`` and mode 0600; processes that race get the same content."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(content)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
