"""The shop's orders, read-only: whose they are, where they are, and how that is said."""
