"""The designers' workbench: what the model makes of the phrases, and where the phrases contradict each other."""
