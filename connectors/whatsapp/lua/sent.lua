-- The fate of a reply is known: take it out of the outbox and log it, in one step.
-- ARGV: partition, token, stream id, record. Returns 'done', 'fenced' or 'gone'.
local p, id = ARGV[1], ARGV[3]
if redis.call('GET', 'wa:owner:' .. p) ~= ARGV[2] then return 'fenced' end
if redis.call('XDEL', 'wa:out:' .. p, id) == 0 then return 'gone' end
redis.call('HDEL', 'wa:sending:' .. p, id)
redis.call('XADD', 'log', '*', 'j', ARGV[4])
return 'done'
