"""Parts of a conversion: see `gidbench.converting`."""
