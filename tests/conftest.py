"""Say how long properties are tried: `pytest --hypothesis-profile=long` tries thirty times."""

from hypothesis import settings

# The same examples in each run: a change fails for what it did, not by chance. And no deadlines:
# a machine may be busy.
settings.register_profile("usual", derandomize=True, deadline=None)
settings.register_profile("long", max_examples=3_000, deadline=None, print_blob=True)
settings.load_profile("usual")
