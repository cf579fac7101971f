-- A run ended without a commit because it failed. KEYS: owner, failures. ARGV: token, stream id.
-- Returns the failures by now, -1 when fenced.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
return redis.call('HINCRBY', KEYS[2], ARGV[2] .. ':f', 1)
