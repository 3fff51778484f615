"""Fuzzers; what runs with the other tests is in `tests/test_fuzz_*.py`."""
