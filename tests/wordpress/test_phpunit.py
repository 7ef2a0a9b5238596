"""The plugin's PHP, tested by PHPUnit inside WordPress."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.servers.wordpress import WordPress


@pytest.mark.usefixtures("wpiko", "woocommerce")
def test_phpunit(wordpress: WordPress) -> None:
    folder = Path(__file__).parent / "phpunit"
    done = subprocess.run(
        ["phpunit", "--configuration", str(folder / "phpunit.xml")],
        env={"PATH": os.environ["PATH"], "WORDPRESS_LOAD": str(wordpress.root / "wp-load.php")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
