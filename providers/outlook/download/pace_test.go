package download_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch/providers/outlook"
)

// limit is what the vendor allows, less a margin: so many calls in ten minutes
// (learn.microsoft.com/graph/throttling-limits#outlook-service-limits: 10,000).
const limit = 9600

// sliding waits as a client does that keeps the limit.
type sliding struct {
	mu    sync.Mutex
	times []time.Time
}

func (s *sliding) wait(ctx context.Context) {
	s.mu.Lock()
	at := time.Now()
	if n := len(s.times); n >= limit {
		if free := s.times[n-limit].Add(10 * time.Minute); free.After(at) {
			at = free
		}
	}
	s.times = append(s.times, at)
	s.mu.Unlock()
	rest := time.Until(at)
	if rest <= 0 { // timers that are over at once break the race detector in a bubble (golang/go#78156)
		return
	}
	select {
	case <-time.After(rest):
	case <-ctx.Done():
	}
}

// least is the fewest calls in any ten minutes between the first call and the last.
func (s *sliding) least() int {
	least, end := limit, 0
	for i, from := range s.times {
		for end < len(s.times) && s.times[end].Before(from.Add(10*time.Minute)) {
			end++
		}
		if end < len(s.times) {
			least = min(least, end-i)
		}
	}
	return least
}

// large is a mailbox of so many folders and items in each, with answers after 100 ms.
func large(t *testing.T, folders, items int) *world {
	w := newWorld(t)
	w.box.latency, w.box.page, w.disk.quick = 100*time.Millisecond, 50, true
	for i := range folders {
		w.box.add(outlook.Mail, fmt.Sprintf("Folder %02d", i), "", "", items)
	}
	return w
}

// It uses at least nine tenths of what the vendor allows.
func TestPaceAtTheVendorsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := large(t, 41, 300), &sliding{}
		w.box.window = s.wait
		began := time.Now()
		w.must()
		w.same(nil)
		took, least := time.Since(began), s.least()
		t.Logf("%d calls in %v; at least %d in any ten minutes, %.1f %% of the %d that are allowed", w.box.calls, took.Round(time.Second), least, 100*float64(least)/limit, limit)
		if least < limit*9/10 {
			t.Errorf("too few")
		}
	})
}

// Without that limit all lanes are busy all the time.
func TestAllLanesAreBusy(t *testing.T) {
	for name, shape := range map[string][2]int{"few folders": {1, 4000}, "many folders": {60, 60}, "folders alone": {400, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := large(t, shape[0], shape[1])
				began := time.Now()
				w.must()
				w.same(nil)
				could := int(time.Since(began) / w.box.latency * time.Duration(w.box.lanes))
				share := 100 * float64(w.box.calls) / float64(could)
				t.Logf("%d calls of %d that could be made: %.1f %%", w.box.calls, could, share)
				if share < 90 || w.box.most != w.box.lanes {
					t.Errorf("too few; %d at once", w.box.most)
				}
			})
		})
	}
}

// Contents are downloaded while folders are still being read, and folders are read while
// there are contents to download.
func TestContentsAndFoldersShareTheLanes(t *testing.T) {
	for _, folders := range []int{1, 4, 20} {
		synctest.Test(t, func(t *testing.T) {
			w := large(t, folders, 2000/folders)
			var first time.Time
			began, pages, listed := time.Now(), 0, time.Duration(0)
			w.box.ask = func(outlook.Item) {
				if first.IsZero() {
					first = time.Now()
				}
			}
			w.box.fault = func(call string) error {
				if strings.HasPrefix(call, "changes") {
					if pages++; pages == 2000/w.box.page {
						listed = time.Since(began)
					}
				}
				return nil
			}
			w.must()
			if wait := first.Sub(began); wait > time.Second/2 {
				t.Errorf("%d folders: the first content came after %v", folders, wait)
			}
			if all := time.Since(began); listed > all/2 {
				t.Errorf("%d folders: they were listed after %v of %v", folders, listed, all)
			}
		})
	}
}

// hanging is a content of which no more comes, until it is closed.
type hanging struct{ closed chan struct{} }

func (h hanging) Read([]byte) (int, error) { <-h.closed; return 0, errors.New("closed") }
func (h hanging) Close() error             { close(h.closed); return nil }

func TestAStopIsObeyedWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).small()
		w.box.body = func(io.Reader) io.ReadCloser { return hanging{make(chan struct{})} }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		began := time.Now()
		if err := w.download(ctx); !errors.Is(err, context.Canceled) || time.Since(began) > time.Hour+time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		w.box.body = nil
		w.must()
		w.same(nil)
	})
}

func TestHowOftenItSavesAndTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := large(t, 3, 1000)
		began := time.Now()
		w.must()
		seconds := int(time.Since(began) / time.Second)
		if w.disk.syncs < seconds/6 || w.disk.syncs > seconds/5+5 {
			t.Errorf("it was synced %d times in %d s", w.disk.syncs, seconds)
		}
		if len(w.told) < seconds*8/10 || len(w.told) > seconds+2 {
			t.Errorf("it told %d times in %d s", len(w.told), seconds)
		}
		for i, p := range w.told[1:] {
			if p.Items < w.told[i].Items || p.TotalItems != 3000 {
				t.Fatalf("%+v after %+v", p, w.told[i])
			}
		}
	})
}
