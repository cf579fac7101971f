"""In which language customers write, and in which they are answered.

Imports rasa and `components.order_numbers` (the policy alone), and the shop. Start reading in `policy.py`, then
`choice.py`.
"""
