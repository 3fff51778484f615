"""A real Home Assistant, unchanged, before a real server: `python -m tests.home_assistant --python PATH`."""
