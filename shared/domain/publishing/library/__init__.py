"""The brand's media: kept, named by posts, measured against networks, and let go."""
