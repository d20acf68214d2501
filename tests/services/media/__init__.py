"""Pictures, films and sounds for tests, made by the libraries that open them."""
