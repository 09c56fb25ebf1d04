package cpanel

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// lost is what a call gives whose answer never came.
func lost(arrived bool) error {
	return keepwatch.Errorf(keepwatch.KindTransient, "The connection broke.").Because(&sentError{arrived: arrived})
}

const asked = "Backup::fullbackup_to_homedir"

// TestRequestIsKilled kills the program at each point at which something is kept, and
// behind the call itself, and goes on with what is on disk then.
func TestRequestIsKilled(t *testing.T) {
	killed := errors.New("killed")
	for _, c := range []struct {
		name  string
		dies  int  // at the save of this number, before it is on disk
		after bool // behind it
		want  int  // how often the host is asked
	}{
		{"before anything is kept", 1, false, 1},
		{"before the host is told", 1, true, 1},
		{"between told and saved", 2, false, 1},
		{"after it was saved", 2, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.files["backup-11.25.2026_03-00-00_ruthin.tar.gz"] = &fakeFile{size: 9, state: "ready"}
				f.begin = func() { f.grow(mine, 100, 10, "ready") }
				a := newAccount(f)
				keep, saves := a.job.Keep, 0
				a.job.Keep = func(b json.RawMessage) error {
					saves++
					if saves == c.dies && !c.after {
						return killed
					}
					if err := keep(b); err != nil || saves != c.dies {
						return err
					}
					return killed
				}
				if err := a.Request(t.Context(), a.job); !errors.Is(err, killed) {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				a.job.Keep = keep
				if err := errors.Join(a.Request(t.Context(), a.job), a.Request(t.Context(), a.job), a.Wait(t.Context(), a.job)); err != nil {
					t.Fatal(err)
				}
				if n := f.count(asked); n != c.want {
					t.Errorf("asked %d times", n)
				}
				r := a.remote()
				if r.Name != mine || r.shared() {
					t.Errorf("%+v", r)
				}
				if d := cmp.Diff(want{User: "ruthin", Databases: []string{"ruthin_shop", "ruthin_wp"}, Domains: []string{"ruthin.example", "shop.ruthin.example"}}, r.Want); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// TestRequestWhoseAnswerIsLost: the host may have begun, or not.
func TestRequestWhoseAnswerIsLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		begins bool // although no answer comes
		want   int
	}{
		{"it has begun", true, 1},
		{"it has not", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.fail[asked] = lost(true)
				if c.begins {
					f.later(5*time.Second, func() { f.grow(mine, 100, 1, "ready") })
				}
				a := newAccount(f)
				err := a.Request(t.Context(), a.job)
				if c.begins != (err == nil) || err != nil && keepwatch.KindOf(err) != keepwatch.KindTransient {
					t.Fatal(err)
				}
				f.do(func() {
					delete(f.fail, asked)
					f.begin = func() { f.grow(mine, 100, 1, "ready") }
				})
				if err := errors.Join(a.Request(t.Context(), a.job), a.Wait(t.Context(), a.job)); err != nil {
					t.Fatal(err)
				}
				if n := f.count(asked); n != c.want {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

func TestRequestGivesUpAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.fail[asked] = lost(true)
		a := newAccount(f)
		var err error
		for range mostTries {
			if err = a.Request(t.Context(), a.job); keepwatch.KindOf(err) != keepwatch.KindTransient {
				t.Fatal(err)
			}
		}
		err = a.Request(t.Context(), a.job)
		if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "was asked for a full backup 3 times") || f.count(asked) != 3 {
			t.Errorf("%v, asked %d times", err, f.count(asked))
		}
		f.do(func() { delete(f.fail, asked) })
		a.job.Retried = true
		if err := a.Request(t.Context(), a.job); err != nil || f.count(asked) != 4 {
			t.Errorf("a person's retry: %v, asked %d times", err, f.count(asked))
		}
	})
}

func TestRequestIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		host func(f *fakeHost)
		want string
		kind keepwatch.Kind
	}{
		{"by the host", func(f *fakeHost) {
			f.fail[asked] = &callError{Status: 200, Said: []string{"You do not have enough disk space."}}
		}, "makes no full backup: You do not have enough disk space.", keepwatch.KindAttention},
		{"the function is not there", func(f *fakeHost) { f.fail[asked] = absent("Backup", "fullbackup_to_homedir") }, "it has no Backup::fullbackup_to_homedir", keepwatch.KindAttention},
		{"it never left", func(f *fakeHost) { f.fail[asked] = lost(false) }, "The connection broke.", keepwatch.KindTransient},
		{"the feature is off", func(f *fakeHost) { f.feature = map[string]int{"backup": 0} }, "turned the feature Backup off", keepwatch.KindAttention},
		{"demo mode", func(f *fakeHost) { f.demo = 1 }, "demo mode", keepwatch.KindAttention},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c.host(f)
				a := newAccount(f)
				begun := time.Now()
				err := a.Request(t.Context(), a.job)
				if !strings.Contains(keepwatch.Sentence(err), c.want) || keepwatch.KindOf(err) != c.kind || time.Since(begun) > time.Second {
					t.Errorf("%v after %v", err, time.Since(begun))
				}
				if len(a.kept) > 0 && !a.remote().Asked.IsZero() {
					t.Error("it is taken for asked")
				}
			})
		})
	}
}

// TestOneRunsAlready: somebody at the host has begun a backup, which is waited for.
func TestOneRunsAlready(t *testing.T) {
	for _, c := range []struct {
		name string
		host func(f *fakeHost)
	}{
		{"BackupInfo says so", func(f *fakeHost) { f.grow(theirs, 100, 1, "ready") }},
		{"API 2 says so", func(f *fakeHost) { f.info, f.pending = false, true; f.grow(theirs, 100, 1, "complete") }},
		{"it grows", func(f *fakeHost) { f.info = false; f.grow(theirs, 100, 1, "") }},
		{"it grows where the clock is slow", func(f *fakeHost) { f.info, f.skew = false, -3*time.Hour; f.grow(theirs, 100, 1, "") }},
		{"it grows where the clock is fast", func(f *fakeHost) { f.info, f.skew = false, 3*time.Hour; f.grow(theirs, 100, 1, "") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c.host(f)
				a := newAccount(f)
				time.Sleep(5 * time.Second)
				if err := errors.Join(a.Request(t.Context(), a.job), a.Wait(t.Context(), a.job)); err != nil {
					t.Fatal(err)
				}
				if r := a.remote(); f.count(asked) != 0 || r.Name != theirs || !r.shared() {
					t.Errorf("asked %d times, %+v", f.count(asked), r)
				}
			})
		})
	}
	t.Run("an old one that lies there is none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t)
			f.info = false
			f.files[theirs] = &fakeFile{size: 5, mtime: time.Now().Add(-time.Minute)}
			a := newAccount(f)
			if err := a.Request(t.Context(), a.job); err != nil || f.count(asked) != 1 {
				t.Errorf("%v, asked %d times", err, f.count(asked))
			}
		})
	})
	t.Run("it vanishes, so that one of our own is made", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t)
			f.grow(theirs, 100, 1, "ready")
			f.begin = func() { f.grow(mine, 100, 1, "ready") }
			a := newAccount(f)
			time.Sleep(5 * time.Second)
			if err := a.Request(t.Context(), a.job); err != nil {
				t.Fatal(err)
			}
			f.later(30*time.Second, func() { delete(f.files, theirs) })
			if err := a.Wait(t.Context(), a.job); err != nil {
				t.Fatal(err)
			}
			if r := a.remote(); f.count(asked) != 1 || r.Name != mine || r.shared() {
				t.Errorf("asked %d times, %+v", f.count(asked), r)
			}
		})
	})
}

// TestTwoBotsBeginAtOnce: both looked before either began. Both take the older one, and
// neither removes it.
func TestTwoBotsBeginAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		a := newAccount(f, func(h *keepwatch.Hosting) { h.Remove = true })
		b := newAccount(f, func(h *keepwatch.Hosting) { h.Remove = true })
		var later []func()
		f.begin = func() {
			later = append(later, func() { f.grow(map[int]string{0: theirs, 1: mine}[len(later)-1], 100, 1, "ready") })
		}
		if err := errors.Join(a.Request(t.Context(), a.job), b.Request(t.Context(), b.job)); err != nil {
			t.Fatal(err)
		}
		f.do(func() { f.grow(theirs, 100, 1, "ready") })
		f.later(3*time.Second, func() { f.grow(mine, 100, 1, "ready") })
		for _, x := range []*fakeAccount{a, b} {
			if err := x.Wait(t.Context(), x.job); err != nil {
				t.Fatal(err)
			}
			r := x.remote()
			if r.Name != theirs || !strings.Contains(r.Twin, mine) {
				t.Errorf("%+v", r)
			}
			r.Fetched, r.Size = true, 100
			if err := r.keep(x.job); err != nil {
				t.Fatal(err)
			}
			notes, err := x.Release(t.Context(), x.job)
			if err != nil || len(notes) != 1 || f.files[theirs] == nil {
				t.Errorf("%v %v", notes, err)
			}
		}
	})
}

func TestWhatWasKeptByAnotherVersion(t *testing.T) {
	a := newAccount(newFake(t))
	a.job.Remote = json.RawMessage(`{"v":9}`)
	if err := a.Wait(t.Context(), a.job); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Error(err)
	}
	a.job.Remote = json.RawMessage(`{`)
	if err := a.Wait(t.Context(), a.job); err == nil {
		t.Error("rubbish is taken")
	}
}

// TestOrder: what a host is asked to do, in each way.
func TestOrder(t *testing.T) {
	push := func(x keepwatch.Push) keepwatch.Hosting {
		return keepwatch.Hosting{Push: &x, Email: "it@ruthin.example"}
	}
	for _, c := range []struct {
		account        keepwatch.Hosting
		function, want string
	}{
		{keepwatch.Hosting{}, "fullbackup_to_homedir", ""},
		{push(keepwatch.Push{Way: "ftp", Host: "r.example", User: "u", Password: keepwatch.NewSecret("p")}), "fullbackup_to_ftp", "email=it%40ruthin.example&host=r.example&password=p&username=u&variant=active"},
		{push(keepwatch.Push{Way: "ftp", Host: "r.example", Port: 2121, User: "u", Password: keepwatch.NewSecret("p"), Directory: "in", Passive: true}), "fullbackup_to_ftp", "directory=in&email=it%40ruthin.example&host=r.example&password=p&port=2121&username=u&variant=passive"},
		{push(keepwatch.Push{Way: "scp", Host: "r.example", User: "u", Password: keepwatch.NewSecret("p")}), "fullbackup_to_scp_with_password", "email=it%40ruthin.example&host=r.example&password=p&username=u"},
		{push(keepwatch.Push{Way: "scp", Host: "r.example", User: "u", Key: "k"}), "fullbackup_to_scp_with_key", "email=it%40ruthin.example&host=r.example&key_name=k&key_passphrase=&username=u"},
	} {
		function, params := orderOf(c.account)
		if function != c.function || params.Encode() != c.want {
			t.Errorf("%s %s", function, params.Encode())
		}
		e, ok := endpointOf(UAPI, "Backup", function)
		if !ok || !e.Once || e.Check(params) != nil {
			t.Errorf("%s: %+v %v", function, e, e.Check(params))
		}
	}
}
