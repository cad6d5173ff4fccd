"""What people and other programs reach the adapter by: the command line and HTTP. Thin: what they say is computed below."""
