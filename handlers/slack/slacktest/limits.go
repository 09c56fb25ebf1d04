package slacktest

import (
	"math"
	"slices"
	"time"
)

// RateMode is what happens when the app is too fast.
type RateMode int

const (
	// RatesEnforced answers 429 and counts a violation.
	RatesEnforced RateMode = iota
	// RatesCounted only counts the violations.
	RatesCounted
	// RatesOff knows no limit. What comes before the Retry-After of a 429 that a
	// fault gave is counted all the same.
	RatesOff
)

// Rates are the limits of docs.slack.dev/apis/web-api/rate-limits.
type Rates struct {
	Mode RateMode
	// Burst is how many messages a channel takes at once before the one a second
	// is held; default 4. Slack names no number ("short bursts").
	Burst int
}

// Violation is a call that came too early.
type Violation struct {
	Method, Channel string // Channel only for messages
	At              time.Time
	// Wait is how long the app should have waited.
	Wait time.Duration
	// Early says that a 429 had named the time and the app did not wait for it.
	Early bool
}

type limits struct {
	rates      Rates
	buckets    map[string]*bucket
	blocked    map[string]time.Time
	violations []Violation
}

// bucket holds tokens that grow back with time.
type bucket struct {
	tokens float64
	at     time.Time
}

func newLimits(r Rates) limits {
	if r.Burst == 0 {
		r.Burst = 4
	}
	return limits{rates: r, buckets: map[string]*bucket{}, blocked: map[string]time.Time{}}
}

// SetRates changes the limits from now on; what was counted stays.
func (s *Server) SetRates(r Rates) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.limits.violations
	s.limits = newLimits(r)
	s.limits.violations = kept
}

// Violations are the calls that came too early.
func (s *Server) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.limits.violations)
}

// perMinute are the tiers: 20 a minute for tier 2, 50 for tier 3, 100 for tier 4.
// auth.test has "hundreds"; a method that is not listed has no limit.
func perMinute() map[string]int {
	return map[string]int{
		"apps.connections.open": 50, "chat.update": 50, "chat.delete": 50, "conversations.history": 50, "conversations.replies": 50, "conversations.open": 50, "conversations.info": 50,
		"users.info": 100, "usergroups.list": 20, "usergroups.users.list": 20, "views.open": 100, "views.push": 100, "views.update": 100, "views.publish": 100,
		"files.getUploadURLExternal": 100, "files.completeUploadExternal": 100, "chat.postEphemeral": 100, "auth.test": 300,
	}
}

// limitKey is what a limit is counted for. The lock is held.
func (s *Server) limitKey(c *call) (key, channel string) {
	if c.Method != "chat.postMessage" {
		return c.Method, ""
	}
	channel = c.str("channel")
	if ch, err := s.writable(channel); err == nil {
		channel = ch.ID // named by its name or by a person
	}
	return c.Method + " " + channel, channel
}

// allow counts the call against its limit. The lock is held.
func (s *Server) allow(c *call) error {
	key, channel := s.limitKey(c)
	now := s.clock.Now()
	l := &s.limits
	if until := l.blocked[key]; now.Before(until) {
		wait := until.Sub(now)
		l.violations = append(l.violations, Violation{Method: c.Method, Channel: channel, At: now, Wait: wait, Early: true})
		if l.rates.Mode == RatesEnforced {
			return limited(wait)
		}
		return nil
	}
	if l.rates.Mode == RatesOff {
		return nil
	}
	size, each := float64(l.rates.Burst), time.Second
	if c.Method != "chat.postMessage" {
		n, ok := perMinute()[c.Method]
		if !ok {
			return nil
		}
		size, each = float64(n), time.Minute/time.Duration(n)
	}
	wait := l.take(key, size, each, now)
	if wait == 0 {
		return nil
	}
	l.violations = append(l.violations, Violation{Method: c.Method, Channel: channel, At: now, Wait: wait})
	if l.rates.Mode == RatesCounted {
		return nil
	}
	l.block(key, now, seconds(wait))
	return limited(wait)
}

// take uses a token up and says how long it is until there is one, 0 when there was.
func (l *limits) take(key string, size float64, each time.Duration, now time.Time) time.Duration {
	b := l.buckets[key]
	if b == nil {
		b = &bucket{tokens: size, at: now}
		l.buckets[key] = b
	}
	b.tokens = min(size, b.tokens+float64(now.Sub(b.at))/float64(each))
	b.at = now
	if b.tokens >= 1-1e-9 {
		b.tokens--
		return 0
	}
	return max(1, time.Duration((1-b.tokens)*float64(each)))
}

func (l *limits) block(key string, now time.Time, after int) {
	l.blocked[key] = now.Add(time.Duration(after) * time.Second)
}

// seconds is a wait as Retry-After names it: whole seconds, at least one.
func seconds(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }

func limited(wait time.Duration) error {
	return &apiError{code: "ratelimited", after: seconds(wait)}
}
