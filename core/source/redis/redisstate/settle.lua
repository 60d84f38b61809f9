
local outcome, reserved = ARGV[4 * counters + 5], ARGV[4 * counters + 6] == '1'
if outcome == 'failed' or reserved then
  local all = {}
  for i = 1, counters do all[i] = load(i) end -- before anything is written: a key may be of another type
  for _, c in ipairs(all) do
    if outcome == 'failed' then
      c.failed = c.failed + 1
      c.full = math.min(math.max(c.full, now) + c.interval, now + c.ahead)
    end
    if reserved then
      if c.before > 0 then
        c.before = c.before - 1
      elseif c.current > 0 then
        c.current = c.current - 1
      end
    end
    save(c)
  end
end
if known then
  if outcome == 'failed' then
    remember(tried, text(now), maxWait)
  elseif outcome == 'succeeded' then
    remember(known, '1', knownFor)
    redis.call('DEL', tried)
  else
    local at = redis.call('GET', tried)
    if at and string.find(at, 'open', 1, true) then redis.call('DEL', tried) end
  end
end
return {}
