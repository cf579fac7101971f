"""What connections to PostgreSQL, MySQL and MariaDB need before anything of ours can stand on them, and migrations.

Imports no other room. Start reading in `engines.py`, then `postgres_timeouts.py`, `mysql_sessions.py`, `migrations.py`.
"""
