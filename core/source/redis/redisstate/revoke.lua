-- revoke.lua appends revocations to a stream, whose IDs are their numbers.
-- KEYS: the stream, and which of its IDs expire when. ARGV: the channel, the note, how
-- many are dropped at most, the time by the caller's clock, then a tag, an entry and when
-- it expires, 0 for never, for each. Returns the number of the last.
local now = redis.call('TIME')
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local number = 0
if newest[1] then number = tonumber(string.match(newest[1][1], '^%d+')) end
local before = number
for i = 5, #ARGV, 3 do
	local id, step = nil, 1
	repeat -- the stream gives no number again, not even of a record that was removed from its end
		number, step = number + step, step * 2
		id = string.format('%.0f-0', number)
		local added = redis.pcall('XADD', KEYS[1], id, 'tag', ARGV[i], 'entry', ARGV[i + 1], 'note', ARGV[2], 'added', now[1])
		local given = added.err and string.find(added.err, 'equal or smaller', 1, true)
		if added.err and not (given and number < 2 ^ 52) then return added end
	until not given
	if ARGV[i + 2] ~= '0' then redis.call('ZADD', KEYS[2], ARGV[i + 2], id) end
end
-- What was the newest stays, since instances begin to read there. What has expired only by
-- the server's clock may be needed when that is set back.
local kept = string.format('%.0f-0', before)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', math.min(now[1], ARGV[4]) - 3600, 'LIMIT', 0, ARGV[3])) do
	if id ~= kept and tonumber(string.match(id, '^%d+')) < before then
		redis.call('XDEL', KEYS[1], id)
		redis.call('ZREM', KEYS[2], id)
	end
end
redis.call('PUBLISH', ARGV[1], number)
return {number}
