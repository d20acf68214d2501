"""Rules and their alerts, as rows: what people set, what the watch finds each minute, and what becomes of it."""
