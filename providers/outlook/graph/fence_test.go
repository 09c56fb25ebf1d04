package graph

import (
	"errors"
	"net/http"
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
