package discordtest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The limits that the vendor publishes, https://discord.com/developers/docs/topics/rate-limits:
// 50 requests a second for the whole bot, and a ban after 10,000 answers of 401, 403 or 429
// in ten minutes.
const (
	globalPerSecond = 50
	invalidBan      = 10000
	invalidWindow   = 10 * time.Minute
)

// Limit is how many calls of a route, within one channel, guild or webhook, are allowed in a time.
type Limit struct {
	Calls int
	Per   time.Duration
}

type bucket struct {
	used  int
	reset time.Time
	until time.Time // after a 429 nothing may come before
}

// LimitCounts says how the bot has behaved towards the limits.
type LimitCounts struct {
	Limited int // answers of 429 because a limit was reached
	Early   int // calls that came before the time named by a 429 of the same bucket
	Invalid int // answers of 401, 403 or 429 in the last ten minutes; 10,000 would be a ban. Shared 429s do not count
}

type limits struct {
	on      bool
	routes  map[string]Limit
	buckets map[string]*bucket
	global  bucket
	limited int
	early   int
	invalid []time.Time
	ordered map[string]time.Time // until when a route is quiet after a 429 that a test ordered
	banAt   int
	ban     time.Time
}

// init sets limits like those that the vendor's headers have shown. They are not promised
// by the vendor, and a program reads the headers.
func (l *limits) init(on bool) {
	l.on, l.buckets, l.ordered, l.banAt = on, map[string]*bucket{}, map[string]time.Time{}, invalidBan
	l.routes = map[string]Limit{
		"POST /channels/{channel}/messages":                {5, 5 * time.Second},
		"PATCH /channels/{channel}/messages/{message}":     {5, 5 * time.Second},
		"POST /webhooks/{app}/{token}":                     {5, 2 * time.Second},
		"PATCH /webhooks/{app}/{token}/messages/{message}": {5, 2 * time.Second},
		"PATCH /webhooks/{app}/{token}/messages/@original": {5, 2 * time.Second},
		"PUT /applications/{app}/commands":                 {2, 60 * time.Second},
		"PUT /applications/{app}/guilds/{guild}/commands":  {2, 60 * time.Second},
		"DELETE /channels/{channel}/messages/{message}":    {5, time.Second},
	}
}

// SetRateLimits switches the limits on or off.
func (s *Server) SetRateLimits(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.on = on
}

// SetLimit gives one route, such as "POST /channels/{channel}/messages", a limit of its own.
func (s *Server) SetLimit(route string, l Limit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.routes[route] = l
}

// SetBanAfter says after how many invalid answers in ten minutes the bot is banned for an hour; 10,000 as it begins.
func (s *Server) SetBanAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.banAt = n
}

// Limits tells how the bot behaved towards the limits.
func (s *Server) Limits() LimitCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.forget(s.Now())
	return LimitCounts{Limited: s.limits.limited, Early: s.limits.early, Invalid: len(s.limits.invalid)}
}

// admit counts a request, and gives the refusal if there is one, and the headers.
func (l *limits) admit(now time.Time, method, route string, r *http.Request, global bool) (*reply, map[string]string) {
	limit, known := l.routes[method+" "+route]
	if !known {
		limit = Limit{50, time.Second}
	}
	if l.ordered[method+" "+route].After(now) {
		l.early++
	}
	name := bucketName(method, route)
	key := name + ":" + r.PathValue("channel") + r.PathValue("guild") + r.PathValue("token")
	if global && l.on && !strings.HasPrefix(route, "/interactions/") { // interactions have no global limit
		if out := l.take(&l.global, now, Limit{globalPerSecond, time.Second}, "global"); out != nil {
			return out, out.header
		}
	}
	b := l.buckets[key]
	if b == nil {
		b = &bucket{}
		l.buckets[key] = b
	}
	var out *reply
	if l.on {
		out = l.take(b, now, limit, "user")
	}
	reset := b.reset
	if !reset.After(now) {
		reset = now.Add(limit.Per)
	}
	header := map[string]string{
		"X-RateLimit-Limit": strconv.Itoa(limit.Calls), "X-RateLimit-Remaining": strconv.Itoa(max(0, limit.Calls-b.used)),
		"X-RateLimit-Reset":       strconv.FormatFloat(float64(reset.UnixMilli())/1000, 'f', 3, 64),
		"X-RateLimit-Reset-After": strconv.FormatFloat(reset.Sub(now).Seconds(), 'f', 3, 64), "X-RateLimit-Bucket": name, "Via": "1.1 google",
	}
	if !l.on {
		header["X-RateLimit-Remaining"] = strconv.Itoa(max(1, limit.Calls-1)) // never so that a client would wait
	}
	if out != nil {
		maps.Copy(header, out.header)
	}
	return out, header
}

func (l *limits) take(b *bucket, now time.Time, limit Limit, scope string) *reply {
	if !b.reset.After(now) {
		b.used, b.reset = 0, now.Add(limit.Per)
	}
	if b.used < limit.Calls {
		b.used++
		return nil
	}
	if b.until.After(now) {
		l.early++
	}
	b.until = b.reset
	l.limited++
	out := tooMany(b.reset.Sub(now), scope)
	return &out
}

// bucketName is the same for all channels, as the vendor's is.
func bucketName(method, route string) string {
	sum := sha256.Sum256([]byte(method + " " + route))
	return hex.EncodeToString(sum[:16])
}

// order notes a 429 that a test ordered: a call before its end is an early one.
func (l *limits) order(route string, until time.Time) { l.ordered[route] = until }

// count notes an invalid answer. The caller passes the status of any answer.
func (l *limits) count(now time.Time, status int) {
	if status != http.StatusUnauthorized && status != http.StatusForbidden && status != http.StatusTooManyRequests {
		return
	}
	l.forget(now)
	l.invalid = append(l.invalid, now)
	if len(l.invalid) >= l.banAt {
		l.ban = now.Add(time.Hour)
	}
}

func (l *limits) forget(now time.Time) {
	for len(l.invalid) > 0 && now.Sub(l.invalid[0]) > invalidWindow {
		l.invalid = l.invalid[1:]
	}
}

func (l *limits) banned(now time.Time) bool { return l.ban.After(now) }
