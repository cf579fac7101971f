-- Find out whether a partition can be written to, by a script as everything is written. KEYS: probe.
return redis.call('SET', KEYS[1], '1', 'EX', 60)
