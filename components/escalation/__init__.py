"""Should a person take over? Learnt from the examples of `data/escalation/`, decided by the thresholds of `config.yml`.

python -m components.escalation --jsonl < messages.jsonl     {"text", "intent"?} a line in, a decision a line out
"""
