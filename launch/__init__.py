"""Starting the product: embedded Redis, demo data, training, and the supervisor of its processes."""
