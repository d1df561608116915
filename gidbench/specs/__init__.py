"""What a table of one's own looks like: the columns to generate, read from TOML or the command line."""
