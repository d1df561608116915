"""Numba kernels: arrays in, arrays out; no files, no Arrow objects, no threads of their own."""
