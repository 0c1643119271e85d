"""A Tomcat that serves one unpacked web application on a loopback port, from a folder of its own for each run."""

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import require_program

# Only the jars that are named are searched for page tags: searching all of them takes longer than all the rest.
_SCAN = "tomcat.util.scan.StandardJarScanFilter"


def unpack(archive: Path, folder: Path) -> None:
    """The Tomcat of ``archive`` (tar.gz) as ``folder``, without its own web applications."""
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as packed:
        top = packed.getnames()[0].split("/")[0]
        packed.extractall(parent, filter="data")
    shutil.rmtree(folder, ignore_errors=True)
    (parent / top).rename(folder)
    shutil.rmtree(folder / "webapps")


def prepare(home: Path, *, tomcat: Path, webapp: Path, path: str, port: int, jars_to_scan: Sequence[str] = ()) -> None:
    """Writes the configuration of one run into ``home``: ``webapp`` under ``path`` on 127.0.0.1:``port``, no more."""
    configuration = home / "conf"
    shutil.copytree(tomcat / "conf", configuration, dirs_exist_ok=True)
    for name in ("logs", "temp", "work", "webapps"):
        (home / name).mkdir(exist_ok=True)
    (configuration / "server.xml").write_text(_server(webapp, path, port))
    # Of two values for a property the last counts.
    with (configuration / "catalina.properties").open("a") as properties:
        properties.write(f"\n{_SCAN}.jarsToSkip=*\n{_SCAN}.jarsToScan={','.join(jars_to_scan)}\n")


def command(home: Path, *, tomcat: Path, options: Sequence[str]) -> list[str | Path]:
    """The Java process itself, so that its process id is the server's. Raises ``ServerDidNotStart`` without Java."""
    return [
        require_program("java"),
        *options,
        f"-Dcatalina.home={tomcat}",
        f"-Dcatalina.base={home}",
        f"-Djava.io.tmpdir={home / 'temp'}",
        "-Djava.net.preferIPv4Stack=true",
        "-classpath",
        f"{tomcat / 'bin' / 'bootstrap.jar'}:{tomcat / 'bin' / 'tomcat-juli.jar'}",
        "org.apache.catalina.startup.Bootstrap",
        "start",
    ]


def _server(webapp: Path, path: str, port: int) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1">
  <Service name="Catalina">
    <Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="40"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false" deployOnStartup="false">
        <Context path="{path}" docBase="{webapp}"/>
      </Host>
    </Engine>
  </Service>
</Server>
"""
