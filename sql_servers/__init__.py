"""What connections to PostgreSQL, MySQL and MariaDB need before anything of ours can stand on them, and migrations.

Imports no other room. Start reading in `postgres_timeouts.py`, then `mysql_sessions.py` and `migrations.py`.
"""
