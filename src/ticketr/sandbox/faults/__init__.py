"""Makes a site hostile: `source` draws what goes wrong, `pages` words it, `door` does it."""
