-- A tracker's bounded tail. KEYS: tracker, its base. ARGV: 1 for all chunks. Returns {preamble, chunk...}.
local base = ARGV[1] == '1' and {} or redis.call('HMGET', KEYS[2], 'at', 'pre')
local found = redis.call('LRANGE', KEYS[1], tonumber(base[1] or 0), -1)
table.insert(found, 1, base[2] or '[]')
return found
