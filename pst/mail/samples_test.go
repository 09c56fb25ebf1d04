package mail_test

import (
	"os"
	"path/filepath"
	"testing"

	"keepwatch/pst/psttest"
)

// samples are the mails that lie beside the project and not in it. CI has them, so
// that without them the test fails.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	dir := psttest.Sample(t, "mail", "enmime-MIT")
	glob(t, all, filepath.Join(dir, "*.raw"))
	if len(all) < 40 {
		t.Fatalf("there are only %d samples", len(all))
	}
	return all
}

// pythonSamples are the mails of the tests of Python's email package, where they are
// installed: libpython3-testsuite of Debian.
func pythonSamples(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	glob(t, all, "/usr/lib/python3*/test/test_email/data/msg_*.txt")
	glob(t, all, "/usr/local/lib/python3*/test/test_email/data/msg_*.txt")
	if len(all) == 0 && os.Getenv("CI") != "" {
		t.Error("the mails of Python's tests are not there: apt-get install libpython3.11-testsuite")
	}
	return all
}

func glob(t testing.TB, to map[string][]byte, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		to[filepath.Base(f)] = data
	}
}
