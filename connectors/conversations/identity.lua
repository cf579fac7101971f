-- Runs a list of identity operations in order, atomically, and gives {'done', JSON: [customer, digits of a verified phone
-- or "", digits of the phone they had before or ""] for each}. Which keys that takes follows from what they hold: where some were
-- not declared it changes nothing and gives {'keys', names...}; the caller declares them, too.
-- KEYS: all that may be read or written. ARGV: prefix of aliases, prefix of profiles, prefix of changes, seconds to live,
-- operations (JSON), seconds that a former phone counts.
--
--   {identity}:id:{wa_id or user_id}   -> customer
--   {identity}:id:+{digits}            -> customer who shared this phone, while nobody else writes from it
--   {identity}:change:{wamid}          -> set once an identity change was carried out (Meta may deliver it again)
--   {identity}:profile:{customer}      -> hash: wa_id, user_id (the current ones), shared_phone, former_phone (the number
--                                         before it was changed) until former_until, and id:{alias} = 1 for each alias

local aliases, profiles, changes, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local now = tonumber(redis.call("TIME")[1])

-- What was read, with what was written since; written to Redis at the end.
local declared, missing = {}, {}
for _, key in ipairs(KEYS) do declared[key] = true end
local values, hashes, set, touched = {}, {}, {}, {}

local function readable(key)
  if not declared[key] then missing[key] = true end
  return declared[key]
end

local function get(key)
  if values[key] == nil then values[key] = readable(key) and redis.call("GET", key) or false end
  return values[key]
end

local function put(key, value)
  get(key)
  values[key], set[key] = value, true
end

local function fields(customer)
  local key = profiles .. customer
  if hashes[key] == nil then
    hashes[key] = {}
    local flat = readable(key) and redis.call("HGETALL", key) or {}
    for i = 1, #flat, 2 do hashes[key][flat[i]] = flat[i + 1] end
  end
  return hashes[key]
end

local function write(customer, name, value)
  local own = fields(customer)
  own[name] = value ~= nil and tostring(value) or nil
  local key = profiles .. customer
  touched[key] = touched[key] or {}
  touched[key][name] = true
end

local function owner(id)
  return id and get(aliases .. id) or nil
end

local function field(customer, name)
  return fields(customer)[name]
end

local function detach(customer, id)
  if owner(id) == customer then put(aliases .. id, false) end
  write(customer, "id:" .. id, nil)
end

local function attach(customer, id)
  local before = owner(id)
  if before and before ~= customer then
    -- The id now belongs to someone else: the one before must not be reached or recognised by it.
    write(before, "id:" .. id, nil)
    if field(before, "wa_id") == id then write(before, "wa_id", nil) end
    if field(before, "user_id") == id then write(before, "user_id", nil) end
  end
  put(aliases .. id, customer)
  write(customer, "id:" .. id, 1)
end

local function set_phone(customer, wa_id)
  local old = field(customer, "wa_id")
  if old and old ~= wa_id then detach(customer, old) end
  attach(customer, wa_id)
  write(customer, "wa_id", wa_id)
  -- Whoever writes from a number owns it: another customer's verified claim to it is over.
  local claim = owner("+" .. wa_id)
  if claim and claim ~= customer then
    write(claim, "shared_phone", nil)
    put(aliases .. "+" .. wa_id, false)
  end
end

local function drop_shared_phone(customer)
  local phone = field(customer, "shared_phone")
  if phone and owner("+" .. phone) == customer then put(aliases .. "+" .. phone, false) end
  write(customer, "shared_phone", nil)
end

local function is_new(customer) return next(fields(customer)) == nil end

local function new_customer(wa_id, user_id)
  for _, key in ipairs({wa_id or false, user_id or false}) do
    if key and is_new(key) then return key end
  end
  local n = 2
  while not is_new((wa_id or user_id) .. "." .. n) do n = n + 1 end
  return (wa_id or user_id) .. "." .. n
end

local function find(wa_id, user_id)
  local customer = owner(user_id)
  if customer then return customer end
  customer = owner(wa_id)
  if customer and user_id then
    local known = field(customer, "user_id")
    -- Another user_id behind the same number: the number was given to a new person.
    if known and known ~= user_id then return nil end
  end
  return customer
end

local function resolve(op)
  local customer = find(op.wa_id, op.user_id) or new_customer(op.wa_id, op.user_id)
  local known = field(customer, "user_id")
  local is_retired = op.user_id and known and known ~= op.user_id
  if not is_retired then
    if op.wa_id then set_phone(customer, op.wa_id) end
    if op.user_id then
      attach(customer, op.user_id)
      write(customer, "user_id", op.user_id)
    end
  end
  if op.shared_phone and not op.wa_id then
    drop_shared_phone(customer)
    local phone_owner = owner("+" .. op.shared_phone)
    if phone_owner and phone_owner ~= customer then write(phone_owner, "shared_phone", nil) end
    put(aliases .. "+" .. op.shared_phone, customer)
    write(customer, "shared_phone", op.shared_phone)
  end
  if is_retired then return customer, "", "" end
  local former = tonumber(field(customer, "former_until") or 0) > now and field(customer, "former_phone")
  if former and owner(former) then former = nil end -- somebody writes from that number by now
  return customer, op.wa_id or field(customer, "wa_id") or field(customer, "shared_phone") or "", former or ""
end

-- Somebody else wrote to these ids. That takes no number from anybody: only who writes owns it.
local function recipient(op)
  local customer = find(op.wa_id, op.user_id) or (op.wa_id and owner("+" .. op.wa_id))
  if not customer then
    customer = new_customer(op.wa_id, op.user_id)
    if op.wa_id then set_phone(customer, op.wa_id) end
  end
  if op.user_id and not field(customer, "user_id") then
    attach(customer, op.user_id)
    write(customer, "user_id", op.user_id)
  end
  return customer, op.wa_id or field(customer, "wa_id") or ""
end

local carried_out = {}

local function rekey(op)
  local change = changes .. op.id
  if get(change) then
    -- Carried out before. By now the old number may be someone else's.
    local moved = owner(op.new_user_id) or owner(op.new_wa_id)
    return moved or new_customer(op.new_wa_id, op.new_user_id), not moved
  end
  values[change], carried_out[change] = "1", true
  local customer = owner(op.old_user_id) or owner(op.new_user_id) or owner(op.old_wa_id)
  if not customer then return new_customer(op.new_wa_id or op.old_wa_id, op.new_user_id or op.old_user_id), true end
  -- A user_id belongs to one number: with either gone, what was verified before is no longer known to hold.
  drop_shared_phone(customer)
  if op.new_wa_id then
    set_phone(customer, op.new_wa_id)
    if op.old_wa_id then
      detach(customer, op.old_wa_id)
      write(customer, "former_phone", op.old_wa_id)
      write(customer, "former_until", now + tonumber(ARGV[6]))
    end
  elseif op.is_number_change and op.old_wa_id then
    detach(customer, op.old_wa_id)
    write(customer, "wa_id", nil)
  end
  if op.new_user_id then
    attach(customer, op.new_user_id)
    write(customer, "user_id", op.new_user_id)
  elseif op.new_wa_id then
    -- The user_id is regenerated with the number; the next message brings it.
    write(customer, "user_id", nil)
  end
  return customer, false
end

local answers, alive = {}, {}
for _, op in ipairs(cjson.decode(ARGV[5])) do
  local customer, phone, former, is_stranger = nil, "", "", false
  if op.op == "rekey" then
    customer, is_stranger = rekey(op)
  elseif op.op == "recipient" then
    customer, phone = recipient(op)
  else
    customer, phone, former = resolve(op)
  end
  if not is_stranger then alive[profiles .. customer] = true end
  table.insert(answers, {customer, phone, former})
end

if next(missing) then
  local names = {'keys'}
  for key in pairs(missing) do table.insert(names, key) end
  return names
end
for key in pairs(set) do
  if values[key] then redis.call("SET", key, values[key], "EX", ttl) else redis.call("DEL", key) end
end
for key in pairs(carried_out) do redis.call("SET", key, 1, "EX", 8 * 86400) end
for key, names in pairs(touched) do
  for name in pairs(names) do
    local value = hashes[key][name]
    if value then redis.call("HSET", key, name, value) else redis.call("HDEL", key, name) end
  end
end
for key in pairs(alive) do redis.call("EXPIRE", key, ttl) end
return {'done', cjson.encode(answers)}
