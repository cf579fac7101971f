-- A reply is about to be sent. KEYS: owner, outbox stream, sending, voices of the customer.
-- ARGV: token, stream id, attempt, now s ("" for a person's words, which nobody silences), wamid that a status proved or "".
-- Returns {state, attempt that is on record}: state is 'mine', 'fenced', 'gone' or 'silenced' (somebody else speaks to the
-- customer). When it is proved to be sent, or another attempt is on record (its outcome is unknown), nothing is marked.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced', ''} end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return {'gone', ''} end
local marked = redis.call('HGET', KEYS[3], ARGV[2]) or ''
if ARGV[5] ~= '' then return {'mine', marked} end
if ARGV[4] ~= '' and (marked == '' or marked == ARGV[3]) then
  local voices, now = redis.call('HMGET', KEYS[4], 'phone_until', 'app_until'), tonumber(ARGV[4])
  if tonumber(voices[1] or 0) > now or tonumber(voices[2] or 0) > now then return {'silenced', marked} end
end
if marked == '' then redis.call('HSET', KEYS[3], ARGV[2], ARGV[3]) end
return {'mine', marked}
