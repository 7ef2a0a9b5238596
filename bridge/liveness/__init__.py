"""Page deadlines, hot and rebuildable: one behaviour, the engines side by side."""
