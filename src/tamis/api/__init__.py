"""Use cases: what commands, the page and Python ask for; the only place where the parts meet."""
