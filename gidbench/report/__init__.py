"""The tier report: results -> view (pure) -> figures -> one HTML page. Nothing here writes files."""
