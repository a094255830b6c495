"""Keep a Linux host's TCP keepalive under policy."""

import gc

# What a start imports is there to stay; looking through it for garbage, again and again, would cost
# the boot a tenth of its time.
gc.set_threshold(20_000)

__version__ = "0.1.0"
