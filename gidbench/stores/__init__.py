"""Databases behind one protocol."""
