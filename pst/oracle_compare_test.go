package pst_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// byID makes a map of items by their folder and Message-ID.
func byID(all []seen) map[string]seen {
	m := map[string]seen{}
	for _, it := range all {
		m[it.Folder+" "+it.ID] = it
	}
	return m
}

// same holds what a reader found against what is there, after both were changed to
// what that reader can know. It tells which items are missing, which are too many, and how
// the first few differ.
func same(t testing.TB, name string, want, got []seen, change ...func(*seen)) {
	t.Helper()
	want, got = changed(want, change), changed(got, change)
	if len(got) != len(want) {
		t.Errorf("%s finds %d items, there are %d", name, len(got), len(want))
	}
	w, g := byID(want), byID(got)
	bad := 0
	for _, key := range slices.Sorted(maps.Keys(w)) {
		have, ok := g[key]
		if !ok {
			if bad++; bad <= 5 {
				t.Errorf("%s does not find %s", name, key)
			}
			continue
		}
		if diff := gocmp.Diff(w[key], have, cmpopts.EquateEmpty()); diff != "" {
			if bad++; bad <= 5 {
				t.Errorf("%s reads something else of %s (- is right):\n%s", name, key, tailOf(diff))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(g)) {
		if _, ok := w[key]; !ok {
			if bad++; bad <= 5 {
				t.Errorf("%s finds %s, which is not there", name, key)
			}
		}
	}
	if bad > 5 {
		t.Errorf("%s: %d items differ in all", name, bad)
	}
}

// changed works on a copy, embedded messages too.
func changed(all []seen, change []func(*seen)) []seen {
	if len(change) == 0 {
		return all
	}
	all = slices.Clone(all)
	for i := range all {
		alter(&all[i], change)
	}
	return all
}

func alter(it *seen, change []func(*seen)) {
	it.Attachments = slices.Clone(it.Attachments)
	it.Recipients = slices.Clone(it.Recipients)
	for i := range it.Attachments {
		if inner := it.Attachments[i].Item; inner != nil {
			c := *inner
			it.Attachments[i].Item = &c
			alter(&c, change)
		}
	}
	for _, fn := range change {
		fn(it)
	}
}

// asPypff: the Python binding of libpff of 2018 has no function for recipients, nor for
// what an embedded message holds.
func asPypff(it *seen) {
	it.Recipients = nil
	for i := range it.Attachments {
		if a := &it.Attachments[i]; a.Item != nil || strings.HasPrefix(a.Name, embeddedName) {
			it.Attachments[i] = seenAttachment{Name: a.Name}
		}
	}
}

// embeddedName begins the names of embedded messages that the generator makes.
const embeddedName = "Message: "

// asPffexport: names of attachments are known as names of files, in which libpff
// replaces what is special, and the dumps have no content ids. Of an embedded message
// there is no name.
func asPffexport(it *seen) {
	for i := range it.Attachments {
		a := &it.Attachments[i]
		a.Name, a.CID = cleanName(a.Name), ""
		if a.Item != nil {
			a.Name = ""
		}
	}
}

// cleanName: no more is compared than letters and digits.
func cleanName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, s)
}

// asReadpst keeps what a mail can say that libpst wrote: seconds, no time of arrival,
// lines that end with LF, an end of a line at the end of each body, attachments in
// the reverse order, a subject whose header may be folded.
func asReadpst(it *seen) {
	it.Received, it.Headers = time.Time{}, ""
	it.Sent = it.Sent.Truncate(time.Second)
	it.Text, it.HTML = mailLines(it.Text), mailLines(it.HTML)
	it.Subject = strings.Join(strings.Fields(it.Subject), " ")
	slices.SortFunc(it.Attachments, func(a, b seenAttachment) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.SHA256, b.SHA256), strings.Compare(innerID(a), innerID(b)))
	})
}

func innerID(a seenAttachment) string {
	if a.Item == nil {
		return ""
	}
	return a.Item.ID
}

func mailLines(s string) string {
	return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\r\n")
}

// TestSameCanGoRed: a comparison finds what differs, what lacks and what is too many.
func TestSameCanGoRed(t *testing.T) {
	one, other := seen{ID: "1", Subject: "a"}, seen{ID: "1", Subject: "b"}
	for _, c := range []struct {
		want, got []seen
		good      bool
	}{
		{[]seen{one}, []seen{one}, true}, {[]seen{one}, []seen{other}, false}, {[]seen{one}, nil, false}, {nil, []seen{one}, false},
	} {
		r := &complaints{TB: t}
		same(r, "a reader", c.want, c.got)
		if (len(r.said) == 0) != c.good {
			t.Errorf("%v and %v: %v", c.want, c.got, r.said)
		}
	}
}

// complaints takes the errors of a comparison that ought to fail.
type complaints struct {
	testing.TB
	said []string
}

func (r *complaints) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *complaints) Helper() {}
