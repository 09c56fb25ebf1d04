// Package psttest finds the files that tests of Outlook data files read: samples that
// lie beside the project and not in it. CI has them, so that a test without them fails
// there; elsewhere it is skipped.
package psttest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Sample gives the path of a file or folder of samples, such as "mail", "enmime-MIT".
func Sample(t testing.TB, parts ...string) string {
	t.Helper()
	root, err := project()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(append([]string{root, "..", "shared", "samples"}, parts...)...)
	_, err = os.Stat(path)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skipf("the sample files are not beside this checkout: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Outlook reads a data file that real Outlook wrote, such as "ms-Empty.pst".
func Outlook(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(Sample(t, "pst", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// GoPST gives the paths of the data files in the module github.com/mooijtech/go-pst, which
// only pst/testdata/gopst uses: `go mod download` there brings it into the module cache.
func GoPST(t testing.TB) []string {
	t.Helper()
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(cache)), "github.com", "mooijtech", "go-pst", "v6@v6.0.2", "data", "*.pst"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 && os.Getenv("CI") != "" {
		t.Fatal("go-pst v6.0.2 is not in the module cache, and CI has it there")
	}
	return files
}

// project is the folder of go.mod: a test runs in the folder of its package.
func project() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod in any folder above")
		}
		dir = up
	}
}
