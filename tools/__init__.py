"""Tools that build, check and test the book."""
