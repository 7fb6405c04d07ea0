/**
 * Tells whether a row may take the place of another. Times are compared in halves, the upper one signed: a number of Lua
 * is a double, and strings are compared by locale.
 */
const comparison = `
local function times(row)
  -- What is too short to be a row was not written here: older than any.
  if #row < 22 then return -2147483649, 0, 0, 0, 0 end
  local flags = struct.unpack('<B', row, 2)
  local event_low, event_high, created_low, created_high = struct.unpack('<I4i4I4i4', row, 7)
  return event_high, event_low, flags % 2, created_high, created_low
end

local function may_replace(new, old)
  local a1, a2, a3, a4, a5 = times(new)
  local b1, b2, b3, b4, b5 = times(old)
  if a1 ~= b1 then return a1 > b1 end
  if a2 ~= b2 then return a2 > b2 end
  if a3 ~= b3 then return a3 > b3 end
  if a4 ~= b4 then return a4 > b4 end
  return a5 >= b5
end
`

/**
 * Writes rows as `row-codec.ts` packs them, each unless a newer one is there: KEYS are row keys, ARGV the rows, and then,
 * where rows expire, for each how many milliseconds it has left. One MGET and one MSET serve all keys, which is what
 * makes it fast; only expiry wants a command for each. No key stands twice. Returns how many rows left the store as it
 * was, and how many keys had a row.
 */
export const guardedWrite = `${comparison}
local stored = redis.call('MGET', unpack(KEYS))
local expires = #ARGV > #KEYS
local sets = {}
local size = 0
local unchanged, met = 0, 0
for i, key in ipairs(KEYS) do
  local new, old = ARGV[i], stored[i]
  if old then met = met + 1 end
  local same = new == old
  if old and not same and not may_replace(new, old) then
    unchanged = unchanged + 1
  else
    -- The very same row, too: it may have another life by now, or none.
    if same then unchanged = unchanged + 1 end
    if expires then
      redis.call('SET', key, new, 'PX', ARGV[#KEYS + i])
    else
      sets[size + 1] = key
      sets[size + 2] = new
      size = size + 2
    end
  end
end
if size > 0 then redis.call('MSET', unpack(sets)) end
return {unchanged, met}
`

/** Removes the schemas (second key) of a project that has no table (first key) left. */
export const forgetSchemas = `
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) end
return 0
`

/** Sets a key to the second argument where it holds the first; 1 where it did. */
export const replaceIfEqual = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`

/** Sets a key to a number unless it holds one as great, or one below the second argument; returns what it held. */
export const raise = `
local held = tonumber(redis.call('GET', KEYS[1]) or '0')
if held < tonumber(ARGV[1]) and held >= tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[1]) end
return held
`

/** Removes a row (key) unless it is newer than the header of another; 1 where it stays. */
export const removeUnlessNewer = `${comparison}
local stored = redis.pcall('GET', KEYS[1])
-- False where there is none; a table for what is no string.
if type(stored) == 'string' and not may_replace(ARGV[1], stored) then return 1 end
redis.call('UNLINK', KEYS[1])
return 0
`
