package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/mem"
	"keepwatch/vault"
)

// TestVaultIsMarkedOnceItHoldsSomething: an empty folder may be the place at which
// a disk is not mounted yet, and must not be taken for the vault later.
func TestVaultIsMarkedOnceItHoldsSomething(t *testing.T) {
	dir := t.TempDir()
	v, err := vault.Open(vault.Config{Dir: dir, Recipients: []string{"age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"}, Look: true})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{settings: settings{config: config{Vault: vaultConfig{Dir: dir}}}, vault: v, records: store.NewRecords(mem.New(), time.Now), log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	a.markVault()
	if vault.Marked(dir) {
		t.Error("an empty folder is marked")
	}
	archive := keepwatch.Archive{Source: "docs", Stamp: "2026-11-26T000000Z", Started: time.Now()}
	if err := a.records.SaveArchive(archive); err != nil {
		t.Fatal(err)
	}
	if err := a.placeNow(); err == nil {
		t.Error("a folder without the archive is taken for the vault")
	}
	a.markVault()
	if vault.Marked(dir) {
		t.Error("a folder that holds none of the archives is marked")
	}
	if err := os.MkdirAll(filepath.Join(dir, archive.Ref()), 0o700); err != nil {
		t.Fatal(err)
	}
	a.markVault()
	if err := a.placeNow(); err != nil || !vault.Marked(dir) {
		t.Errorf("not marked: %v", err)
	}
}
