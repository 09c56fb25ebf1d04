package cpanel

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func TestInspect(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	full := func(f *fakeHost) {
		f.limit = 10 << 20
		f.files["backup-11.25.2026_03-00-00_ruthin.tar.gz"] = &fakeFile{size: 500, mtime: at("2026-11-25T09:10:00Z"), state: "ready"}
		f.files[mine] = &fakeFile{size: 7, mtime: at("2026-11-26T09:00:00Z"), state: "inprogress"}
		f.files[theirs] = &fakeFile{size: 7, mtime: at("2026-11-26T08:00:00Z"), state: "timeout"}
		f.answers["Backup::list_backups"] = []string{"2026-11-24T00:00:00.000Z", "2026-11-17T00:00:00.000Z", "rubbish"}
		f.answers["Tokens::list"] = []obj{
			{"name": "other", "expires_at": 1796000000, "readonly": 0},
			{"name": "keepwatch", "expires_at": "1800000000", "readonly": "0"},
			{"name": "for-ever", "expires_at": nil},
		}
		f.answers["SSL::installed_hosts"] = []obj{
			{"servername": "ruthin.example", "certificate": obj{"not_after": "1799000000", "is_self_signed": 0, "is_autossl": 0, "domains": []string{"ruthin.example"}}},
			{"servername": "shop.ruthin.example", "certificate": obj{"not_after": 1799000000, "is_self_signed": 0, "is_autossl": 1}},
			{"servername": "old.ruthin.example", "certificate": obj{"not_after": 1799000000, "is_self_signed": 1, "is_autossl": 0}},
		}
	}
	f := newFake(t)
	full(f)
	a := newAccount(f, func(h *keepwatch.Hosting) { h.TokenName = "keepwatch" })
	now := at("2026-11-26T10:00:00Z")
	a.now = func() time.Time { return now }
	state, err := a.Inspect(t.Context(), a.job.Source)
	if err != nil {
		t.Fatal(err)
	}
	name := "backup-11.25.2026_03-00-00_ruthin.tar.gz"
	wantBackups := []keepwatch.ServerBackup{
		{ID: name, At: at("2026-11-25T09:10:00Z"), Size: 500, Kind: "full", Path: "/home/ruthin/" + name, Stays: true},
		{ID: "2026-11-24", At: at("2026-11-24T00:00:00Z")},
		{ID: "2026-11-17", At: at("2026-11-17T00:00:00Z")},
	}
	if d := cmp.Diff(wantBackups, state.Backups); d != "" {
		t.Error(d)
	}
	if state.Software != "cPanel 11.136.0.4" || state.Quota == nil || *state.Quota != (keepwatch.Quota{At: now, Used: 3 << 20, Limit: 10 << 20}) || len(state.Lacks) != 0 {
		t.Errorf("%+v", state)
	}
	var ends []string
	for _, e := range state.Expiring {
		ends = append(ends, e.Name+" "+e.At.Format(time.DateOnly))
		if !strings.HasSuffix(e.How, ".") {
			t.Errorf("%s: %q is no sentence", e.Name, e.How)
		}
	}
	if d := cmp.Diff([]string{"API token keepwatch 2027-01-15", "certificate of web1.example.net:2083 2027-03-01", "certificate of ruthin.example 2027-01-03"}, ends); d != "" {
		t.Error(d)
	}
	for _, call := range f.calls {
		if strings.Contains(call, "fullbackup") || strings.Contains(call, "delete") || strings.Contains(call, "reset") {
			t.Errorf("a look calls %s", call)
		}
	}
}

// TestInspectRotatedHome: where keepwatch.yaml says what the host keeps and the host has
// no backups but those in the home, those are what it rotates away.
func TestInspectRotatedHome(t *testing.T) {
	const name = "backup-11.25.2026_03-00-00_ruthin.tar.gz"
	for _, c := range []struct {
		rotation keepwatch.Rotation
		days     []string
		stays    bool
	}{
		{keepwatch.Rotation{}, nil, true},
		{keepwatch.Rotation{Keeps: 2}, nil, false},
		{keepwatch.Rotation{MaxAge: 28 * 24 * time.Hour}, nil, false},
		{keepwatch.Rotation{Keeps: 2}, []string{"2026-11-24T00:00:00.000Z"}, true},
		{keepwatch.Rotation{}, []string{"2026-11-24T00:00:00.000Z"}, true},
	} {
		f := newFake(t)
		f.files[name] = &fakeFile{size: 500, mtime: time.Date(2026, 11, 25, 9, 10, 0, 0, time.UTC), state: "ready"}
		f.answers["Backup::list_backups"] = c.days
		a := newAccount(f)
		source := a.job.Source
		source.Rotation = c.rotation
		state, err := a.Inspect(t.Context(), source)
		if err != nil || len(state.Backups) != 1+len(c.days) || state.Backups[0].ID != name || state.Backups[0].Stays != c.stays {
			t.Errorf("%+v: %v, %+v", c, err, state.Backups)
		}
	}
}

// TestInspectOfLittle: a host that says hardly anything is looked at all the same.
func TestInspectOfLittle(t *testing.T) {
	for _, c := range []struct {
		name    string
		account func(h *keepwatch.Hosting)
		host    func(f *fakeHost)
		lacks   string
		ends    string
		backups int
		late    bool
		err     string
	}{
		{name: "an old host", host: func(f *fakeHost) {
			f.info, f.major = false, "76"
			f.fail["Quota::get_local_quota_info"] = absent("Quota", "x")
		}, lacks: "runs cPanel 11.76.0.4, which cannot be asked"},
		{name: "the feature is off", host: func(f *fakeHost) { f.feature = map[string]int{"backup": 0} }, lacks: "turned the feature Backup off"},
		{name: "demo mode", host: func(f *fakeHost) { f.demo = 1 }, lacks: "demo mode"},
		{name: "a token that may only read", host: func(f *fakeHost) {
			f.answers["Tokens::list"] = []obj{{"name": "keepwatch", "expires_at": nil, "readonly": 1}}
		}, lacks: "The API token keepwatch may only read"},
		{name: "the token of unknown name that ends first", host: func(f *fakeHost) {
			f.answers["Tokens::list"] = []obj{{"name": "gone", "expires_at": 1}, {"name": "b", "expires_at": 4000000001}, {"name": "a", "expires_at": 4000000000}}
		}, ends: "API token a"},
		{name: "no token of that name", account: func(h *keepwatch.Hosting) { h.TokenName = "kw" }, host: func(f *fakeHost) {
			f.answers["Tokens::list"] = []obj{{"name": "b", "expires_at": nil}}
		}, lacks: "has no API token of the name kw"},
		{name: "a pinned certificate", account: func(h *keepwatch.Hosting) { h.Fingerprint = strings.Repeat("ab", 32) }, ends: "certificate of web1.example.net:2083"},
		{name: "a pinned certificate that has ended works on", account: func(h *keepwatch.Hosting) { h.Fingerprint = strings.Repeat("ab", 32) }, late: true, ends: "-"},
		{name: "it does not say which tokens there are", account: func(h *keepwatch.Hosting) { h.TokenName = "kw" }},
		{name: "WHM knows more", account: func(h *keepwatch.Hosting) { h.WHM = "root" }, host: func(f *fakeHost) {
			f.answers["WHM backup_set_list_combined"] = obj{"backup_set": obj{"ruthin": []obj{{"when": "2026-11-24T00:00:00.000Z", "where": "local"}, {"when": "2026-11-24", "where": "remote"}, {"when": "2026-11-23", "where": "remote"}}, "other": []obj{{"when": "2026-11-01"}}}}
			f.answers["WHM api_token_list"] = obj{"tokens": obj{"kw": obj{"name": "kw", "expires_at": 4000000000}}}
		}, backups: 2, ends: "API token kw"},
		{name: "a reseller may not ask WHM", account: func(h *keepwatch.Hosting) { h.WHM = "reseller" }, host: func(f *fakeHost) {
			f.answers["Backup::list_backups"] = []string{"2026-11-24T00:00:00.000Z"}
		}, backups: 1},
		{name: "away", host: func(f *fakeHost) { f.down = errDown }, err: "The host does not answer."},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			if c.host != nil {
				c.host(f)
			}
			a := newAccount(f)
			if c.account != nil {
				c.account(a.job.Source.Hosting)
			}
			a.now = func() time.Time {
				if c.late {
					return time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)
				}
				return time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
			}
			state, err := a.Inspect(t.Context(), a.job.Source)
			if (err == nil) != (c.err == "") || !strings.Contains(keepwatch.Sentence(err), c.err) {
				t.Fatal(err)
			}
			if lacks := strings.Join(state.Lacks, " "); (lacks == "") != (c.lacks == "") || !strings.Contains(lacks, c.lacks) {
				t.Errorf("lacks %q", lacks)
			}
			if len(state.Backups) != c.backups {
				t.Errorf("%+v", state.Backups)
			}
			if c.ends == "-" && len(state.Expiring) > 0 || c.ends != "" && c.ends != "-" && (len(state.Expiring) == 0 || state.Expiring[0].Name != c.ends) {
				t.Errorf("%+v", state.Expiring)
			}
		})
	}
}

func TestProbes(t *testing.T) {
	for _, c := range []struct {
		name    string
		account func(h *keepwatch.Hosting)
		host    func(f *fakeHost)
		parts   []string
		want    string
	}{
		{name: "parts of a full account", parts: []string{"databases"}, host: func(f *fakeHost) {
			f.limit, f.used, f.major = 100<<20, 99<<20, "76"
			f.answers["Tokens::list"] = []obj{{"name": "keepwatch", "readonly": true}}
		}, want: "certificate ok, sign-in ok, version ok, rights ok, parts ok"},
		{name: "a part that is not there", parts: []string{"database:ruthin_old"}, want: "certificate ok, sign-in ok, version ok, rights ok, parts problem"},
		{name: "parts, and the feature is off", parts: []string{"home"}, host: func(f *fakeHost) { f.feature = map[string]int{"backup": 0} }, want: "certificate ok, sign-in ok, rights problem, version ok"},
		{name: "all is well", host: func(f *fakeHost) {
			f.files[mine] = &fakeFile{size: 5, state: "ready"}
			f.answers["Tokens::list"] = []obj{{"name": "keepwatch", "expires_at": 4000000000}}
		}, want: "certificate ok, sign-in ok, version ok, rights ok, room ok, token ok, download ok"},
		{name: "nothing to download yet", want: "certificate ok, sign-in ok, version ok, rights ok, room ok, download off"},
		{name: "signed out", host: func(f *fakeHost) {
			f.fail["Variables::get_user_information"] = keepwatch.Errorf(keepwatch.KindAttention, "Not authorised.").Because(&callError{Status: 401, login: true})
		}, want: "certificate ok, sign-in problem"},
		{name: "the feature is off", host: func(f *fakeHost) { f.feature = map[string]int{"backup": 0} }, want: "certificate ok, sign-in ok, rights problem, version ok, download off"},
		{name: "too full", host: func(f *fakeHost) { f.limit, f.used = 100<<20, 99<<20 }, want: "certificate ok, sign-in ok, version ok, rights ok, room problem, download off"},
		{name: "nearly full", host: func(f *fakeHost) { f.limit, f.used = 100<<20, 60<<20 }, want: "certificate ok, sign-in ok, version ok, rights ok, room warning, download off"},
		{name: "downloads are closed", host: func(f *fakeHost) {
			f.files[mine] = &fakeFile{size: 5, state: "ready"}
			f.fail["GET /download?skipencode=1&file=%2Fhome%2Fruthin%2F"+mine] = keepwatch.Errorf(keepwatch.KindAttention, "A page came.")
		}, want: "certificate ok, sign-in ok, version ok, rights ok, room ok, download problem"},
		{name: "a receiver that is not there", account: func(h *keepwatch.Hosting) { h.Push = &keepwatch.Push{Folder: "/nonexistent/folder"} }, want: "certificate ok, sign-in ok, version ok, rights ok, room ok, receiver problem"},
		{name: "a token that ends soon", host: func(f *fakeHost) {
			f.answers["Tokens::list"] = []obj{{"name": "keepwatch", "expires_at": time.Now().Add(72 * time.Hour).Unix()}}
		}, want: "certificate ok, sign-in ok, version ok, rights ok, room ok, token warning, download off"},
		{name: "a token that may only read", host: func(f *fakeHost) {
			f.answers["Tokens::list"] = []obj{{"name": "keepwatch", "readonly": true}}
		}, want: "certificate ok, sign-in ok, version ok, rights problem, room ok, download off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			if c.host != nil {
				c.host(f)
			}
			a := newAccount(f)
			if c.account != nil {
				c.account(a.job.Source.Hosting)
			}
			a.job.Source.Parts = c.parts
			a.now = func() time.Time { return time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC) }
			if strings.Contains(c.name, "ends soon") {
				a.now = func() time.Time { return time.Now().Add(-48 * time.Hour) }
			}
			var got []string
			for _, p := range a.Probes(t.Context(), a.job.Source) {
				got = append(got, strings.TrimPrefix(p.Name, "source ruthin-web ")+" "+string(p.Status))
				if p.Text == "" || !strings.ContainsAny(p.Text[len(p.Text)-1:], ".") {
					t.Errorf("%s says %q", p.Name, p.Text)
				}
			}
			if d := cmp.Diff(c.want, strings.Join(got, ", ")); d != "" {
				t.Error(d)
			}
		})
	}
}
