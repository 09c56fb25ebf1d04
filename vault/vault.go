// Package vault keeps archives at rest. An archive is a folder of sealed files
// that opens without us:
//
//	<vault>/<source>/<UTC start>/
//	  manifest.json             what it is; no name from inside
//	  contents.jsonl.zst.age    one line a file: path, size, mode, time, SHA-256
//	  <name>.tar.zst.age        the tree, or a single file as it came
//	  SHA256SUMS                of the files in this folder
//
// Sealing is one streaming pass (read, hash, pack, compress, encrypt, hash,
// write) whose memory does not grow with size. An archive is written in
// <vault>/.staging, synced, and renamed into place, so that what stands under a
// source's folder is whole. Sealing uses age (age-encryption.org/v1), zstd
// (RFC 8878) and PAX tar (POSIX.1-2001).
package vault

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"keepwatch"
)

// Config says where a vault lies and with what it is sealed.
type Config struct {
	Dir          string             // the vault folder; made where it is missing
	Recipients   []string           // age public keys; empty: those of the identity file
	IdentityFile string             // age secret keys; missing: nothing can be opened
	Now          func() time.Time   // nil: time.Now
	Crash        func(point string) // tests end the process at a named point; nil: never
}

// Vault is a folder of archives. Its methods may be called from any goroutine.
type Vault struct {
	dir   string
	keys  keys
	now   func() time.Time
	crash func(string)

	publishing sync.Mutex // one archive is renamed into place at a time
}

// Folders of the vault that hold no archive. No source's name begins with a dot.
const (
	stagingDir = ".staging"
	trashDir   = ".trash"
)

// Open opens a vault: it reads the keys and makes the folder.
func Open(cfg Config) (*Vault, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	k, err := loadKeys(cfg.Recipients, cfg.IdentityFile)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, trouble("The vault folder "+cfg.Dir+" cannot be made", err)
	}
	return &Vault{dir: cfg.Dir, keys: k, now: cfg.Now, crash: cfg.Crash}, nil
}

// CanOpen reports whether the bot holds a key, so that archives can be proved
// and restored, and not only hashed.
func (v *Vault) CanOpen() bool { return len(v.keys.identities) > 0 }

// Recipients gives the age public keys that new archives are sealed to.
func (v *Vault) Recipients() []string { return v.keys.recipientNames }

// Path gives the folder of an archive.
func (v *Vault) Path(ref string) string { return filepath.Join(v.dir, filepath.FromSlash(ref)) }

// folder gives an archive's folder, and checks that ref is one.
func (v *Vault) folder(ref string) (string, error) {
	source, stamp, ok := keepwatch.SplitRef(ref)
	if !ok {
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%q is no archive. An archive is named like ruthin-web/2026-11-23T030000Z.", ref)
	}
	return filepath.Join(v.dir, source, stamp), nil
}

// trouble makes a sentence of a disk's error for the person who can act.
func trouble(what string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because the disk is full. Free some room, then retry.", what).Because(err)
	case errors.Is(err, syscall.EROFS):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because the disk is read-only.", what).Because(err)
	case errors.Is(err, os.ErrPermission):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because Keepwatch may not write there. Give its user the right to.", what).Because(err)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s (%v).", what, err).Because(err)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil // a system that cannot sync folders
	}
	return errors.Join(err, d.Close())
}
