
-- compare says whether a counter has no room for one more attempt: because of
-- those under way alone, or for how long.
local function compare(c)
  local room = c.burst * c.interval - math.max(c.full - now, 0)
  if room < c.interval then return true, 0, c.interval - room end
  return c.before + c.current + 1 > math.floor(room / c.interval), 1, 0
end

-- What a clock that was set back has left in the future counts from now on, whichever
-- of it is asked.
local all, at = {}, false
for i = 1, counters do all[i] = load(i) end
if known then
  at = redis.call('GET', tried)
  if at and tonumber(string.match(at, '%d+')) > now then
    at = text(now) .. (string.match(at, ' open') or '')
    remember(tried, at, maxWait)
  end
end

-- claim takes the one attempt that an account over its budget leaves to who has
-- not failed for it, and says how long to wait for the next where it is taken.
local function claim()
  if redis.call('EXISTS', known) == 1 then return 0 end
  if at then
    local again = maxWait - (now - tonumber(string.match(at, '%d+')))
    if again > 0 then return again end
  end
  remember(tried, text(now) .. ' open', maxWait)
  return 0
end

local failing = 0
for i, c in ipairs(all) do
  if c.full > now then failing = failing + c.part end
  local over, pending, wait = compare(c)
  if over and i == counters and known then
    local again = claim()
    over, wait = again > 0, math.min(wait, again)
  end
  if over then return {c.part, pending, math.ceil(wait), c.failed, failing} end
end
for _, c in ipairs(all) do
  c.current = c.current + 1
  save(c)
end
return {0, 0, 0, 0, failing}
