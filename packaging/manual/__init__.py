"""The man pages and the shells' completions, generated from kad's own tables."""
