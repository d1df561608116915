"""SQL Server: connections, bulk loading, and the store on top of them."""
