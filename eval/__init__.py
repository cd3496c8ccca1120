"""Quality and speed as numbers that anyone can reproduce: ``python -m eval --help``."""
