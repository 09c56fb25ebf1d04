package graphtest

import (
	"time"
)

// Limits are those of throttling; what is 0 gets the vendor's number
// (learn.microsoft.com/graph/throttling-limits, Outlook service limits).
type Limits struct {
	Concurrent int           // requests at once of an application for a mailbox; 4
	Requests   int           // of an application for a mailbox in Window; 10,000
	Window     time.Duration // 10 minutes
	Global     int           // requests of an application in GlobalWindow; 130,000
	GlobalWin  time.Duration // 10 seconds
	Upload     int64         // bytes sent for a mailbox in UploadWin; 150 MB
	UploadWin  time.Duration // 5 minutes
	// RetryAfter is what a refusal for too many at once says; default 1 s. A full window
	// says when it has room again.
	RetryAfter time.Duration
}

func (l *Limits) fill() {
	set(&l.Concurrent, 4)
	set(&l.Requests, 10_000)
	set(&l.Window, 10*time.Minute)
	set(&l.Global, 130_000)
	set(&l.GlobalWin, 10*time.Second)
	set(&l.Upload, 150<<20)
	set(&l.UploadWin, 5*time.Minute)
	set(&l.RetryAfter, time.Second)
}

func set[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// window counts in a time that slides.
type window struct {
	times  []time.Time
	sizes  []int64
	amount int64
}

// add counts and gives how much there is in the window now, and when the oldest leaves it.
func (w *window) add(now time.Time, span time.Duration, size int64) (int64, time.Duration) {
	drop := 0
	for drop < len(w.times) && now.Sub(w.times[drop]) >= span {
		w.amount -= w.sizes[drop]
		drop++
	}
	w.times, w.sizes = append(w.times[drop:], now), append(w.sizes[drop:], size)
	w.amount += size
	return w.amount, w.times[0].Add(span).Sub(now)
}

// meter is what an application has asked for. The tenant's lock guards it.
type meter struct {
	limits Limits
	flying map[string]int // by application and mailbox
	most   map[string]int
	asked  map[string]*window // by application and mailbox
	sent   map[string]*window // by application and mailbox
	global map[string]*window // by application
	fence  map[string]time.Time
	early  int
}

func newMeter(l Limits) meter {
	return meter{
		limits: l, flying: map[string]int{}, most: map[string]int{}, asked: map[string]*window{},
		sent: map[string]*window{}, global: map[string]*window{}, fence: map[string]time.Time{},
	}
}

func at(m map[string]*window, key string) *window {
	w := m[key]
	if w == nil {
		w = &window{}
		m[key] = w
	}
	return w
}

// enter counts a request for a mailbox, which [meter.leave] ends, and refuses it where
// the vendor would. A refused request has counted. Parts of a $batch are early together, which
// the batch counts.
func (m *meter) enter(app, box string, now time.Time, size int64, batch bool) *failure {
	key, l := app+" "+box, m.limits
	if box != "" {
		m.flying[key]++
		m.most[box] = max(m.most[box], m.flying[key])
	}
	if !batch && now.Before(m.fence[key]) {
		m.early++
	}
	if n, wait := at(m.global, app).add(now, l.GlobalWin, 1); n > int64(l.Global) {
		return m.refuse(key, now, "Application is over its Global limit.", wait)
	}
	if box == "" {
		return nil
	}
	if n, wait := at(m.asked, key).add(now, l.Window, 1); n > int64(l.Requests) {
		return m.refuse(key, now, "Application is over its RequestCount limit.", wait)
	}
	if n, wait := at(m.sent, key).add(now, l.UploadWin, size); n > l.Upload && size > 0 {
		return m.refuse(key, now, "Application is over its IncomingBytes limit.", wait)
	}
	if m.flying[key] > l.Concurrent {
		return m.refuse(key, now, "Application is over its MailboxConcurrency limit.", l.RetryAfter)
	}
	return nil
}

func (m *meter) leave(app, box string) {
	if box != "" {
		m.flying[app+" "+box]--
	}
}

// refuse is a 429, before whose end nothing should be asked again.
func (m *meter) refuse(key string, now time.Time, text string, wait time.Duration) *failure {
	wait = max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
	if until := now.Add(wait); until.After(m.fence[key]) {
		m.fence[key] = until
	}
	return &failure{status: 429, code: "ApplicationThrottled", text: text, retry: wait}
}

// HighWater is the most requests of an application for that mailbox at one time.
func (n *Tenant) HighWater(user string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.user(user); u != nil {
		return n.meter.most[u.ID]
	}
	return 0
}

// Early is how many requests came before the Retry-After of a refusal was over.
func (n *Tenant) Early() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.meter.early
}
