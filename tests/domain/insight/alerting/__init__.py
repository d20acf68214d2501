"""Rules and alerts as rows."""
