package cpanel

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadName(t *testing.T) {
	for _, c := range []struct {
		name, at, user string
		ok             bool
	}{
		{"backup-10.1.2014_08-21-00_bfumcweb.tar.gz", "2014-10-01T08:21:00", "bfumcweb", true},
		{"backup-5.6.2012_09-01-42_mysite.tar.gz", "2012-05-06T09:01:42", "mysite", true},
		{"backup-11.26.2026_03-00-00.tar.gz", "2026-11-26T03:00:00", "", true},
		{"backup-2.30.2026_03-00-00_ruthin.tar.gz", "", "", false},
		{"backup-13.1.2026_03-00-00_ruthin.tar.gz", "", "", false},
		{"backup-11.26.2026_24-00-00_ruthin.tar.gz", "", "", false},
		{"backup-ruthin.example-11-26-2026.tar.gz", "", "", false},
		{"backup-11.26.2026_03-00-00_ruthin.tar.gz.part", "", "", false},
		{"backup-11.26.2026_03-00-00_../x.tar.gz", "", "", false},
		{"", "", "", false},
	} {
		got, ok := readName(c.name)
		at := ""
		if ok {
			at = got.at.Format("2006-01-02T15:04:05")
		}
		if ok != c.ok || at != c.at || got.user != c.user {
			t.Errorf("%q: %v %q %q", c.name, ok, at, got.user)
		}
	}
}

func TestIsBackup(t *testing.T) {
	for name, want := range map[string]bool{
		"backup-11.26.2026_03-00-00_ruthin.tar.gz":   true,
		"backup-11.26.2026_03-00-00.tar.gz":          true,
		"backup-11.128.0.6_2026-06-23_ruthin.tar.gz": true, // cPanel's own sample
		"backup-11.26.2026_03-00-00_other.tar.gz":    false,
		"backup-11.26.2026_03-00-00_myruthin.tar.gz": false,
		"backup-ruthin.example-11-26-2026.tar.gz":    false,
		"notes.tar.gz": false,
		"backup-11.26.2026_03-00-00_ruthin.tar.gz~": false,
	} {
		if got := isBackup(name, "ruthin"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A backup that somebody has copied back is of when it was made, and not newer than all
// that was made since: a restore goes by that.
func TestMadeIsNotWhenItWasCopied(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.DateTime, text)
		if err != nil && text != "" {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct{ name, mtime, want string }{
		{"backup-11.12.2026_03-00-00_ruthin.tar.gz", "2026-11-12 09:07:00", "2026-11-12 09:07:00"}, // in Chicago, a few minutes long
		{"backup-11.12.2026_03-00-00_ruthin.tar.gz", "2026-11-11 13:30:00", "2026-11-11 13:30:00"}, // in Kiritimati
		{"backup-11.12.2026_03-00-00_ruthin.tar.gz", "2026-11-26 06:19:00", "2026-11-12 03:00:00"}, // copied back
		{"backup-11.12.2026_03-00-00_ruthin.tar.gz", "2026-11-01 06:19:00", "2026-11-12 03:00:00"},
		{"backup-11.12.2026_03-00-00_ruthin.tar.gz", "", "2026-11-12 03:00:00"},
		{"backup-11.128.0.6_2026-06-23_ruthin.tar.gz", "2026-06-23 06:19:00", "2026-06-23 06:19:00"},
		{"backup-11.128.0.6_2026-06-23_ruthin.tar.gz", "", ""},
	} {
		var mtime time.Time
		if c.mtime != "" {
			mtime = at(c.mtime)
		}
		if got := (heldFile{name: c.name, mtime: mtime}).made(); !got.Equal(at(c.want)) {
			t.Errorf("%s of %s: %s", c.name, c.mtime, got)
		}
	}
}

func TestFreshIsOldestFirst(t *testing.T) {
	at := time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)
	files := []heldFile{
		{name: "backup-11.26.2026_03-00-05_ruthin.tar.gz", mtime: at},
		{name: "backup-9.26.2026_03-00-00_ruthin.tar.gz", mtime: at},
		{name: "backup-11.26.2026_03-00-04_ruthin.tar.gz", mtime: at.Add(time.Minute)}, // it grows for longer
	}
	var got []string
	for _, f := range fresh(files, []mark{{Name: "backup-9.26.2026_03-00-00_ruthin.tar.gz", Size: 1}}) {
		got = append(got, f.name)
	}
	if d := cmp.Diff([]string{"backup-11.26.2026_03-00-04_ruthin.tar.gz", "backup-11.26.2026_03-00-05_ruthin.tar.gz"}, got); d != "" {
		t.Error(d)
	}
}

func TestStateOf(t *testing.T) {
	for word, want := range map[string]backupState{
		"inprogress": stateWriting, "In Progress": stateWriting, "pending": stateWriting, "ready": stateReady, "complete": stateReady,
		"completed": stateReady, "timeout": stateStale, "timed_out": stateStale, "": stateUnknown, "none": stateUnknown, "0": stateUnknown,
	} {
		if got := stateOf(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
}

func TestPartialName(t *testing.T) {
	if got := partialName("ruthin.example", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)); got != "backup-ruthin.example-1-2-2026.tar.gz" {
		t.Error(got)
	}
}

// TestBriefly: what a host says is part of a sentence of ours, and nothing more.
func TestBriefly(t *testing.T) {
	for said, want := range map[string]string{
		"  It is full. ":                      "It is full.",
		"a\n✓ Verified\r\n\tb":                "a ✓ Verified b",
		"a\x1b[2Jb\u202ec":                    `a\x1b[2Jb\u202ec`,
		"":                                    "",
		"<!channel> @everyone":                "<!channel> @everyone", // a front-end's to make harmless
		strings.Repeat("ŵ", 2000) + " at end": strings.Repeat("ŵ", 150) + " […] " + strings.Repeat("ŵ", 146) + " at end",
	} {
		if got := briefly(said); got != want {
			t.Errorf("%.40q: %q", said, got)
		}
	}
}

// TestMade: where a host does not say when a file was written, its name does.
func TestMade(t *testing.T) {
	written := time.Date(2026, 11, 26, 2, 5, 0, 0, time.UTC)
	for want, f := range map[string]heldFile{
		"2026-11-26T02:05:00Z": {name: mine, mtime: written},
		"2026-11-26T03:00:10Z": {name: mine},
		"0001-01-01T00:00:00Z": {name: "backup-11.128.0.6_2026-06-23_ruthin.tar.gz"},
	} {
		if got := f.made().Format(time.RFC3339); got != want {
			t.Errorf("%+v: %s", f, got)
		}
	}
}
