"""Workbooks: the package they come in, their parts, and sheets as tables of text."""
