"""The WordPress plugin as the zip file that a store owner uploads.

The same sources give the same bytes, so that two builds can be compared.
"""

import sys
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PLUGIN_SOURCE: Final = Path(__file__).resolve().parent.parent / "wp-plugin"
SLUG: Final = "chat-presence-bridge"

# The earliest time that the format can express.
_TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE_644: Final = 0o100644 << 16
_UNIX: Final = 3


def build_plugin_archive(source: Path = PLUGIN_SOURCE) -> bytes:
    """Pack the plugin's files under one folder named as the plugin is.

    Files and folders that begin with a dot stay out.

    Args:
        source: the folder that holds the plugin's main file.

    Returns:
        The zip file: names sorted, times and modes fixed.

    Raises:
        FileNotFoundError: the plugin's main file is not in ``source``.
    """
    if not (source / f"{SLUG}.php").is_file():
        raise FileNotFoundError(f"{source} does not hold the plugin's main file, {SLUG}.php")
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name in sorted(_names(source)):
            entry = ZipInfo(f"{SLUG}/{name}", _TIMESTAMP)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = _REGULAR_FILE_644
            # Else it would tell on which system it was made.
            entry.create_system = _UNIX
            archive.writestr(entry, (source / name).read_bytes())
    return packed.getvalue()


def _names(source: Path) -> list[str]:
    paths = (path.relative_to(source) for path in source.rglob("*") if path.is_file())
    return [path.as_posix() for path in paths if not any(p.startswith(".") for p in path.parts)]


def main(arguments: list[str]) -> int:
    """``python -m bridge.plugin_archive FILE``; 2 for wrong use, 1 for failure."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m bridge.plugin_archive FILE", file=sys.stderr)
        return 2
    try:
        Path(arguments[0]).write_bytes(build_plugin_archive())
    except OSError as error:
        print(f"plugin_archive: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
