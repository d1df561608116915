"""From a spec to batches of any part of a table: the same bytes whoever makes which part."""
