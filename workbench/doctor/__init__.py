"""`make doctor`: what this installation stands on (machine, Meta, Redis, databases, model, packages, settings).

It only looks, and imports the product's own readers and the checks of `make serve` and `make check`. Start reading in
`command.py`.
"""
