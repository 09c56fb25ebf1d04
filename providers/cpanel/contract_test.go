package cpanel

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func TestContract(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Contract() {
		key := string(e.API) + " " + e.Name()
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if e.Source == "" || len(e.Verbs) == 0 || e.Function == "" {
			t.Errorf("%s is not complete", key)
		}
		if e.Upload != "" && !cmp.Equal(e.Verbs, []string{http.MethodPost}) || e.Secret && e.verb() != http.MethodPost {
			t.Errorf("%s must be posted", key)
		}
	}
	c := testClient(t, keepwatch.Hosting{URL: "https://127.0.0.1:1", User: "u", Token: keepwatch.NewSecret(testToken)}, nil)
	ctx := soon(t)
	for name, err := range map[string]error{
		"unknown function":        c.uapi(ctx, "Backup", "create_backup", nil, nil),
		"unknown of API 2":        c.api2(ctx, "Backups", "delete", nil, nil),
		"required is missing":     c.uapi(ctx, "Fileman", "list_files", nil, nil),
		"unknown parameter":       c.uapi(ctx, "Quota", "get_quota_info", url.Values{"x": {"1"}}, nil),
		"no upload":               c.send(ctx, 0, "Quota", "get_quota_info", nil, "file", "x", strings.NewReader(""), 0, nil),
		"unknown part":            c.send(ctx, 0, "Backup", "restore_databases", nil, "backup", "x", strings.NewReader(""), 0, nil),
		"unknown field of upload": c.send(ctx, 0, "Fileman", "upload_files", url.Values{"x": {"1"}}, "file-0", "x", strings.NewReader(""), 0, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "contract") && !strings.Contains(err.Error(), "missing") {
			t.Errorf("%s: %v", name, err)
		}
	}
	wants(t, c.whm(ctx, "version", nil, nil), keepwatch.KindInvalid, "Set whm:")
}

// TestContractIsUsed: the contract names what is called, and nothing else.
func TestContractIsUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var shipped strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "contract") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shipped.Write(text)
	}
	for _, e := range Contract() {
		if !strings.Contains(shipped.String(), `"`+e.Function) {
			t.Errorf("%s is called nowhere", e.Name())
		}
	}
}
