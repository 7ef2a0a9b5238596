"""nginx in front of PHP, with a configuration of its own."""

import os
from pathlib import Path
from typing import Final

from tests.servers.child_process import ChildProcess
from tests.servers.ports import is_listening

_CONFIGURATION: Final = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log {folder}/nginx-access.log;
    client_body_temp_path {folder}/nginx-body;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    proxy_temp_path {folder}/nginx-proxy;
    scgi_temp_path {folder}/nginx-scgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        index index.php;
        location / {{
            try_files $uri $uri/ /index.php?$args;
        }}
        location ~ \\.php$ {{
            try_files $uri =404;
            include /etc/nginx/fastcgi_params;
            # Debian's file leaves the port out.
            fastcgi_param HTTP_HOST $http_host;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass unix:{fastcgi};
        }}
    }}
}}
"""


class Nginx:
    """A web server for one PHP site.

    Args:
        folder: where configuration and logs go.
        port: TCP port of 127.0.0.1.
        root: the site's files.
        fastcgi: Unix socket of php-fpm.
    """

    def __init__(self, folder: Path, port: int, root: Path, fastcgi: Path) -> None:
        self.access_log = folder / "nginx-access.log"
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                port=port,
                root=root,
                fastcgi=fastcgi,
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        self._server = ChildProcess(
            # "-e": or it would first open the machine's own log.
            ["nginx", "-e", f"{folder}/nginx-error.log", "-c", str(configuration)],
            folder / "nginx.out",
            lambda: is_listening(port),
        )

    def start(self) -> None:
        """Start it and return once it listens."""
        self._server.start()

    def stop(self) -> None:
        """Stop it; its port is closed afterwards."""
        self._server.stop()
