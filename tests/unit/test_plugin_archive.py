"""plugin.zip: complete, in one folder, and the same at each build."""

import os
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from bridge.plugin_archive import PLUGIN_SOURCE, build_plugin_archive, main


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "wp-plugin"
    (folder / "includes").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("includes/b.php", "includes/a.php", ".git/config", "includes/.hidden"):
        (folder / name).write_text(name)
    (folder / "chat-presence-bridge.php").write_text("<?php")
    return folder


def test_names_are_sorted_under_one_folder_without_dotfiles(source: Path) -> None:
    with ZipFile(BytesIO(build_plugin_archive(source))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "chat-presence-bridge/chat-presence-bridge.php",
            "chat-presence-bridge/includes/a.php",
            "chat-presence-bridge/includes/b.php",
        ]


def test_times_and_modes_of_the_files_do_not_matter(source: Path) -> None:
    before = build_plugin_archive(source)
    main_file = source / "chat-presence-bridge.php"
    os.utime(main_file, (1_500_000_000, 1_500_000_000))
    main_file.chmod(0o700)
    assert build_plugin_archive(source) == before


def test_contents_matter(source: Path) -> None:
    before = build_plugin_archive(source)
    (source / "includes" / "a.php").write_text("changed")
    assert build_plugin_archive(source) != before


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"chat-presence-bridge\.php"):
        build_plugin_archive(tmp_path)


def test_the_command_packs_the_whole_plugin(tmp_path: Path) -> None:
    target = tmp_path / "plugin.zip"
    assert main([str(target)]) == 0
    with ZipFile(target) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert packed == {
        f"chat-presence-bridge/{path.relative_to(PLUGIN_SOURCE).as_posix()}": path.read_bytes()
        for path in PLUGIN_SOURCE.rglob("[!.]*")
        if path.is_file()
    }


def test_wrong_use_and_failure_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "missing" / "plugin.zip")]) == 1
    assert capsys.readouterr().err.count("\n") == 2
