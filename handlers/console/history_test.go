package console

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNoSecretInTheHistory: a password that was typed by mistake is not in a file for
// 500 lines more, nor is it taken over from one.
func TestNoSecretInTheHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	const typed = "/authenticator custody vault-key hunter2XYZ99"
	if err := os.WriteFile(file, []byte("/backup list\n"+typed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := openHistory(file)
	h.add(typed)
	h.add("/authenticator checked alis-iphone 2026-11-20")
	data, err := os.ReadFile(file)
	if want := "/backup list\n/authenticator checked alis-iphone 2026-11-20\n"; err != nil || string(data) != want || len(h.lines) != 2 {
		t.Errorf("%q, %v", data, err)
	}
}
