"""What all tests share: hypothesis without a time limit an example, as machines are slow and shared."""

from hypothesis import settings

settings.register_profile("tamis", deadline=None)
settings.load_profile("tamis")
