-- The fate of a reply is known: take it out of the outbox, log it, and keep what it was about, in one step.
-- KEYS: owner, outbox stream, sending, log, dead letters, quotable.
-- ARGV: token, stream id, record, dead letter or "", what can be quoted or "", how many are kept, seconds.
-- Returns 'done', 'fenced' or 'gone'.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'fenced' end
if redis.call('XDEL', KEYS[2], ARGV[2]) == 0 then return 'gone' end
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('XADD', KEYS[4], '*', 'j', ARGV[3])
if ARGV[4] ~= '' then redis.call('XADD', KEYS[5], '*', 'j', ARGV[4]) end
if ARGV[5] ~= '' then
  redis.call('LPUSH', KEYS[6], ARGV[5])
  redis.call('LTRIM', KEYS[6], 0, ARGV[6] - 1)
  redis.call('EXPIRE', KEYS[6], ARGV[7])
end
return 'done'
