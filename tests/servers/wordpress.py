"""A real WordPress (Debian's package) with the plugin, in a temporary folder."""

import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.servers.mariadb import MariaDB
from tests.servers.nginx import Nginx
from tests.servers.php_fpm import PhpFpm
from tests.servers.ports import free_port

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = Path("/usr/share/wordpress")
PLUGIN: Final = "chat-presence-bridge/chat-presence-bridge.php"
DEMO_CHAT: Final = "demo-chat/demo-chat.php"

# Two thirds of WordPress by size.
_STATIC: Final = tuple(
    f"{folder}/{kind}" for folder in ("wp-admin", "wp-includes") for kind in ("css", "images", "js")
)
_SALTS: Final = tuple(
    f"{name}_{kind}"
    for name in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE")
    for kind in ("KEY", "SALT")
)

_INSTALL: Final = """
function wp_new_blog_notification() {}
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
wp_install( 'Plain Store', 'owner', 'owner@example.com', true, '', %(password)s );
$GLOBALS['wp_rewrite']->set_permalink_structure( '/%%postname%%/' );
flush_rewrite_rules( false );
foreach ( array( 'first' => 'second', 'second' => 'first' ) as $slug => $other ) {
	wp_insert_post(
		array(
			'post_type'    => 'page',
			'post_status'  => 'publish',
			'post_name'    => $slug,
			'post_title'   => ucfirst( $slug ) . ' page',
			'post_content' => "<p><a id='other-page' href='/$other/'>The other page</a></p>",
		)
	);
}
foreach ( %(plugins)s as $plugin ) {
	$outcome = activate_plugin( $plugin );
	if ( is_wp_error( $outcome ) ) {
		throw new Exception( $outcome->get_error_message() );
	}
}
"""

_CONNECT: Final = """
$options    = new ChatPresenceBridge\\Options();
$connection = ChatPresenceBridge\\Connection::from_string( %s );
$outcome    = ( new ChatPresenceBridge\\Store_Connection( $options ) )->connect( $connection );
if ( is_wp_error( $outcome ) ) {
	throw new Exception( $outcome->get_error_message() );
}
$options->save_connection( %s );
"""


class WordPress:
    """WordPress on php-fpm, nginx and MariaDB, with this plugin and the demo chat widget active.

    It has two pages, ``/first/`` and ``/second/``, that link to each other (``#other-page``).

    Raises:
        FileNotFoundError: one of Debian's packages is not installed.
        RuntimeError: a server or the installation failed.
    """

    def __init__(self) -> None:
        # Not pytest's own temporary folder: its path is too long for a Unix socket.
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-wordpress-"))
        self.root = self.folder / "site"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.password = secrets.token_urlsafe(12)
        self.debug_log = self.folder / "debug.log"
        self._notices = self.folder / "notices.log"
        self.mariadb = MariaDB(self.folder)
        self._php_fpm = PhpFpm(self.folder)
        self.nginx = Nginx(self.folder, self.port, self.root, self._php_fpm.socket)

    def __enter__(self) -> Self:
        try:
            self._copy_files()
            self.mariadb.install()
            self.start()
            self._install()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def start(self) -> None:
        """Start the servers, on the same port and data as before."""
        self.mariadb.start()
        self._php_fpm.start()
        self.nginx.start()

    def stop(self) -> None:
        """Stop the servers; files and data stay."""
        self.nginx.stop()
        self._php_fpm.stop()
        self.mariadb.stop()

    def php(self, code: str) -> str:
        """Run PHP inside WordPress, by the command line, and return what it printed.

        Raises:
            RuntimeError: it failed; the message is what PHP reported.
        """
        return self._run_php(f"require '{self.root}/wp-load.php';\n{code}")

    def complaints(self) -> list[str]:
        """What PHP complained of so far: fatal errors, and all else that our plugin has a part in.

        WordPress's own deprecations are left out: it is older than the PHP it runs on.
        """
        fatal = [line for line in _lines(self.debug_log) if re.search("PHP (Fatal|Parse)", line)]
        return _lines(self._notices) + fatal

    def option(self, name: str) -> Any:
        """The value of a WordPress option; ``False`` when there is none."""
        return json.loads(self.php(f"echo wp_json_encode( get_option( {php_text(name)} ) );"))

    def connect(self, connection_string: str) -> None:
        """Connect the plugin to a bridge, as its settings page does.

        Raises:
            RuntimeError: the string is wrong, or the bridge refused; the message says which.
        """
        text = php_text(connection_string)
        self.php(_CONNECT % (text, text))

    def disconnect(self) -> None:
        """Make the plugin forget its bridge, and what it counts and waits for."""
        self.mariadb.execute(
            "DELETE FROM wordpress.wp_options WHERE option_name LIKE '\\_transient\\_%cpb\\_%'"
        )
        self.php("( new ChatPresenceBridge\\Options() )->forget_connection();")

    def _remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _copy_files(self) -> None:
        if not SOURCE.is_dir():
            raise FileNotFoundError(f"{SOURCE}: install Debian's package wordpress")
        # A copy of the PHP, not links: WordPress finds its configuration beside the real file.
        shutil.copytree(
            SOURCE, self.root, ignore=_without_static_files, ignore_dangling_symlinks=True
        )
        for folder in _STATIC:
            (self.root / folder).symlink_to(SOURCE / folder)
        content = self.root / "wp-content"
        (content / "plugins" / "chat-presence-bridge").symlink_to(CHECKOUT / "wp-plugin")
        (content / "mu-plugins").symlink_to(CHECKOUT / "tests" / "wordpress" / "mu-plugins")
        for kind in ("plugins", "themes"):
            for ours in (CHECKOUT / "tests" / "wordpress" / kind).iterdir():
                (content / kind / ours.name).symlink_to(ours)
        (self.root / "wp-config.php").write_text(self._configuration())

    def _configuration(self) -> str:
        constants: dict[str, str | bool] = {
            "DB_NAME": "wordpress",
            "DB_USER": "root",
            "DB_PASSWORD": "",
            "DB_HOST": f"localhost:{self.mariadb.socket}",
            "DB_CHARSET": "utf8mb4",
            "DB_COLLATE": "",
            "WP_DEFAULT_THEME": "plain",
            "WP_DEBUG": True,
            "WP_DEBUG_DISPLAY": False,
            "WP_DEBUG_LOG": str(self.debug_log),
            "CPB_TEST_PLUGIN": str(CHECKOUT / "wp-plugin"),
            "CPB_TEST_NOTICES": str(self._notices),
            "DISABLE_WP_CRON": True,
            "AUTOMATIC_UPDATER_DISABLED": True,
            "WP_HTTP_BLOCK_EXTERNAL": True,
            "WP_ACCESSIBLE_HOSTS": "127.0.0.1,localhost",
            **{salt: secrets.token_urlsafe(32) for salt in _SALTS},
        }
        lines = [f"define( {php_text(k)}, {json.dumps(v)} );" for k, v in constants.items()]
        return "\n".join(
            [
                "<?php",
                *lines,
                "$table_prefix = 'wp_';",
                "defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );",
                "require_once ABSPATH . 'wp-settings.php';",
                "",
            ]
        )

    def _install(self) -> None:
        self.mariadb.execute("CREATE DATABASE wordpress CHARACTER SET utf8mb4")
        script = _INSTALL % {
            "password": php_text(self.password),
            "plugins": f"array( {php_text(PLUGIN)}, {php_text(DEMO_CHAT)} )",
        }
        # On the command line WordPress cannot guess its own address.
        address = f"define( 'WP_SITEURL', {php_text(self.url)} );"
        installing = "define( 'WP_INSTALLING', true );"
        self._run_php(f"{address}{installing}\nrequire '{self.root}/wp-load.php';\n{script}")

    def _run_php(self, code: str) -> str:
        server = f"$_SERVER['HTTP_HOST'] = '127.0.0.1:{self.port}';\n"
        done = subprocess.run(
            ["php", "-d", "sendmail_path=/bin/true", "-r", server + code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]},
        )
        if done.returncode != 0:
            log = "\n".join(_lines(self.debug_log)[-10:])
            raise RuntimeError(f"PHP ended with {done.returncode}: {done.stderr}{log}")
        return done.stdout


def _without_static_files(folder: str, names: list[str]) -> list[str]:
    inside = Path(folder).relative_to(SOURCE)
    return [name for name in names if str(inside / name) in _STATIC]


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines() if file.exists() else []


def php_text(text: str) -> str:
    """A PHP string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
