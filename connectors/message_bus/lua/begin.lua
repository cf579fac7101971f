-- A turn is about to run: put the run on record where a crash cannot undo it.
-- KEYS: owner, inbox stream, runs, failures, and of the customer: voices, quotable, tracker, its base.
-- ARGV: token, stream id, stream id of the last entry that is to be answered together with it.
-- Returns {state, runs of other ownerships that began and did not end, last entry to be answered together with it, until
-- when somebody speaks from the phone app and through another app, when a message was last for that app, what was said
-- last, the tracker as tail.lua gives it}; state is 'mine', 'fenced' or 'gone'. What was begun together runs again
-- together, as what it did outside is known by its last message's id; but an entry that failed, or took processes with
-- it, runs by itself.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced', 0} end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return {'gone', 0} end
local crashed, begun = 0, false
local runs = redis.call('HGET', KEYS[3], ARGV[2]) or ''
for token in string.gmatch(runs, '%S+') do
  if token == ARGV[1] then begun = true else crashed = crashed + 1 end
end
-- The same ownership asks again when Redis was too slow to answer: that is no second run.
if not begun then redis.call('HSET', KEYS[3], ARGV[2], runs .. ' ' .. ARGV[1]) end
local failures = tonumber(redis.call('HGET', KEYS[4], ARGV[2] .. ':f') or 0)
local last, burst = ARGV[3], ARGV[2] .. ':b'
if failures > 0 or crashed > 1 then
  last = ARGV[2]
else
  last = redis.call('HGET', KEYS[3], burst) or last
end
if last ~= ARGV[2] then redis.call('HSET', KEYS[3], burst, last) else redis.call('HDEL', KEYS[3], burst) end
local voices = redis.call('HMGET', KEYS[5], 'phone_until', 'app_until', 'standby_at')
local base = redis.call('HMGET', KEYS[8], 'at', 'pre')
local tracker = redis.call('LRANGE', KEYS[7], tonumber(base[1] or 0), -1)
table.insert(tracker, 1, base[2] or '[]')
local said = redis.call('LINDEX', KEYS[6], 0) or ''
return {'mine', crashed, last, voices[1] or '0', voices[2] or '0', voices[3] or '0', said, tracker}
