"""How effects are brought about, once: claimed, begun, sent, settled, and told of."""
