-- An attempt ended without a commit, and without taking the process with it.
-- ARGV: partition, token, stream id, 1 when it counts as a failure (else 0). Returns the failures by now, -1 when fenced.
if redis.call('GET', 'wa:owner:' .. ARGV[1]) ~= ARGV[2] then return -1 end
redis.call('HDEL', 'wa:tries:' .. ARGV[1], ARGV[3])
return redis.call('HINCRBY', 'wa:tries:' .. ARGV[1], ARGV[3] .. ':f', ARGV[4])
