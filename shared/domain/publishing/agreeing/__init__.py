"""Who must agree before a post goes out, and what holds everything back."""
