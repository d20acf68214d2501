"""Understanding what people write: text in, facts out. Pure; imports nothing else of the project."""
