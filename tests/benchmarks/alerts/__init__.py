"""How soon alerts speak, and how often for nothing: rules run over simulated pasts of brands of five sizes."""
