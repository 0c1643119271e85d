"""A real OpenLDAP server with two trees: one as OpenLDAP's guide shapes it, one as Active Directory does.

``dc=example,dc=org``: lena is in museum, which is in api-developers; max and admin are in no group.
``dc=corp,dc=example``: nora is in museum, in culture, in api-developers, each in the next; otto's account is disabled.
The password of each is the name and ``-password``; ``cn=reader`` may read both trees.
It speaks TLS, by StartTLS and on a port of its own, with a certificate of its own (``certificate``).
"""

import ipaddress
import subprocess
from pathlib import Path
from typing import Final

from cryptography import x509

from tests.servers.certificates import self_signed
from tests.servers.process import ServerDidNotStart, ServerProcess, accepts_connections, free_port, require_program

DATA: Final = Path(__file__).resolve().parent / "slapd_data"
SCHEMAS: Final = ("core", "cosine", "inetorgperson")
OPENLDAP_TREE: Final = "dc=example,dc=org"
ACTIVE_DIRECTORY_TREE: Final = "dc=corp,dc=example"
_ADMINISTRATION: Final = [Path("/usr/sbin"), Path("/usr/local/sbin")]


class SlapdServer(ServerProcess):
    """A running slapd."""

    def __init__(self, *, port: int, home: Path | None) -> None:
        super().__init__("slapd", port=port, home=home)
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.tls_url = f"ldaps://127.0.0.1:{free_port()}"
        self.certificate = self_signed(self.home, "slapd", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))

    def configuration(self) -> str:
        """Both trees in one file of settings; what is in it is for tests."""
        lines = [f"include /etc/ldap/schema/{name}.schema" for name in SCHEMAS]
        lines += [f"include {DATA / 'active-directory.schema'}", "modulepath /usr/lib/ldap", "moduleload back_mdb"]
        lines += [f"TLSCertificateFile {self.certificate}", f"TLSCertificateKeyFile {self.certificate}"]
        lines += [f"pidfile {self.home / 'slapd.pid'}", f"argsfile {self.home / 'slapd.args'}"]
        for tree in (OPENLDAP_TREE, ACTIVE_DIRECTORY_TREE):
            reader = "cn=reader" if tree == OPENLDAP_TREE else "cn=reader,cn=Users"
            folder = self.home / tree.partition(",")[0].removeprefix("dc=")
            folder.mkdir(exist_ok=True)
            lines += ["database mdb", f'suffix "{tree}"', f"directory {folder}", "maxsize 10485760"]
            lines += [f'rootdn "cn=root,{tree}"', "rootpw root-password"]
            lines += ["access to attrs=userPassword by anonymous auth by * none"]
            lines += [f'access to * by dn.exact="{reader},{tree}" read by anonymous auth by * none']
        return "\n".join(lines) + "\n"


def start(*, port: int = 0, home: Path | None = None) -> SlapdServer:
    """Starts slapd on ``port`` (0: a free one) with both trees in it. Raises ``ServerDidNotStart``."""
    slapd = require_program("slapd", folders=_ADMINISTRATION)
    slapadd = require_program("slapadd", folders=_ADMINISTRATION)
    server = SlapdServer(port=port, home=home)
    settings = server.home / "slapd.conf"
    settings.write_text(server.configuration())
    for tree, text in _trees().items():
        done = subprocess.run(
            [slapadd, "-f", settings, "-b", tree, "-q"], input=text, check=False, capture_output=True, text=True
        )
        if done.returncode:
            server.stop()
            raise ServerDidNotStart(f"slapadd failed: {done.stderr}")
    addresses = f"{server.url} {server.tls_url}"
    server.start([slapd, "-f", settings, "-h", addresses, "-d", "0"], ready=lambda: accepts_connections(server.port))
    return server


def _trees() -> dict[str, str]:
    entries = [entry for entry in (DATA / "directory.ldif").read_text().split("\n\n") if entry.strip()]
    return {
        tree: "\n\n".join(entry for entry in entries if f"{tree}\n" in entry.partition("objectClass")[0]) + "\n"
        for tree in (OPENLDAP_TREE, ACTIVE_DIRECTORY_TREE)
    }
