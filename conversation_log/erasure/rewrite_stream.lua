-- Writes a stream anew, with the same ids. XDEL only marks an entry as deleted: its bytes stay in memory, and so in Redis'
-- files, until all entries of their block are gone.
-- KEYS: stream. ARGV: most entries. Returns how many entries it has, -1 when they are too many to do it in one go.
local key = KEYS[1]
if redis.call('XLEN', key) > tonumber(ARGV[1]) then return -1 end
local entries = redis.call('XRANGE', key, '-', '+')
local info, last = redis.call('XINFO', 'STREAM', key), nil
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then last = info[i + 1] end
end
local ttl = redis.call('PTTL', key)
redis.call('DEL', key)
for _, entry in ipairs(entries) do redis.call('XADD', key, entry[1], unpack(entry[2])) end
if #entries > 0 then
  redis.call('XSETID', key, last)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end
return #entries
