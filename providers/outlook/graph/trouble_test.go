package graph

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
)

// told is what is said to whoever follows a run, with times as those since the beginning, to the
// second.
type told struct {
	At, Until time.Duration
	Why       string
}

// listened gives a ctx, and all that whoever follows its work is told.
func listened(ctx context.Context, t *testing.T) (context.Context, func() []told) {
	var mu sync.Mutex
	var all []told
	begun := time.Now()
	ctx = providers.WithPauses(ctx, func(p keepwatch.Pause) {
		mu.Lock()
		defer mu.Unlock()
		one := told{At: time.Since(begun).Truncate(time.Second), Why: p.Why}
		if !p.Until.IsZero() {
			one.Until = p.Until.Sub(begun).Truncate(time.Second)
		}
		if p.Trouble != strings.Contains(p.Why, "tried again") {
			t.Errorf("%+v", p)
		}
		all = append(all, one)
	})
	return ctx, func() []told { mu.Lock(); defer mu.Unlock(); return all }
}

const (
	badly = "Microsoft 365 does not answer properly, and is tried again. "
	s     = time.Second
)

// TestTroubleIsTold: the waits that nobody has asked for, from the first of ten seconds on (after
// 3 and 6 s), without a gap while a try is under way, and gone once the call has ended. Of the
// error there is nothing but what kind of one it is.
func TestTroubleIsTold(t *testing.T) {
	leak := "https://graph.example/v1.0/x?$skiptoken=secret&sig=token-1 " + testSecret
	answers := func(status int, code, after string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			refuse(w, status, code, leak)
		}
	}
	breaks := func(err error) func(*http.Request) error {
		return func(*http.Request) error { return err }
	}
	late := func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() }
	three := func(why string) []told { return []told{{9 * s, 21 * s, why}, {21 * s, 45 * s, why}, {45 * s, 0, ""}} }
	for _, test := range []struct {
		name  string
		serve func(http.ResponseWriter) // in four tries
		fail  func(*http.Request) error
		want  []told
	}{
		{"gateway", answers(504, "UnknownError", ""), nil, three(badly + "The last error is 504, UnknownError.")},
		{"a code that is none", answers(502, "see token-1 "+leak, ""), nil, three(badly + "The last error is 502.")},
		{"no code", answers(503, "", ""), nil, three(badly + "The last error is 503.")},
		{"cut off", nil, breaks(errors.New(leak)), three(badly + "The last try got no whole answer.")},
		{"no connection", nil, breaks(&net.OpError{Op: "dial", Err: errors.New(leak)}), three(badly + "The last try got no connection.")},
		{"throttled, nobody says for how long", answers(429, "TooManyRequests", ""), nil, three("Microsoft 365 takes no more calls at present, does not say for how long, and is tried again.")},
		{"a short pause that is asked for", answers(503, "x", "9"), nil, nil},
		{"a long one, over with the wait", answers(503, "x", "60"), nil, []told{{0, 60 * s, whyAsked}, {60 * s, 0, ""}, {60 * s, 120 * s, whyAsked}, {120 * s, 0, ""}, {120 * s, 180 * s, whyAsked}, {180 * s, 0, ""}, {180 * s, 240 * s, whyAsked}, {240 * s, 0, ""}}},
		{"no answer in time", nil, late, []told{{309 * s, 321 * s, badly + "The last try got no answer in time."}, {421 * s, 445 * s, badly + "The last try got no answer in time."}, {445 * s, 0, ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				f := &fake{fail: func(r *http.Request) error {
					if n++; n <= 4 && test.fail != nil {
						return test.fail(r)
					}
					return nil
				}, serve: func(w http.ResponseWriter, r *http.Request) {
					if n <= 4 {
						test.serve(w)
						return
					}
					ok(w, r)
				}}
				ctx, all := listened(t.Context(), t)
				if err := f.client(t).JSON(ctx, alis, Request{URL: "/x"}, nil); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(test.want, all()); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// TestTroubleDoesNotFlicker: several calls of a run that wait each by itself are one text, whose
// time only grows, until the last of them has gone through. Where Microsoft asks for a pause
// meanwhile, that is told in its place.
func TestTroubleDoesNotFlicker(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			begun, once := time.Now(), false
			f := &fake{latency: 700 * time.Millisecond, serve: func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				switch past := time.Since(begun); {
				case asked && past > 45*s && !once:
					once = true
					w.Header().Set("Retry-After", "900")
					refuse(w, 503, "x", "")
				case past < 100*s:
					refuse(w, 504, "UnknownError", "")
				default:
					ok(w, r)
				}
			}}
			c := f.client(t)
			ctx, all := listened(t.Context(), t)
			var calls sync.WaitGroup
			for i := range 4 {
				calls.Go(func() {
					time.Sleep(time.Duration(i) * 1300 * time.Millisecond)
					if err := c.JSON(ctx, alis, Request{URL: "/x"}, nil); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
			got, whys := all(), map[string]bool{}
			for i, one := range got {
				whys[one.Why] = true
				if last := i == len(got)-1; last != (one.Until == 0) || i > 0 && !last && one.Until <= got[i-1].Until {
					t.Errorf("%t: told %+v", asked, got)
					break
				}
			}
			if len(got) < 4 || whys[whyAsked] != asked {
				t.Errorf("%t: told %+v", asked, got)
			}
		})
	}
}

// TestTroubleOfABatchAndOfAnAnswerIsTold: also where it is a part of a batch that fails, or the
// answer that breaks off.
func TestTroubleOfABatchAndOfAnAnswerIsTold(t *testing.T) {
	for what, parts := range map[string]bool{"a part": true, "an answer": false} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				f := &fake{serve: func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					switch n++; {
					case n > 3:
						_, _ = w.Write([]byte(`{"responses":[{"id":"0","status":200,"body":{}},{"id":"1","status":200,"body":{}}]}`))
					case parts:
						_, _ = w.Write([]byte(`{"responses":[{"id":"0","status":200,"body":{}},{"id":"1","status":504,"body":{"error":{"code":"UnknownError"}}}]}`))
					default:
						_, _ = w.Write([]byte(`{"respon`))
					}
				}}
				ctx, all := listened(t.Context(), t)
				var err error
				why := "The last try got no whole answer."
				if c := f.client(t); parts {
					why = "The last error is 504, UnknownError."
					_, err = c.Batch(ctx, alis, []Request{{URL: "/x"}, {URL: "/y"}})
				} else {
					err = c.JSON(ctx, alis, Request{URL: "/x"}, &struct{}{})
				}
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff([]told{{9 * s, 21 * s, badly + why}, {21 * s, 0, ""}}, all()); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// TestTroubleEnds: with a call that is given up, and at once where its run is cancelled.
func TestTroubleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: func(w http.ResponseWriter, _ *http.Request) { refuse(w, 504, "UnknownError", "") }}
		c := f.client(t)
		for _, end := range []time.Duration{15 * s, 309 * s} { // the latter by itself: 3+6+12+24+48+96+120 s
			ctx, cancel := context.WithCancel(t.Context())
			stop := time.AfterFunc(15*s, cancel)
			if end > 15*s {
				stop.Stop()
			}
			ctx, all := listened(ctx, t)
			if err := c.JSON(ctx, alis, Request{URL: "/x"}, nil); err == nil {
				t.Error("it went through")
			}
			cancel()
			if got := all(); len(got) < 2 || got[len(got)-1] != (told{At: end}) {
				t.Errorf("told %+v", got)
			}
		}
	})
}
