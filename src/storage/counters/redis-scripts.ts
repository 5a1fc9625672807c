/** A script of Redis's own, which nothing else runs between. */
export interface Script {
  text: string
  /** SHA-1, by which Redis finds a script that it has run before. */
  sha: string
}

const script = (text: string): Script => ({ text, sha: new Bun.CryptoHasher('sha1').update(text).digest('hex') })

/**
 * A counter is a hash: the beginning of a bucket → what was taken in it. Lua has only doubles, so amounts are added in
 * two parts of nine digits, and buckets keep the name that they came with.
 *
 * KEYS: the counters. ARGV, six for each: amount, limit, bucket, from, span (see `Frame`), now.
 * Gives {1, bucket, used, first bucket, …}, or {0, which, its hash}.
 */
export const takeScript = script(`
local BASE = 1000000000
local function parts(digits)
  if #digits <= 9 then return 0, tonumber(digits) end
  return tonumber(string.sub(digits, 1, -10)), tonumber(string.sub(digits, -9))
end
local function sum(high, low, digits)
  local h, l = parts(digits)
  high, low = high + h, low + l
  if low >= BASE then high, low = high + 1, low - BASE end
  return high, low
end
local answer = {1}
local taken = {}
for at, key in ipairs(KEYS) do
  local arg = (at - 1) * 6
  local amount, limit, bucket = ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3]
  local from, span, now = tonumber(ARGV[arg + 4]), tonumber(ARGV[arg + 5]), tonumber(ARGV[arg + 6])
  local high, low, first, last = 0, 0, bucket, bucket
  local buckets = redis.call('HGETALL', key)
  for i = 1, #buckets, 2 do
    local start = tonumber(buckets[i])
    if start < from or start > now + span then
      redis.call('HDEL', key, buckets[i])
    else
      high, low = sum(high, low, buckets[i + 1])
      if start < tonumber(first) then first = buckets[i] end
      if start > tonumber(last) then last = buckets[i] end
    end
  end
  local limitHigh, limitLow = parts(limit)
  local fits
  if amount == '0' then
    fits = high < limitHigh or (high == limitHigh and low < limitLow)
  else
    high, low = sum(high, low, amount)
    fits = high < limitHigh or (high == limitHigh and low <= limitLow)
  end
  if not fits then
    local hash = redis.call('HGETALL', key)
    for _, one in ipairs(taken) do
      if one[3] ~= '0' then redis.call('HINCRBY', one[1], one[2], '-' .. one[3]) end
    end
    return {0, at - 1, hash}
  end
  redis.call('HINCRBY', key, last, amount)
  redis.call('PEXPIRE', key, string.format('%.0f', tonumber(last) + span - now))
  taken[at] = {key, last, amount}
  answer[#answer + 1] = last
  answer[#answer + 1] = high > 0 and string.format('%.0f%09.0f', high, low) or string.format('%.0f', low)
  answer[#answer + 1] = first
end
return answer`)

/** KEYS: the counters. ARGV, two for each: the beginning of the bucket, the change. Buckets that are gone stay gone. */
export const correctScript = script(`
for at, key in ipairs(KEYS) do
  local bucket, change = ARGV[at * 2 - 1], ARGV[at * 2]
  if redis.call('HEXISTS', key, bucket) == 1 then
    local done = redis.pcall('HINCRBY', key, bucket, change)
    if type(done) == 'table' then
      redis.call('HSET', key, bucket, '9223372036854775807')
    elseif done < 0 then
      redis.call('HSET', key, bucket, '0')
    end
  end
end
return 1`)
