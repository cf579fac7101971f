-- Writes a stream anew, with the same ids, groups and pending entries. XDEL only marks an entry as deleted: its bytes
-- stay in memory, and so in Redis' files, until all entries of their block are gone.
-- KEYS: stream. ARGV: most entries. Returns how many entries it has, -1 when they are too many to do it in one go.
local key = KEYS[1]
if redis.call('XLEN', key) > tonumber(ARGV[1]) then return -1 end
local entries = redis.call('XRANGE', key, '-', '+')

local function named(flat)
  local found = {}
  for i = 1, #flat, 2 do found[flat[i]] = flat[i + 1] end
  return found
end

local last = named(redis.call('XINFO', 'STREAM', key))['last-generated-id']
local ttl = redis.call('PTTL', key)
local groups = {}
for i, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local group = named(flat)
  local pending = group['pending'] > 0 and redis.call('XPENDING', key, group['name'], '-', '+', group['pending']) or {}
  groups[i] = {name = group['name'], at = group['last-delivered-id'], pending = pending}
end

redis.call('DEL', key)
local exists = {}
for _, entry in ipairs(entries) do
  redis.call('XADD', key, entry[1], unpack(entry[2]))
  exists[entry[1]] = true
end
for _, group in ipairs(groups) do
  redis.call('XGROUP', 'CREATE', key, group.name, group.at, 'MKSTREAM')
  for _, item in ipairs(group.pending) do
    if exists[item[1]] then redis.call('XCLAIM', key, group.name, item[2], 0, item[1], 'FORCE', 'JUSTID') end
  end
end
if #entries > 0 or #groups > 0 then
  redis.call('XSETID', key, last)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end
return #entries
