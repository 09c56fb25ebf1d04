package discord

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of Discord's REST API (developers/topics/rate-limits).
const (
	globalPerSecond = 50     // calls of a bot; answers to interactions do not count
	invalidWindow   = 10_000 // of 401, 403 and 429 in invalidSpan, and the machine's address is banned for hours
	invalidSpan     = 10 * time.Minute
	invalidStop     = invalidWindow / 2 // we stop by ourselves from here
	patience        = time.Second       // a wait up to this is waited for; a longer one is the caller's business
	mostRoutes      = 512               // from here those whose limit has passed are forgotten
)

// route is what a rate limit counts: a kind of call, on one channel, server or
// interaction.
type route struct {
	kind  string // "POST channels/:id/messages"
	major string // the channel, server or webhook with its token, which limits are counted for apart
	bot   bool   // made as the bot, and counted in the global limit
}

// routeOf sorts a call: ids are left out of the kind, except for the first one,
// which is the major one. Message deletion is counted apart by its method already.
func routeOf(method, path string) route {
	if i := strings.Index(path, "/api/"); i >= 0 {
		path = path[i+len("/api/"):]
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 0 && strings.HasPrefix(parts[0], "v") {
		parts = parts[1:]
	}
	r := route{bot: true}
	for i, p := range parts {
		if i == 0 || p == "" {
			continue
		}
		token := i == 2 && (parts[0] == "webhooks" || parts[0] == "interactions")
		if token {
			r.bot = false
		}
		if isID(p) || token {
			if i == 1 && (parts[0] == "channels" || parts[0] == "guilds" || parts[0] == "webhooks") || token {
				r.major += p + "/"
			}
			parts[i] = ":id"
		}
	}
	r.kind = method + " " + strings.Join(parts, "/")
	return r
}

func isID(s string) bool { return len(s) > 4 && strings.Trim(s, "0123456789") == "" }

// limiter keeps Discord's rate limits for one bot. What it holds does not grow
// with the number of interactions.
type limiter struct {
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	names   map[string]string   // kind → bucket, as Discord names it
	buckets map[string]*allowed // bucket and major → what is left
	global  time.Time           // no call of the bot before
	second  time.Time           // the second that is counted
	sent    int                 // calls in it
	since   time.Time           // the span of invalid calls that is counted
	invalid int
}

type allowed struct {
	left  int
	reset time.Time
}

func newLimiter(now func() time.Time, log *slog.Logger) *limiter {
	return &limiter{now: now, log: log, names: map[string]string{}, buckets: map[string]*allowed{}}
}

// wait takes a place in the limits of a route. Where it would have to wait for
// long it gives a 429 of its own, without asking Discord, so that the caller can
// do something else meanwhile.
func (l *limiter) wait(ctx context.Context, r route) error {
	for {
		pause, scope := l.take(r)
		if pause <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); pause > patience || ok && l.now().Add(pause).After(deadline) {
			return &apiError{Status: http.StatusTooManyRequests, Message: "held back to keep within Discord's limits", RetryAfter: pause, Scope: scope, Unsent: true}
		}
		if !sleep(ctx, pause) {
			return &apiError{Unsent: true, Cause: ctx.Err()}
		}
	}
}

// take counts a call, or gives how long it has to wait.
func (l *limiter) take(r route) (pause time.Duration, scope string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.since) >= invalidSpan {
		l.since, l.invalid = now, 0
	}
	if l.invalid >= invalidStop {
		return max(l.since.Add(invalidSpan).Sub(now), time.Millisecond), "global"
	}
	if r.bot && now.Before(l.global) {
		return l.global.Sub(now), "global"
	}
	a := l.buckets[l.key(r)]
	if a != nil && !now.Before(a.reset) {
		delete(l.buckets, l.key(r))
		a = nil
	}
	if a != nil && a.left <= 0 {
		return a.reset.Sub(now), "user"
	}
	if r.bot {
		if now.Sub(l.second) >= time.Second || now.Before(l.second) {
			l.second, l.sent = now, 0
		}
		if l.sent >= globalPerSecond {
			return l.second.Add(time.Second).Sub(now), "global"
		}
		l.sent++
	}
	if a != nil {
		a.left--
	}
	return 0, ""
}

// key names the bucket of a route; before Discord has named it, the route does.
func (l *limiter) key(r route) string {
	name, ok := l.names[r.kind]
	if !ok {
		name = r.kind
	}
	return name + "|" + r.major
}

// observe notes what an answer says: the headers of the bucket, and a refusal.
func (l *limiter) observe(r route, h http.Header, refusal *apiError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if name := h.Get("X-RateLimit-Bucket"); name != "" {
		l.names[r.kind] = name
	}
	left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	after, err2 := strconv.ParseFloat(h.Get("X-RateLimit-Reset-After"), 64)
	if err == nil && err2 == nil {
		reset := now.Add(seconds(after))
		if a := l.buckets[l.key(r)]; a == nil {
			l.buckets[l.key(r)] = &allowed{left: left, reset: reset}
		} else { // answers overtake each other: the lower figure is the newer one
			a.left, a.reset = min(a.left, left), reset
		}
	}
	if refusal != nil {
		l.refusal(r, refusal, now)
	}
	if len(l.buckets) > mostRoutes {
		for k, a := range l.buckets {
			if !now.Before(a.reset) {
				delete(l.buckets, k)
			}
		}
	}
}

// refusal notes a 429, and counts what Discord counts before it bans an address.
func (l *limiter) refusal(r route, refusal *apiError, now time.Time) {
	switch refusal.Status {
	case http.StatusTooManyRequests:
		if until := now.Add(refusal.RetryAfter); refusal.Scope == "global" {
			l.global = until
		} else {
			l.buckets[l.key(r)] = &allowed{reset: until}
		}
		if refusal.Scope == "shared" { // does not count: others used it up
			return
		}
	case http.StatusUnauthorized, http.StatusForbidden:
	default:
		return
	}
	l.invalid++
	if l.invalid == invalidStop {
		l.log.Error("Discord refused so many calls that it would soon ban this address; calls are held back", "until", l.since.Add(invalidSpan))
	}
}

// retryAfter reads how long a 429 asks to wait: seconds with a fraction in the
// body, whole seconds in the header (which alone is there when it comes from
// Cloudflare).
func retryAfter(body float64, h http.Header) time.Duration {
	if body > 0 {
		return seconds(body)
	}
	if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil && s > 0 {
		return seconds(s)
	}
	return time.Second
}

func seconds(s float64) time.Duration { return time.Duration(min(s, 1e6) * float64(time.Second)) }
