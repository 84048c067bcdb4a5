"""One widget class per file: state from the model, clicks to the model, no logic."""
