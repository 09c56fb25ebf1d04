// Package vault keeps archives at rest. An archive is a folder of sealed files
// that opens without us:
//
//	<vault>/<source>/<UTC start>/
//	  manifest.json             what it is; no name from inside
//	  contents.jsonl.zst.age    one line for each thing inside: path, size, mode, time, SHA-256
//	  <source>.tar.zst.age      the tree; a file that was handed in alone lies under its own name
//	  SHA256SUMS                of the files in this folder
//	  record.json               what people said about it: pinned, findings accepted
//
// Sealing is one streaming pass (read, hash, pack, compress, encrypt, hash,
// write) whose memory does not grow with size. An archive is written in
// <vault>/.staging, synced, and renamed into place, so that what stands under a
// source's folder is whole. Sealing uses age (age-encryption.org/v1), zstd
// (RFC 8878) and PAX tar (POSIX.1-2001).
//
// The list of contents has one JSON object on a line: a keepwatch.Entry, in the
// order of the tar, or {"note": …}, or {"top": …}, the folder that the tree is of. A
// note whose kind is "mailbox" has in "mailbox" what is inside the Outlook data file
// that it comes behind, as keepwatch.Mailbox.Seal divides it. Where a path or the
// target of a link is not valid UTF-8, which JSON cannot carry, "raw_path" or
// "raw_link" beside it holds its bytes in base64, and those count. A file that lies
// on its own has "form": "zstd", or "plain" where it was compressed already. What lies
// in the tar has in "at" where in that, in bytes, its first header begins; the tree's
// seek table says in which zstd frame that is.
package vault

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"keepwatch"
)

// Config says where a vault lies and with what it is sealed.
type Config struct {
	Dir          string             // the vault folder; made where it is missing
	Recipients   []string           // age public keys; empty: those of the identity file
	IdentityFile string             // age secret keys; missing: nothing can be opened
	Look         bool               // nothing will be written: a folder that is missing is not made
	Own          Own                // what no restore writes to, the vault and the key aside, which are always among it
	Version      string             // of the bot, for the manifest; empty: as it was built
	Now          func() time.Time   // nil: time.Now
	Crash        func(point string) // tests end the process at a named point; nil: never
}

// Vault is a folder of archives. Its methods may be called from any goroutine.
type Vault struct {
	dir     string
	keys    keys
	version string
	now     func() time.Time
	crash   func(string)
	own     Own
	zstd    *zstd.Encoder // used with EncodeAll only, from any goroutine

	publishing sync.Mutex // one archive is renamed into place at a time
}

// Folders of the vault that hold no archive. No source's name begins with a dot.
const (
	stagingDir = ".staging"
	trashDir   = ".trash"
)

// Open opens a vault: it reads the keys and, unless it is for looking only, makes
// the folder.
func Open(cfg Config) (*Vault, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	if cfg.Version == "" {
		cfg.Version = builtVersion()
	}
	k, err := loadKeys(cfg.Recipients, cfg.IdentityFile)
	if err != nil {
		return nil, err
	}
	if !cfg.Look {
		if err := makeDirs(cfg.Dir); err != nil {
			return nil, trouble("The vault folder "+cfg.Dir+" cannot be made", err)
		}
	}
	enc, err := newEncoder()
	if err != nil {
		return nil, err
	}
	own := Own{Paths: append(slices.Clone(cfg.Own.Paths), cfg.Dir, cfg.IdentityFile), Free: cfg.Own.Free}
	return &Vault{dir: cfg.Dir, keys: k, own: own, version: cfg.Version, now: cfg.Now, crash: cfg.Crash, zstd: enc}, nil
}

// builtVersion gives the version that the program was built as.
func builtVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// CanOpen reports whether the bot holds a key, so that archives can be proved
// and restored, and not only hashed.
func (v *Vault) CanOpen() bool { return len(v.keys.identities) > 0 }

// Recipients gives the age public keys that new archives are sealed to.
func (v *Vault) Recipients() []string { return append([]string(nil), v.keys.recipientNames...) }

// Opens reports whether an archive was sealed to one of the keys in the key file.
func (v *Vault) Opens(a keepwatch.Archive) bool {
	return slices.ContainsFunc(a.Recipients, func(r string) bool { return slices.Contains(v.keys.own, r) })
}

// Path gives the folder of an archive.
func (v *Vault) Path(ref string) string { return filepath.Join(v.dir, filepath.FromSlash(ref)) }

// Free gives the bytes left on the vault's disk.
func (v *Vault) Free() (int64, error) { return free(v.dir) }

// folder gives an archive's folder, and checks that ref is one.
func (v *Vault) folder(ref string) (string, error) {
	source, stamp, ok := keepwatch.SplitRef(ref)
	if !ok {
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%q is no archive. An archive is named like ruthin-web/2026-11-23T030000Z.", ref)
	}
	return filepath.Join(v.dir, source, stamp), nil
}

// trouble makes a sentence of a disk's error for the person who can act. An
// error that has a sentence already stays as it is.
func trouble(what string, err error) error {
	if keepwatch.Sentence(err) != "" {
		return err
	}
	switch {
	case isFull(err):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because the disk is full. Free some room, then retry.", what).Because(err)
	case errors.Is(err, syscall.EFBIG):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because the system does not allow a file of that size. Raise the limit, then retry.", what).Because(err)
	case errors.Is(err, syscall.EROFS):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because the disk is read-only.", what).Because(err)
	case errors.Is(err, os.ErrPermission):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s, because Keepwatch may not do that there. Give its user the right to.", what).Because(err)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s (%v).", what, err).Because(err)
}

// full is trouble with the figures of the disk, where it is full: how much had
// been written and how much is left.
func full(what, dir string, written int64, err error) error {
	if !isFull(err) || keepwatch.Sentence(err) != "" {
		return trouble(what, err)
	}
	left := "no room"
	if n, err := free(dir); err == nil && n > 0 {
		left = "only " + keepwatch.FormatBytes(n)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s, because the disk of %s is full: %s had been written and there is %s left. Free some room, then retry.",
		what, dir, keepwatch.FormatBytes(written), left).Because(err)
}

// makeDirs makes a folder and those above it that are missing, for its owner
// only, and makes their names durable.
func makeDirs(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if info.IsDir() {
			return nil
		}
		return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncOpen(d), d.Close())
}

// syncOpen makes the names in an open folder durable, and its own mode and times.
func syncOpen(d *os.File) error {
	err := d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, os.ErrPermission) {
		err = nil // a system that cannot sync folders
	}
	return err
}
