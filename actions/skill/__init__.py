"""What every skill is built from: the base action, the services, the domain's texts, what is said about orders.

Imports the capabilities (`orders`, `knowledge`, `llm`). Start reading in `action.py`.
"""
