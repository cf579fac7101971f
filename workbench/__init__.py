"""The designers' workbench: what the model makes of the phrases, where the phrases contradict each other, and a chat in the terminal."""
