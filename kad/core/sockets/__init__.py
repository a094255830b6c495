"""Judge connections by what keeps the promise of keepalive for them."""
