"""In which language customers write, and in which they are answered."""
