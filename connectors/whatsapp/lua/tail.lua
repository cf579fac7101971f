-- A tracker's bounded tail. ARGV: tracker key, 1 for all chunks. Returns {preamble, chunk...}.
local base = ARGV[2] == '1' and {} or redis.call('HMGET', ARGV[1] .. ':base', 'at', 'pre')
local found = redis.call('LRANGE', ARGV[1], tonumber(base[1] or 0), -1)
table.insert(found, 1, base[2] or '[]')
return found
