"""SQL Server and what speaks its protocol."""
