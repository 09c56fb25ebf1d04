package cpanel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// TestHostPacksForHours: a host that sends a backup packs all of the account first. That
// takes longer than a stall, and is none.
func TestHostPacksForHours(t *testing.T) {
	for name, c := range map[string]struct {
		says  bool          // the host says that it is at work
		packs time.Duration // 0: for ever
		stall time.Duration // configured
		fails time.Duration // after so long; 0: it does not
	}{
		"and says so":                      {says: true, packs: 5 * time.Hour},
		"and says nothing":                 {packs: 2 * time.Hour},
		"and says so, and never ends":      {says: true, packs: 48 * time.Hour, fails: 24*time.Hour + defaultStall},
		"and never ends, and says nothing": {fails: 3 * time.Hour},
		"longer than somebody allows":      {packs: 2 * time.Hour, stall: time.Hour, fails: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.info = c.says
				f.begin = func() {
					if c.packs == 0 {
						return
					}
					f.files[mine] = &fakeFile{state: "inprogress"}
					f.later(c.packs, func() {
						delete(f.files, mine)
						if err := os.WriteFile(filepath.Join(folder, mine), []byte("x"), 0o600); err != nil {
							t.Error(err)
						}
					})
				}
				a := newAccount(f, func(h *keepwatch.Hosting) {
					h.Stall = c.stall
					h.Push = &keepwatch.Push{Way: "ftp", Host: "backup.example.net", User: "r", Password: keepwatch.NewSecret("x"), Folder: folder}
				})
				if err := a.Request(t.Context(), a.job); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err := a.Wait(t.Context(), a.job)
				took := time.Since(began).Round(10 * time.Minute)
				if c.fails == 0 && (err != nil || took != c.packs) || c.fails > 0 && (took != c.fails || !strings.Contains(keepwatch.Sentence(err), "nothing has arrived")) {
					t.Errorf("%v after %v", err, took)
				}
				time.Sleep(c.packs) // what the fake does is done
			})
		})
	}
}

// TestReceiverHasOneNameForADay: the second backup of a day takes the place of the first
// in the receiver's folder.
func TestReceiverHasOneNameForADay(t *testing.T) {
	const name = "backup-11.128.0.6_2026-11-26_ruthin.tar.gz"
	folder := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("the first one")
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.begin = func() { f.later(time.Minute, func() { write("the 2nd") }) }
		a := newAccount(f, func(h *keepwatch.Hosting) {
			h.Push = &keepwatch.Push{Way: "ftp", Host: "backup.example.net", User: "r", Password: keepwatch.NewSecret("x"), Folder: folder}
		})
		if err := a.Request(t.Context(), a.job); err != nil {
			t.Fatal(err)
		}
		if err := a.Wait(t.Context(), a.job); err != nil || a.remote().Name != name {
			t.Errorf("%v %+v", err, a.remote())
		}
	})
}
