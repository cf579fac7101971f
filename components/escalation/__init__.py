"""Should a person take over? Learnt from the examples of `data/escalation/`, decided by the thresholds of `config.yml`.

Imports rasa and `components.order_numbers` (the policy alone), `components.text` and `components.embeddings`.
Start reading in `assessment.py`.

python -m components.escalation --jsonl < messages.jsonl     {"text", "intent"?} a line in, a decision a line out
"""
