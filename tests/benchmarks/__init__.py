"""Benchmarks: `python -m tests.benchmarks [--quick] [--only NAME] [--out DIR]`.

Every contender runs in a process of its own, they take turns within one run, and what counts is the
ratio between them: the machine's noise falls on all of them alike.
"""
