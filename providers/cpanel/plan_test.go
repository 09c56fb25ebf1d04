package cpanel

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func TestRoom(t *testing.T) {
	const mib = 1 << 20
	limited := func(used, limit int64) keepwatch.Quota {
		return keepwatch.Quota{Used: used * mib, Limit: limit * mib}
	}
	for _, c := range []struct {
		name string
		room room
		note string
		err  string
	}{
		{name: "unlimited, which is not full", room: room{quota: limited(900, 0), known: true}},
		{name: "the host does not say", room: room{quota: limited(0, 0)}},
		{name: "it fits", room: room{quota: limited(400, 1000), known: true, databases: 200 * mib}},
		{name: "just so", room: room{quota: limited(400, 1000), known: true, databases: 201 * mib}, note: "It may not fit: the account ruthin uses 400.0 MiB of its 1000.0 MiB, so 600.0 MiB are free, and a full backup takes up to 601.0 MiB where nothing in it shrinks."},
		{name: "not even at a third", room: room{quota: limited(800, 1000), known: true},
			err: "A full backup cannot fit: the account ruthin uses 800.0 MiB of its 1000.0 MiB, so 200.0 MiB are free, and a full backup takes up to 800.0 MiB, and 266.7 MiB even if it shrinks to a third."},
		{name: "older backups lie there", room: room{quota: limited(950, 1000), known: true, old: 500 * mib}, err: "(full backups that lie there already take 500.0 MiB)"},
		{name: "without them it would", room: room{quota: limited(800, 1000), known: true, old: 300 * mib}, note: "It may not fit"},
		{name: "full", room: room{quota: limited(1000, 1000), known: true}, err: "so 0 B are free"},
		{name: "over", room: room{quota: limited(1100, 1000), known: true}, err: "so 0 B are free"},
		{name: "sent away", room: room{quota: limited(990, 1000), known: true, push: true}, note: "while the host packs it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			note, err := c.room.judge("ruthin")
			if (note == "") != (c.note == "") || !strings.Contains(note, c.note) {
				t.Errorf("note %q", note)
			}
			if (err == nil) != (c.err == "") || !strings.Contains(keepwatch.Sentence(err), c.err) || err != nil && keepwatch.KindOf(err) != keepwatch.KindAttention {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name  string
		host  func(f *fakeHost)
		hosts func(h *keepwatch.Hosting)
		parts []string
		items int64
		bytes int64
		want  string
		kind  keepwatch.Kind
	}{
		{name: "full", items: 1, bytes: 5 << 20},
		{name: "an old host with megabytes alone", items: 1, bytes: 3<<20 + 2<<20, host: func(f *fakeHost) {
			f.fail["Quota::get_local_quota_info"] = absent("Quota", "get_local_quota_info")
			f.answers["Quota::get_quota_info"] = obj{"megabyte_limit": "0.00", "megabytes_used": "3.00", "megabytes_remain": "0.00"}
		}},
		{name: "no quotas at all", items: 1, bytes: 2 << 20, host: func(f *fakeHost) {
			f.fail["Quota::get_local_quota_info"] = absent("Quota", "get_local_quota_info")
		}},
		{name: "too full", host: func(f *fakeHost) { f.limit, f.used = 100<<20, 99<<20 }, want: "A full backup cannot fit", kind: keepwatch.KindAttention},
		{name: "too old", host: func(f *fakeHost) { f.major = "76" }, want: "runs cPanel 11.76.0.4, which cannot be asked", kind: keepwatch.KindAttention},
		{name: "the feature is off", host: func(f *fakeHost) { f.feature = map[string]int{"backup": 0} }, want: "turned the feature Backup off for the account ruthin", kind: keepwatch.KindAttention},
		{name: "demo mode", host: func(f *fakeHost) { f.demo = 1 }, want: "demo mode", kind: keepwatch.KindAttention},
		{name: "no cPanel", host: func(f *fakeHost) { f.fail["Variables::get_user_information"] = absent("Variables", "x") }, want: "older than cPanel 86", kind: keepwatch.KindAttention},
		{name: "suspended", hosts: func(h *keepwatch.Hosting) { h.WHM = "root" }, host: func(f *fakeHost) {
			f.answers["WHM accountsummary"] = obj{"acct": []obj{{"suspended": "1", "suspendreason": "unpaid"}}}
		}, want: "is suspended at its host (unpaid)", kind: keepwatch.KindAttention},
		{name: "WHM does not say", hosts: func(h *keepwatch.Hosting) { h.WHM = "reseller" }, items: 1, bytes: 5 << 20},
		{name: "away", host: func(f *fakeHost) { f.down = errDown }, want: "The host does not answer.", kind: keepwatch.KindTransient},
		{name: "parts", parts: []string{"databases", "database:ruthin_wp", "home"}, items: 3, bytes: 5 << 20},
		{name: "one database", parts: []string{"database:ruthin_shop"}, items: 1, bytes: 1 << 20},
		{name: "a database that is not there", parts: []string{"database:ruthin_old"}, want: "The account ruthin has no database ruthin_old. It has ruthin_shop, ruthin_wp.", kind: keepwatch.KindInvalid},
		{name: "none at all", parts: []string{"database:ruthin_old"}, host: func(f *fakeHost) { f.dbs = nil }, want: "It has none at all.", kind: keepwatch.KindInvalid},
		{name: "nothing to back up", parts: []string{"databases"}, host: func(f *fakeHost) { f.dbs = nil }, want: "There is nothing to back up: the account has no databases.", kind: keepwatch.KindInvalid},
		{name: "databases are not told", parts: []string{"databases"}, host: func(f *fakeHost) { f.fail["Mysql::list_databases"] = absent("Mysql", "list_databases") }, want: "does not say which databases", kind: keepwatch.KindAttention},
		{name: "no such part", parts: []string{"mailboxes"}, want: `"mailboxes" is no part of a hosting account. Its parts are home, databases, database:NAME, forwarders and filters`, kind: keepwatch.KindInvalid},
		{name: "a part's feature is off", parts: []string{"forwarders"}, host: func(f *fakeHost) {
			f.fail["Email::list_forwarders_backups"] = keepwatch.Errorf(keepwatch.KindAttention, "The host refuses: no.").Because(&callError{Status: 200, Said: []string{"no"}})
		}, want: "does not give out the e-mail forwarders: The host refuses: no.", kind: keepwatch.KindAttention},
		{name: "a name that is a path", parts: []string{"databases"}, host: func(f *fakeHost) { f.dbs = []string{"../x"} }, want: "cannot be downloaded by such a name", kind: keepwatch.KindAttention},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			if c.host != nil {
				c.host(f)
			}
			a := newAccount(f)
			if c.hosts != nil {
				c.hosts(a.job.Source.Hosting)
			}
			a.job.Parts, a.job.Keep = c.parts, nil
			plan, err := a.Plan(t.Context(), a.job)
			if (err == nil) != (c.want == "") || !strings.Contains(keepwatch.Sentence(err), c.want) || err != nil && keepwatch.KindOf(err) != c.kind {
				t.Fatalf("%v (%v)", err, keepwatch.KindOf(err))
			}
			if err == nil && (plan.Items != c.items || plan.Bytes != c.bytes) {
				t.Errorf("%+v", plan)
			}
			for _, call := range f.calls {
				if strings.HasPrefix(call, "Backup::fullbackup") {
					t.Errorf("the plan calls %s", call)
				}
			}
		})
	}
}

func TestPartsOfTheSource(t *testing.T) {
	a := newAccount(newFake(t))
	if !a.Prepares(a.job) {
		t.Error("a full backup needs no preparation")
	}
	a.job.Source.Parts = []string{"home"}
	if a.Prepares(a.job) {
		t.Error("a source of parts is prepared")
	}
	if plan, err := a.Plan(t.Context(), a.job); err != nil || plan.Bytes != 3<<20 {
		t.Errorf("%+v %v", plan, err)
	}
}

func TestWithoutHosting(t *testing.T) {
	a := newAccount(newFake(t))
	a.job.Source.Hosting = nil
	if _, err := a.Plan(t.Context(), a.job); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Error(err)
	}
}

// TestOneHostPerSource: its calls take turns, so there must be one client; it is made
// anew where the source was changed.
func TestOneHostPerSource(t *testing.T) {
	a := newAccount(newFake(t))
	dialled := 0
	dial := a.dial
	a.dial = func(h keepwatch.Hosting) (host, error) { dialled++; return dial(h) }
	for range 3 {
		if _, err := a.Plan(t.Context(), a.job); err != nil {
			t.Fatal(err)
		}
	}
	same := *a.job.Source.Hosting // as read from the file again
	a.job.Source.Hosting = &same
	if _, err := a.Plan(t.Context(), a.job); err != nil || dialled != 1 {
		t.Errorf("%v, dialled %d times", err, dialled)
	}
	same.Token = keepwatch.NewSecret("ANOTHER")
	if _, err := a.Plan(t.Context(), a.job); err != nil || dialled != 2 {
		t.Errorf("%v, dialled %d times", err, dialled)
	}
}

func TestRelease(t *testing.T) {
	const size = 100
	when := time.Date(2026, 11, 26, 3, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		host   func(f *fakeHost)
		keep   bool // remove: false
		change func(r *remote)
		note   string
		stays  bool
	}{
		{name: "removed"},
		{name: "removed by an old host", host: func(f *fakeHost) { f.major = "110" }},
		{name: "nobody has said so", keep: true, note: "stays in the account's home and takes 100 B of its quota; remove: true", stays: true},
		{name: "it is another file by now", host: func(f *fakeHost) { f.files[mine].size = 101 }, note: "has 101 B now and not the 100 B that were fetched", stays: true},
		{name: "it was written again", change: func(r *remote) { r.At = when }, host: func(f *fakeHost) { f.files[mine].mtime = when.Add(time.Hour) }, note: "was written again since it was fetched", stays: true},
		{name: "it was not written again", change: func(r *remote) { r.At = when }, host: func(f *fakeHost) { f.files[mine].mtime = when }},
		{name: "it was not fetched", change: func(r *remote) { r.Fetched = false }, stays: true},
		{name: "somebody else's", change: func(r *remote) { r.Others = "x" }, note: "another program may still need it", stays: true},
		{name: "the host says that it did it", host: func(f *fakeHost) { f.stuck = true }, note: "it is still there", stays: true},
		{name: "the host refuses", host: func(f *fakeHost) {
			f.fail["Fileman::delete_file"] = keepwatch.Errorf(keepwatch.KindAttention, "The host refuses: locked.").Because(&callError{Status: 200, Said: []string{"locked"}})
		}, note: "remove it in cPanel (Files, File Manager): The host refuses: locked.", stays: true},
		{name: "gone already", host: func(f *fakeHost) { delete(f.files, mine) }},
		{name: "the answer is lost, and it was done", host: func(f *fakeHost) {
			f.fail["Fileman::delete_file"] = lost(true)
			f.later(15*time.Millisecond, func() { delete(f.files, mine) })
		}},
		{name: "the host is away", host: func(f *fakeHost) { f.down = errDown }, note: "The host does not answer.", stays: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			a := newAccount(f, func(h *keepwatch.Hosting) { h.Remove = !c.keep })
			a.every = 10 * time.Millisecond
			other := "backup-11.25.2026_03-00-00_ruthin.tar.gz"
			f.files[mine], f.files[other] = &fakeFile{size: size}, &fakeFile{size: size}
			r := remote{Version: remoteVersion, Home: "/home/ruthin", Name: mine, Fetched: true, Size: size, Want: want{User: "ruthin"}}
			if c.change != nil {
				c.change(&r)
			}
			if err := r.keep(a.job); err != nil {
				t.Fatal(err)
			}
			if c.host != nil {
				c.host(f)
			}
			notes, err := a.Release(t.Context(), a.job)
			if err != nil || (len(notes) == 0) != (c.note == "") || len(notes) > 0 && !strings.Contains(notes[0].Text, c.note) {
				t.Errorf("%v %v", notes, err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.files[other] == nil || (f.files[mine] != nil) != c.stays {
				t.Errorf("what is left: %v", f.files)
			}
			if c.stays && c.note == "" && slices.Contains(f.calls, "Fileman::delete_file") {
				t.Error("it was to be removed")
			}
		})
	}
}

func TestRefusedCall(t *testing.T) {
	call := &callError{Status: 200, Said: []string{"no"}}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {errors.New("x"), false}, {call, true}, {absent("A", "b"), true},
		{keepwatch.Errorf(keepwatch.KindAttention, "No.").Because(call), true},
		{keepwatch.Errorf(keepwatch.KindTransient, "Later.").Because(&callError{Status: 503}), false},
		{keepwatch.Errorf(keepwatch.KindAttention, "Not authorised.").Because(&callError{Status: 401}), false},
		{keepwatch.Errorf(keepwatch.KindAttention, "Not authorised.").Because(&callError{Status: 200, login: true}), false},
	} {
		if got := refusedCall(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
