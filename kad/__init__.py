"""Keep a Linux host's TCP keepalive under policy."""

__version__ = "0.1.0"
