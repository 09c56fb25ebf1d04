package spool_test

import (
	"os"
	"path/filepath"
	"testing"
)

// copyFolder copies what is on disk now.
func copyFolder(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	must(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// files gives those of run 1.
func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "run-1", pattern))
	must(t, err)
	return all
}
