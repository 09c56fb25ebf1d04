package cpanel_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/cpanel/cpaneltest"
)

func TestPlanReturn(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	var full bytes.Buffer
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Domains: []string{"ruthin.example", "second.example"}, Files: map[string][]byte{"x": []byte("x"), ".cpanel/filter.yaml": []byte("filter: []\n")}, Databases: map[string]string{"ruthin_wp": "x", "ruthin_shop": "y"}}
	if err := cpaneltest.WriteArchive(&full, spec, noon); err != nil {
		t.Fatal(err)
	}
	one := b.shelf.set(1, map[string][]byte{fullOfTest: full.Bytes()})
	two := b.shelf.set(2, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("x"), "databases/readme.txt": []byte("x"), "home/backup-ruthin.example-11-25-2026.tar.gz": gz("x"), "other/x": []byte("x")})
	seen := b.shelf.set(3, map[string][]byte{"backup-11.26.2026_06-00-00_ruthin.tar.gz": []byte("not read")})
	seen.Archive.Inside = &keepwatch.Inside{Files: 3, Databases: []string{"ruthin_blog", "ruthin_pg"}, Domains: []string{"ruthin.example", "www.ruthin.example"}, Postgres: []string{"ruthin_pg"},
		Mail: &keepwatch.InsideMail{Forwarders: []string{"ruthin.example"}, Filters: true}}
	bare := b.shelf.set(8, map[string][]byte{"backup-12.1.2026_06-00-00_ruthin.tar.gz": []byte("not read")})
	bare.Archive.Inside = &keepwatch.Inside{Files: 3, Domains: []string{"ruthin.example"}, Mail: &keepwatch.InsideMail{}}
	old := b.shelf.set(9, map[string][]byte{fullOfTest: full.Bytes()}) // of which less was written down
	old.Archive.Inside = &keepwatch.Inside{Files: 3, Databases: []string{"ruthin_pg"}, Domains: []string{"ruthin.example"}}
	for name, c := range map[string]struct {
		sets  []providers.Set
		parts []string
		want  []string
	}{
		"all of a full one": {[]providers.Set{one}, nil, []string{"24 home directory", "24 database ruthin_shop", "24 database ruthin_wp", "24 e-mail forwarders of ruthin.example", "24 e-mail forwarders of second.example", "24 e-mail filters"}},
		"databases":         {[]providers.Set{two, one}, []string{"databases"}, []string{"24 database ruthin_shop", "24 database ruthin_wp", "25 database ruthin_wp"}},
		"one database":      {[]providers.Set{two, one}, []string{"database:ruthin_shop"}, []string{"24 database ruthin_shop"}},
		"home":              {[]providers.Set{two, one}, []string{"home"}, []string{"24 home directory", "25 home directory"}},
		"as it was seen":    {[]providers.Set{seen}, nil, []string{"26 home directory", "26 database ruthin_blog", "26 e-mail forwarders of ruthin.example", "26 e-mail filters"}},
		"without any mail":  {[]providers.Set{bare}, nil, []string{"1 home directory"}},
		"not looked for":    {[]providers.Set{old}, []string{"databases", "filters"}, []string{"2 database ruthin_shop", "2 database ruthin_wp", "2 e-mail filters"}},
	} {
		plan, err := b.Plan(t.Context(), c.sets, c.parts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, names(plan)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	plan, err := b.Plan(t.Context(), []providers.Set{one, two}, nil)
	if err != nil {
		t.Fatal(err)
	}
	not := strings.Join(plan.Not, "\n")
	for _, want := range []string{"DNS zones", "users of databases with their rights", "in WHM under Transfers", "backup restore web/2026-11-24T120000Z --to FOLDER", "databases/readme.txt", "other/x"} {
		if !strings.Contains(not, want) {
			t.Errorf("%q is not told: %s", want, not)
		}
	}
	if plan, err := b.Plan(t.Context(), []providers.Set{seen}, nil); err != nil || !strings.Contains(strings.Join(plan.Not, "\n"), "The PostgreSQL database ruthin_pg cannot be put back") {
		t.Errorf("%q, %v", plan.Not, err)
	}
	again := b.shelf.set(7, map[string][]byte{fullOfTest: full.Bytes()})
	if plan, err := b.Plan(t.Context(), []providers.Set{again, one}, nil); err != nil || len(plan.Not) != 2 || !strings.Contains(plan.Not[0], again.Archive.Ref()) {
		t.Errorf("of two full backups it is said twice what only an administrator can: %q, %v", plan.Not, err)
	}
	if diff := cmp.Diff([]string{"database:ruthin_shop", "database:ruthin_wp", "databases", "filters", "forwarders", "home"}, plan.Known); diff != "" {
		t.Error(diff)
	}
	if plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(6, map[string][]byte{"x": nil})}, nil); err != nil || len(plan.Items) != 0 || len(plan.Not) != 1 {
		t.Errorf("%+v, %v", plan, err)
	}
	for name, c := range map[string]struct {
		set   providers.Set
		parts []string
		want  string
	}{
		"unknown part":    {one, []string{"database:ruthin_none"}, "What can be put back: databases, filters, forwarders, home, database:ruthin_shop, database:ruthin_wp."},
		"not in it":       {b.shelf.set(4, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("x")}), []string{"home"}, "home is not in web/2026-11-27T120000Z"},
		"another account": {b.shelf.set(5, map[string][]byte{"backup-11.23.2026_06-00-00_alis.tar.gz": full.Bytes()}), nil, "is of the account alis"},
	} {
		_, err := b.Plan(t.Context(), []providers.Set{c.set}, c.parts)
		if keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPlanReturnOfAnotherAccount: a source may have come to mean another account, by a
// line in keepwatch.yaml, and what is its archives' must not go there unnoticed.
func TestPlanReturnOfAnotherAccount(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	for _, c := range []struct {
		of   string
		mind string // "": nothing is said
		err  string
	}{
		{of: "ruthin at 127.0.0.1"},
		{of: "ruthin at web0.example.net", mind: "is of the account ruthin at web0.example.net, and it would go into ruthin at 127.0.0.1"},
		{of: "", mind: "was not written down"},
		{of: "denbigh at 127.0.0.1", err: "is of the account denbigh, and keepwatch.yaml now says ruthin. Nothing is put back into another account."},
	} {
		set := b.shelf.set(1, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("x")})
		set.Archive.Inside = &keepwatch.Inside{Databases: []string{"ruthin_wp"}, Account: c.of}
		plan, err := b.Plan(t.Context(), []providers.Set{set}, nil)
		if got := keepwatch.Sentence(err); !strings.Contains(got, c.err) || (err == nil) != (c.err == "") {
			t.Errorf("%q: %v", c.of, err)
		}
		mind := strings.Join(plan.Mind, "\n")
		if !strings.Contains(mind, c.mind) || c.mind == "" && mind != "" {
			t.Errorf("%q: %s", c.of, mind)
		}
		for _, item := range plan.Items {
			if item.Into != "ruthin at 127.0.0.1" {
				t.Errorf("%q: %+v", c.of, item)
			}
		}
	}
	// It was confirmed for another account than the one that there is now.
	set := b.shelf.set(2, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("x")})
	plan, err := b.Plan(t.Context(), []providers.Set{set}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan.Items[0].Into = "ruthin at web0.example.net"
	var r record
	_, err = b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "web0.example.net was confirmed") || len(b.carried()) != 0 || len(b.host.Calls()) != 0 {
		t.Errorf("%v, %q", err, b.carried())
	}
}

// TestPlanReturnOfHundreds: what is asked for and not there leads to a sentence, and not
// to all that there is.
func TestPlanReturnOfHundreds(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	files := map[string][]byte{"home/backup-ruthin.example-11-25-2026.tar.gz": gz("x")}
	for i := range 300 {
		files[fmt.Sprintf("databases/ruthin_%03d.sql.gz", i)] = gz("x")
	}
	_, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(1, files)}, []string{"database:ruthin_none"})
	if got := keepwatch.Sentence(err); len(got) > 500 || !strings.Contains(got, "databases, home, database:ruthin_000, ") || !strings.Contains(got, "and 292 more") {
		t.Error(got)
	}
}
