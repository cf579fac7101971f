"""What a sentence means, as a vector: the bundled multilingual model, and the vectors that are shipped."""
