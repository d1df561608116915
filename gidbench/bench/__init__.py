"""Measurement: cases, rounds, statistics, resources, results."""
