"""Look at the sockets of a network namespace, and into them where kad may."""
