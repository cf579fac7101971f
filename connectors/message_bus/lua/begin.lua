-- A turn is about to run: put the run on record where a crash cannot undo it.
-- KEYS: owner, inbox stream, runs, failures, voices of the customer. ARGV: token, stream id.
-- Returns {state, runs of other ownerships that began and did not end, failures, until when somebody speaks from the phone
-- app and through another app, when a message was last for that app}; state is 'mine', 'fenced' or 'gone'.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced', 0, 0} end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return {'gone', 0, 0} end
local crashed, begun = 0, false
local runs = redis.call('HGET', KEYS[3], ARGV[2]) or ''
for token in string.gmatch(runs, '%S+') do
  if token == ARGV[1] then begun = true else crashed = crashed + 1 end
end
-- The same ownership asks again when Redis was too slow to answer: that is no second run.
if not begun then redis.call('HSET', KEYS[3], ARGV[2], runs .. ' ' .. ARGV[1]) end
local voices = redis.call('HMGET', KEYS[5], 'phone_until', 'app_until', 'standby_at')
return {'mine', crashed, tonumber(redis.call('HGET', KEYS[4], ARGV[2] .. ':f') or 0),
        voices[1] or '0', voices[2] or '0', voices[3] or '0'}
