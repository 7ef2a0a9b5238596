"""``GET /plugin.zip``: the plugin, as it is uploaded to WordPress."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.api.installation import Installation

PLUGIN = Path(__file__).resolve().parents[2] / "wp-plugin"


def test_it_holds_the_plugin_that_this_bridge_runs_with(installation: Installation) -> None:
    answered = installation.open("/plugin.zip")
    assert answered.mimetype == "application/zip"
    assert "chat-presence-bridge.zip" in answered.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answered.data)) as archive:
        assert archive.testzip() is None
        main = archive.read("chat-presence-bridge/chat-presence-bridge.php")
        script = archive.read("chat-presence-bridge/assets/presence.js")
    assert main == (PLUGIN / "chat-presence-bridge.php").read_bytes()
    assert script == (PLUGIN / "assets" / "presence.js").read_bytes()


def test_nobody_need_say_who_they_are_and_no_secret_is_in_it(installation: Installation) -> None:
    store = installation.add_store()
    answered = installation.open("/plugin.zip")
    with zipfile.ZipFile(io.BytesIO(answered.data)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert store.secret.encode() not in content
            assert store.site.encode() not in content
