"""The two ways to synchronise, behind `gidbench.synchronisation`: within a server, and row by row past us."""
