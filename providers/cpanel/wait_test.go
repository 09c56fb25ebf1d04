package cpanel

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

const (
	mine   = "backup-11.26.2026_03-00-10_ruthin.tar.gz"
	theirs = "backup-11.26.2026_03-00-07_ruthin.tar.gz"
)

var errDown = keepwatch.Errorf(keepwatch.KindTransient, "The host does not answer.")

// TestWait has a host make a backup in many manners.
func TestWait(t *testing.T) {
	for _, c := range []struct {
		name  string
		host  func(f *fakeHost)
		want  string        // in the sentence; "": it is made
		least time.Duration // that it takes
		most  time.Duration
	}{
		{name: "BackupInfo says ready", host: func(f *fakeHost) { f.begin = func() { f.grow(mine, 100, 1, "ready") } }, least: 100 * time.Second, most: 130 * time.Second},
		{name: "API 2 says complete", host: func(f *fakeHost) {
			f.info, f.pending = false, true
			f.begin = func() { f.grow(mine, 100, 1, "complete") }
		}, least: 100 * time.Second, most: 130 * time.Second},
		{name: "API 2 says it in other words", host: func(f *fakeHost) {
			f.info, f.pending = false, true
			f.begin = func() { f.grow(mine, 100, 1, "x") }
		}, least: 200 * time.Second, most: 280 * time.Second},
		{name: "nobody says anything", host: func(f *fakeHost) {
			f.info = false
			f.begin = func() { f.grow(mine, 100, 1, "") }
		}, least: 200 * time.Second, most: 280 * time.Second},
		{name: "the function goes away while it is waited for", host: func(f *fakeHost) {
			f.begin = func() {
				f.grow(mine, 100, 1, "complete")
				f.later(30*time.Second, func() { f.info, f.pending = false, true })
			}
		}, least: 100 * time.Second, most: 130 * time.Second},
		{name: "it is ready while another one is written", host: func(f *fakeHost) {
			f.begin = func() {
				f.grow(mine, 100, 1, "ready")
				f.files["backup-11.26.2026_03-01-00_ruthin.tar.gz"] = &fakeFile{size: 5, state: "inprogress"}
			}
		}, least: 200 * time.Second, most: 280 * time.Second},
		{name: "it stalls", host: func(f *fakeHost) { f.begin = func() { f.files[mine] = &fakeFile{size: 5 << 20, state: "inprogress"} } }, want: mine + " has not grown for 30 min: 5.0 MiB are there", least: 30 * time.Minute, most: 31 * time.Minute},
		{name: "it vanishes", host: func(f *fakeHost) {
			f.begin = func() {
				f.grow(mine, 1000, 1, "ready")
				f.later(45*time.Second, func() { delete(f.files, mine) })
			}
		}, want: "has vanished from the home of the account ruthin", least: 45 * time.Second, most: 90 * time.Second},
		{name: "its marker is stale", host: func(f *fakeHost) {
			f.begin = func() { f.grow(mine, 50, 1, "timeout") }
		}, want: "counts it as dead; 50 B of it are there", least: 50 * time.Second, most: 90 * time.Second},
		{name: "the quota is filled", host: func(f *fakeHost) {
			f.limit = 100 << 20
			f.begin = func() {
				f.files[mine] = &fakeFile{size: 97 << 20, state: "inprogress"}
				f.used = 100<<20 - 100
			}
		}, want: "it uses 100.0 MiB of its 100.0 MiB, and " + mine + " has stopped at 97.0 MiB", most: 2 * time.Minute},
		{name: "the quota is filled on an old host", host: func(f *fakeHost) {
			f.info, f.limit = false, 100<<20
			f.begin = func() {
				f.files[mine] = &fakeFile{size: 97 << 20}
				f.used = 100 << 20
			}
		}, want: "The quota of the account ruthin was filled", most: 2 * time.Minute},
		{name: "no file appears", host: func(f *fakeHost) { f.begin = func() {} }, want: "(process 2857), but no file has appeared in /home/ruthin for 30 min", least: 30 * time.Minute, most: 31 * time.Minute},
		{name: "the host is away for a while", host: func(f *fakeHost) {
			f.begin = func() {
				f.grow(mine, 100, 1, "ready")
				f.later(30*time.Second, func() { f.down = errDown })
				f.later(29*time.Minute, func() { f.down = nil })
			}
		}, least: 29 * time.Minute, most: 30 * time.Minute},
		{name: "the host is away for good", host: func(f *fakeHost) {
			f.begin = func() {
				f.grow(mine, 100, 1, "ready")
				f.later(30*time.Second, func() { f.down = errDown })
			}
		}, want: "The host does not answer.", least: 30 * time.Minute, most: 31 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c.host(f)
				a := newAccount(f)
				if err := a.Request(t.Context(), a.job); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				err := a.Wait(t.Context(), a.job)
				if got := keepwatch.Sentence(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) {
					t.Errorf("%v", err)
				}
				if took := time.Since(begun); took < c.least || took > c.most {
					t.Errorf("it took %v", took)
				}
				if n := f.count("Backup::fullbackup_to_homedir"); n != 1 {
					t.Errorf("asked %d times", n)
				}
				time.Sleep(20 * time.Minute) // what the fake does is done
			})
		})
	}
}

func TestWaitReportsProgress(t *testing.T) {
	for _, c := range []struct {
		name    string
		percent float64
		last    *keepwatch.Archive
		want    int64
	}{
		{name: "by the host's estimate", percent: 50, want: 1},
		{name: "by the last archive", last: &keepwatch.Archive{Bytes: 1000}, want: 1000},
		{name: "by nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.percent = c.percent
				f.begin = func() { f.grow(mine, 100, 1, "ready") }
				a := newAccount(f)
				a.job.Last = c.last
				var seen []keepwatch.Progress
				a.job.Report = func(p keepwatch.Progress) { seen = append(seen, p) }
				if err := errors.Join(a.Request(t.Context(), a.job), a.Wait(t.Context(), a.job)); err != nil {
					t.Fatal(err)
				}
				middle := seen[len(seen)/2]
				if middle.Bytes == 0 || middle.Bytes >= 100 || (middle.TotalBytes > middle.Bytes) != (c.want > 0) || c.want > 1 && middle.TotalBytes != c.want {
					t.Errorf("%+v", middle)
				}
			})
		})
	}
}

// TestWaitWithoutRequest: nothing that lies there is taken for what was never asked for.
func TestWaitWithoutRequest(t *testing.T) {
	f := newFake(t)
	f.files[theirs] = &fakeFile{size: 5, state: "ready"}
	a := newAccount(f)
	if err := a.Wait(t.Context(), a.job); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Error(err)
	}
}

func TestWaitIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.begin = func() { f.files[mine] = &fakeFile{size: 5, state: "inprogress"} }
		a := newAccount(f)
		if err := a.Request(t.Context(), a.job); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		begun := time.Now()
		if err := a.Wait(ctx, a.job); !errors.Is(err, context.Canceled) || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
