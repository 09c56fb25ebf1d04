package cpanel

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// fetchAgain fetches as the engine does, and says how often.
func fetchAgain(t *testing.T, a *fakeAccount) (s sink, tries int, err error) {
	t.Helper()
	for tries = 1; ; tries++ {
		s = sink{}
		if err = a.Fetch(t.Context(), a.job, &s); keepwatch.KindOf(err) != keepwatch.KindTransient || tries == 6 {
			return s, tries, err
		}
		if err := pause(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWriterRests: a host that does not say when a backup is complete, whose writer
// rests for longer than a file is looked at. One that has ended is told in the end.
func TestWriterRests(t *testing.T) {
	for name, ends := range map[string]bool{"and goes on": false, "and is dead": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.info = false
				whole := pack(t, account())
				size, half := int64(len(whole)), int64(len(whole)/2)
				f.begin = func() {
					f.files[mine] = &fakeFile{size: half, mtime: time.Now()}
					if !ends {
						f.later(10*time.Minute, func() { f.files[mine].size = size })
					}
				}
				f.read = func(string, int64) (io.ReadCloser, error) {
					f.mu.Lock()
					defer f.mu.Unlock()
					return io.NopCloser(bytes.NewReader(whole[:f.files[mine].size])), nil
				}
				a := newAccount(f)
				if err := errors.Join(a.Request(t.Context(), a.job), a.Wait(t.Context(), a.job)); err != nil {
					t.Fatal(err)
				}
				s, tries, err := fetchAgain(t, a)
				if tries != 2 {
					t.Errorf("fetched %d times", tries)
				}
				if ends {
					if !errors.Is(err, errUnfit) || keepwatch.KindOf(err) != keepwatch.KindAttention || a.remote().Fetched {
						t.Error(err)
					}
				} else if err != nil || !bytes.Equal(s.got, whole) {
					t.Errorf("%d of %d bytes, %v", len(s.got), size, err)
				}
				before := time.Now()
				if _, _, err := fetchAgain(t, a); (err != nil) != ends || time.Since(before) > time.Minute { // a person's retry
					t.Errorf("%v after %v", err, time.Since(before))
				}
			})
		})
	}
}

// TestReceiverRests: likewise where the host sends it, and the way there is cut for a
// while.
func TestReceiverRests(t *testing.T) {
	folder := t.TempDir()
	whole := pack(t, account())
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		write := func(b []byte) {
			if err := os.WriteFile(filepath.Join(folder, mine), b, 0o600); err != nil {
				t.Error(err)
			}
		}
		f.begin = func() {
			write(whole[:len(whole)/2])
			f.later(10*time.Minute, func() { write(whole) })
		}
		a := newAccount(f, func(h *keepwatch.Hosting) {
			h.Push = &keepwatch.Push{Way: "ftp", Host: "backup.example.net", User: "r", Password: keepwatch.NewSecret("x"), Folder: folder}
		})
		if err := errors.Join(a.Request(t.Context(), a.job), a.Wait(t.Context(), a.job)); err != nil {
			t.Fatal(err)
		}
		s, tries, err := fetchAgain(t, a)
		if err != nil || tries != 2 || !bytes.Equal(s.got, whole) {
			t.Errorf("%d of %d bytes in %d tries, %v", len(s.got), len(whole), tries, err)
		}
	})
}
