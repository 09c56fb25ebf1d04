package keepwatch_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// hosting gives an archive of a hosting account of a day in November 2026.
func hosting(n int, files int64, databases, domains string) keepwatch.Archive {
	a := at(day("2026-11-01 00:00").AddDate(0, 0, n))
	a.Items, a.Bytes = 1, 1<<30
	a.Inside = &keepwatch.Inside{Files: files, Bytes: 3 << 30, Databases: strings.Fields(databases), Domains: strings.Fields(domains)}
	return a
}

// TestWhatIsInsideIsWeighed: although the archive is one file, and may be as large as
// before. No finding names what is inside.
func TestWhatIsInsideIsWeighed(t *testing.T) {
	before := hosting(0, 1000, "ruthin_shop ruthin_wp", "ruthin.example shop.example")
	of := func(a keepwatch.Archive, account string) keepwatch.Archive { a.Inside.Account = account; return a }
	unknown := hosting(0, 0, "", "")
	unknown.Inside = nil
	for _, c := range []struct {
		name        string
		before, now keepwatch.Archive
		want        string
		text        string
	}{
		{"as before", before, hosting(1, 1000, "ruthin_shop ruthin_wp", "ruthin.example shop.example"), "", ""},
		{"more of everything", before, hosting(1, 9000, "ruthin_new ruthin_shop ruthin_wp", "new.example ruthin.example shop.example"), "", ""},
		{"another account", of(hosting(0, 9, "a", ""), "ruthin at web1.example.net"), of(hosting(1, 9, "a", ""), "denbigh at web1.example.net"), "account", "It is of another account, or of another host, than the one before it. Where the account has moved, that is right; another account belongs into a source of its own, so that its archives do not push out those of this one."},
		{"the same account", of(hosting(0, 9, "a", ""), "ruthin at web1.example.net"), of(hosting(1, 9, "a", ""), "ruthin at web1.example.net"), "", ""},
		{"an account that nobody wrote down", hosting(0, 9, "a", ""), of(hosting(1, 9, "a", ""), "ruthin at web1.example.net"), "", ""},
		{"half of the files", before, hosting(1, 500, "ruthin_shop ruthin_wp", "ruthin.example shop.example"), "", ""},
		{"under half of the files", before, hosting(1, 499, "ruthin_shop ruthin_wp", "ruthin.example shop.example"), "files", "It has far fewer files inside than one before it: 499 instead of 1,000."},
		{"no files", before, hosting(1, 0, "ruthin_shop ruthin_wp", "ruthin.example shop.example"), "files", "0 instead of 1,000"},
		{"the only file is gone", hosting(0, 1, "", ""), hosting(1, 0, "", ""), "files", "0 instead of 1."},
		{"one of three files", hosting(0, 3, "", ""), hosting(1, 1, "", ""), "", ""},
		{"a database is gone", before, hosting(1, 1000, "ruthin_wp", "ruthin.example shop.example"), "databases", "Of the 2 databases in the one before it, 1 is missing."},
		{"all are gone", before, hosting(1, 1000, "", "ruthin.example shop.example"), "databases", "Of the 2 databases in the one before it, 2 are missing."},
		{"another one came", before, hosting(1, 1000, "ruthin_new ruthin_wp", "ruthin.example shop.example"), "databases", "1 is missing"},
		{"a domain is gone", before, hosting(1, 1000, "ruthin_shop ruthin_wp", "ruthin.example"), "domains", "Of the 2 domains in the one before it, 1 is missing."},
		{"everything is gone", before, hosting(1, 0, "", ""), "files databases domains", ""},
		{"nobody looked into the one before it", unknown, hosting(1, 10, "a", "b.example"), "", ""},
	} {
		found := keepwatch.Suspect(c.now, []keepwatch.Archive{c.before})
		var rules, texts []string
		for _, f := range found {
			rules, texts = append(rules, f.Rule), append(texts, f.Text)
		}
		text := strings.Join(texts, " ")
		if got := strings.Join(rules, " "); got != c.want || !strings.Contains(text, c.text) {
			t.Errorf("%s: %q, want %q with %q: %s", c.name, got, c.want, c.text, text)
		}
		if strings.Contains(text, "ruthin") || strings.Contains(text, "example") {
			t.Errorf("%s: a name from inside is in %q", c.name, text)
		}
	}
	a := hosting(1, 1000, "", "")
	a.Inside = nil
	if found := keepwatch.Suspect(a, []keepwatch.Archive{before}); len(found) > 0 {
		t.Errorf("nobody looked into it: %v", found)
	}
}

// TestALossInsideIsToldUntilItIsAccepted: also when it goes on for days, and when files
// go by a little less than half each day while only one archive is kept.
func TestALossInsideIsToldUntilItIsAccepted(t *testing.T) {
	told := func(accept int, days ...keepwatch.Archive) []string {
		var list []string
		left := life(keepwatch.Keep{Last: 1}, days, func(n int) bool { return n == accept })
		for _, a := range left {
			var rules []string
			for _, f := range a.Findings {
				rules = append(rules, f.Rule)
			}
			list = append(list, strings.Join(rules, " "))
		}
		return list
	}
	whole, less := hosting(0, 10, "a b", ""), hosting(0, 10, "a", "")
	if got := told(-1, whole, less, less, less); !slices.Equal(got, []string{"", "databases", "databases", "databases"}) {
		t.Errorf("a database that is gone: %q", got)
	}
	if got := told(1, whole, less, less, less); !slices.Equal(got, []string{""}) {
		t.Errorf("a database that is gone on purpose: %q", got)
	}
	of := func(files int64) keepwatch.Archive { return hosting(0, files, "", "") }
	if got := told(-1, of(1000), of(600), of(350)); !slices.Equal(got, []string{"", "files"}) {
		t.Errorf("files that go little by little: %q", got)
	}
	if got := told(2, of(1000), of(600), of(350), of(300)); !slices.Equal(got, []string{""}) {
		t.Errorf("files that went on purpose: %q", got)
	}
	if p := keepwatch.PeakOf(of(1), []keepwatch.Archive{of(9)}); p.Files != 0 {
		t.Errorf("an archive of the same time came before: %+v", p)
	}
	newest := hosting(5, 1, "", "")
	if p := keepwatch.PeakOf(newest, []keepwatch.Archive{of(9)}); p.Files != 9 || !p.Since.Equal(time.Time{}) {
		t.Errorf("%+v", p)
	}
}

// TestAccount: an account is the same one in whatever way it is reached.
func TestAccount(t *testing.T) {
	for url, want := range map[string]string{
		"https://web1.example.net:2083": "ruthin at web1.example.net", "https://web1.example.net:2087": "ruthin at web1.example.net",
		"https://[2001:db8::1]:2083": "ruthin at [2001:db8::1]", "https://[2001:db8::1]": "ruthin at [2001:db8::1]", "https://web1.example.net": "ruthin at web1.example.net",
	} {
		if got := (keepwatch.Hosting{URL: url, User: "ruthin", WHM: "root"}).Account(); got != want {
			t.Errorf("%s: %q", url, got)
		}
	}
}
