-- A turn is about to run: count the attempt where a crash cannot undo it.
-- ARGV: partition, token, stream id. Returns {state, attempts, failures}; state is 'mine', 'fenced' or 'gone'.
if redis.call('GET', 'wa:owner:' .. ARGV[1]) ~= ARGV[2] then return {'fenced', 0, 0} end
if #redis.call('XRANGE', 'wa:in:' .. ARGV[1], ARGV[3], ARGV[3]) == 0 then return {'gone', 0, 0} end
local tries = 'wa:tries:' .. ARGV[1]
local attempts = redis.call('HINCRBY', tries, ARGV[3], 1)
local failures = tonumber(redis.call('HGET', tries, ARGV[3] .. ':f') or 0)
return {'mine', attempts, failures}
