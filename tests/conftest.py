from __future__ import annotations

from hypothesis import settings

# A slow machine must not fail a law: how fast things are is measured in benchmarks/.
settings.register_profile("tamis", deadline=None)
settings.load_profile("tamis")
