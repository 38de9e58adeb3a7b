"""Reading a datasource into the index: walk, chunk, partition, scan, findings."""
