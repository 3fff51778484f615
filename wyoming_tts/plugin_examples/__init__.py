"""Plugins to copy into the folder `plugins` of the data directory, and to change."""
