"""Redaction, pseudonyms and a log filter: what keeps customers' data where it belongs. Standard library only."""
