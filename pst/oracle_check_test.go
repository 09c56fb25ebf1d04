package pst_test

import (
	"os"
	"testing"

	"keepwatch/pst/check"
)

// sound has the strict checker look at a file: it must have nothing to say, not even
// that Outlook's own files are otherwise, and must have seen so many messages.
func sound(t testing.TB, name string, messages int) {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.File(in, info.Size(), check.Options{Max: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		t.Errorf("the checker: %v", f)
	}
	if report.Truncated || int(report.Messages) != messages {
		t.Errorf("the checker saw %d messages, there are %d; truncated: %v", report.Messages, messages, report.Truncated)
	}
}
