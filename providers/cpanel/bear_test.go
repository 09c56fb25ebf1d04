package cpanel

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// TestOutageWhileItIsBroughtHome: a quarter of an hour without the host costs no backup
// that it has made, whenever in the step it begins. One without an end is told.
func TestOutageWhileItIsBroughtHome(t *testing.T) {
	for name, c := range map[string]struct {
		before bool // it is away when the step begins, and else when all has come
		away   time.Duration
	}{"before": {true, 15 * time.Minute}, "after": {false, 15 * time.Minute}, "for good": {true, 24 * time.Hour}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				whole := cut(t)
				f.files[mine] = &fakeFile{size: int64(len(whole)), state: "ready"}
				leave := func() {
					f.down = errDown
					f.later(c.away, func() { f.down = nil })
				}
				f.read = func(string, int64) (io.ReadCloser, error) {
					if !c.before {
						f.do(leave)
					}
					return io.NopCloser(bytes.NewReader(whole)), nil
				}
				if c.before {
					f.do(leave)
				}
				a := newAccount(f)
				r := remote{Version: remoteVersion, Home: "/home/ruthin", Told: true, Name: mine, Want: want{User: "ruthin"}}
				if err := r.keep(a.job); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err := a.Fetch(t.Context(), a.job, &sink{})
				took := time.Since(began).Round(time.Minute)
				if c.away > time.Hour {
					if keepwatch.KindOf(err) != keepwatch.KindTransient || took != 30*time.Minute {
						t.Errorf("%v after %v", err, took)
					}
				} else if !errors.Is(err, errUnfit) || took != c.away { // it got as far as the proof
					t.Errorf("%v after %v", err, took)
				}
				time.Sleep(c.away) // what the fake does is done
			})
		})
	}
}
