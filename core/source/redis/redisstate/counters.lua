-- What the scripts for attempts have in common. Times are microseconds since the
-- Unix epoch: a double holds them exactly, and %.0f writes them so.

local minute = 60000000

local now = tonumber(ARGV[1])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end
local epoch = math.floor(now / minute)
local counters, maxWait, knownFor = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known, tried = KEYS[counters + 1], KEYS[counters + 2]

-- text writes a whole number.
local function text(n) return string.format('%.0f', n) end

-- remember sets a key for a time.
local function remember(key, value, time)
  redis.call('SET', key, value, 'PX', text(math.max(math.ceil(time / 1000), 1)))
end

-- load reads counter i: full is when all its failures are forgiven, before and
-- current are reservations of the epoch before and of this one. A clock that is
-- set back drops none, and keeps none longer than its time from then on.
local function load(i)
  local v = redis.call('HMGET', KEYS[i], 'full', 'failed', 'epoch', 'before', 'current')
  local c = {
    key = KEYS[i], part = tonumber(ARGV[4 * i + 1]), burst = tonumber(ARGV[4 * i + 2]),
    interval = tonumber(ARGV[4 * i + 3]), ahead = tonumber(ARGV[4 * i + 4]),
    full = tonumber(v[1] or 0), failed = tonumber(v[2] or 0), epoch = tonumber(v[3] or 0),
    before = tonumber(v[4] or 0), current = tonumber(v[5] or 0),
  }
  if epoch == c.epoch + 1 then
    c.epoch, c.before, c.current = epoch, c.current, 0
  elseif epoch > c.epoch then
    c.epoch, c.before, c.current = epoch, 0, 0
  end
  if epoch < c.epoch or c.full > now + c.ahead then
    c.epoch, c.full = epoch, math.min(c.full, now + c.ahead)
    redis.call('HSET', c.key, 'epoch', text(c.epoch), 'full', text(c.full))
  end
  return c
end

-- save writes a counter, until nothing in it counts.
local function save(c)
  if c.full <= now and c.before + c.current == 0 then
    redis.call('DEL', c.key)
    return
  end
  redis.call('HSET', c.key, 'full', text(c.full), 'failed', text(c.failed),
    'epoch', text(c.epoch), 'before', text(c.before), 'current', text(c.current))
  redis.call('PEXPIRE', c.key, text(math.ceil((math.max(c.full - now, 0) + 2 * minute) / 1000)))
end
