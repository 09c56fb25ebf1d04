package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// A pause of days is told to everybody who calls, and nobody sits through it; one that
// nobody can have meant ends after a day.
func TestAPauseOfDaysIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "9000000")
			refuse(w, http.StatusTooManyRequests, "TooManyRequests", "")
		}}
		c, began := f.client(t), time.Now()
		for range 3 {
			_, err := c.Do(t.Context(), alis, Request{URL: "/users/a"})
			if !errors.Is(err, ErrThrottled) || keepwatch.KindOf(err) != keepwatch.KindTransient {
				t.Fatalf("%v", err)
			}
			if text := keepwatch.Sentence(err); !strings.Contains(text, "a pause of ") || strings.Contains(text, "goes on later") {
				t.Errorf("%s", text)
			}
		}
		if n := f.count(); n != 1 || time.Since(began) > time.Minute {
			t.Errorf("%d calls in %v", n, time.Since(began))
		}
		f.serve = ok
		time.Sleep(longestFence)
		answer, err := c.Do(t.Context(), alis, Request{URL: "/users/a"})
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	})
}

// Who waits already when a pause of days is asked for does not sit through it either.
func TestAPauseOfDaysIsToldToWhoeverWaits(t *testing.T) {
	for name, fence := range map[string]func(*Client, time.Duration){
		"of the mailbox":     func(c *Client, d time.Duration) { c.laneOf(alis).fence(d) },
		"of the application": func(c *Client, d time.Duration) { c.app.fence(d) },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{serve: ok}
			c, began, ended := f.client(t), time.Now(), make(chan error)
			fence(c, time.Minute)
			go func() { ended <- c.JSON(t.Context(), alis, Request{URL: "/users/a"}, nil) }()
			time.Sleep(30 * time.Second)
			fence(c, longestFence)
			if err := <-ended; !errors.Is(err, ErrThrottled) || time.Since(began) > 2*time.Minute {
				t.Errorf("%s: after %v %v", name, time.Since(began), err)
			}
		})
	}
}

// A check that has less time than the pause takes says at once that there is one.
func TestAPauseIsLongerThanACheck(t *testing.T) {
	for name, serve := range map[string]func(*Client) http.HandlerFunc{
		"refused": func(*Client) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "600")
				refuse(w, http.StatusTooManyRequests, "TooManyRequests", "")
			}
		},
		"fenced":         func(c *Client) http.HandlerFunc { c.laneOf(alis).fence(10 * time.Minute); return ok },
		"all are fenced": func(c *Client) http.HandlerFunc { c.app.fence(10 * time.Minute); return ok },
		"used up": func(c *Client) http.HandlerFunc {
			c.laneOf(alis).calls.add(time.Now(), mailboxCalls)
			return ok
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{}
			c := f.client(t)
			f.serve = serve(c)
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
			defer cancel()
			err := c.JSON(ctx, alis, Request{URL: "/users/a"}, nil)
			if !errors.Is(err, ErrThrottled) || keepwatch.Sentence(err) == "" || time.Since(began) > time.Second {
				t.Errorf("%s: after %v %v", name, time.Since(began), err)
			}
		})
	}
}
