package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestNewIdentity makes a file for its owner only, and never over another one.
func TestNewIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.txt")
	to, err := NewIdentity(path)
	if err != nil || !strings.HasPrefix(to, "age1") {
		t.Fatal(to, err)
	}
	info, err := os.Stat(path)
	if err != nil || tooOpen(info.Mode()) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text := read(t, path)
	_, err = NewIdentity(path)
	want(t, err, keepwatch.KindConflict, path)
	if read(t, path) != text {
		t.Error("the key was overwritten")
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left beside it: %v", left)
	}
	_, err = NewIdentity(filepath.Join(path, "below-a-file"))
	want(t, err, keepwatch.KindAttention, "below-a-file")
}

func newIdentity(t *testing.T) (secret, public string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String(), id.Recipient().String()
}

func newHybrid(t *testing.T) (secret, public string) {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String(), id.Recipient().String()
}

// TestIdentityFiles: comments, several keys, empty lines, and what is wrong with
// the others.
func TestIdentityFiles(t *testing.T) {
	one, onePublic := newIdentity(t)
	two, twoPublic := newIdentity(t)
	hybrid, hybridPublic := newHybrid(t)
	cases := []struct {
		what, text string
		mode       os.FileMode
		recipients []string
		words      []string // of the error
	}{
		{"one", one + "\n", 0o600, []string{onePublic}, nil},
		{"without an end of line", one, 0o400, []string{onePublic}, nil},
		{"with comments", "# created: yesterday\n\n# public key: x\n" + one + "\n# end\n", 0o600, []string{onePublic}, nil},
		{"with line ends of Windows", "# x\r\n" + one + "\r\n", 0o600, []string{onePublic}, nil},
		{"two", one + "\n" + two + "\n", 0o600, []string{onePublic, twoPublic}, nil},
		{"post-quantum", hybrid + "\n", 0o600, []string{hybridPublic}, nil},
		{"both sorts", one + "\n" + hybrid + "\n", 0o600, nil, []string{"mix post-quantum"}},
		{"empty", "", 0o600, nil, []string{"AGE-SECRET-KEY-"}},
		{"comments only", "# nothing\n", 0o600, nil, []string{"AGE-SECRET-KEY-"}},
		{"a public key", onePublic + "\n", 0o600, nil, []string{"AGE-SECRET-KEY-"}},
		{"cut off", one[:40] + "\n", 0o600, nil, []string{"cut off"}},
		{"readable by others", one + "\n", 0o644, nil, []string{"chmod 600"}},
		{"readable by the group", one + "\n", 0o640, nil, []string{"chmod 600"}},
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "key.txt")
		if err := errors.Join(os.WriteFile(path, []byte(c.text), 0o600), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		v, err := Open(Config{Dir: filepath.Join(t.TempDir(), "v"), IdentityFile: path})
		if c.words != nil {
			if err == nil || strings.Contains(err.Error(), one[:30]) || strings.Contains(err.Error(), hybrid[:40]) {
				t.Errorf("%s: the error gives the key away: %v", c.what, err)
			}
			for _, word := range c.words {
				if !strings.Contains(keepwatch.Sentence(err), word) {
					t.Errorf("%s: %v does not say %q", c.what, err, word)
				}
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if diff := cmp.Diff(c.recipients, v.Recipients()); diff != "" || !v.CanOpen() {
			t.Errorf("%s: %s, can open: %v", c.what, diff, v.CanOpen())
		}
	}
}

func TestRecipients(t *testing.T) {
	secret, one := newIdentity(t)
	_, two := newIdentity(t)
	_, hybrid := newHybrid(t)
	_, hybrid2 := newHybrid(t)
	open := func(recipients ...string) error {
		v, err := Open(Config{Dir: filepath.Join(t.TempDir(), "v"), Recipients: recipients})
		if err == nil && v.CanOpen() {
			t.Error("it says that it can open archives")
		}
		return err
	}
	for _, good := range [][]string{{one}, {one, two}, {one, one}, {" " + one + "\n"}, {hybrid}, {hybrid, hybrid2}} {
		if err := open(good...); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	want(t, open(), keepwatch.KindAttention, "no key")
	want(t, open(one, hybrid), keepwatch.KindInvalid, "mix post-quantum")
	want(t, open(one, "age1nonsense"), keepwatch.KindInvalid, "age1nonsense")
	want(t, open("ssh-ed25519 AAAA"), keepwatch.KindInvalid, "ssh-ed25519")
	want(t, open(hybrid[:1900]), keepwatch.KindInvalid, "age1pq1")
	err := open(secret)
	want(t, err, keepwatch.KindInvalid, "secret key")
	if strings.Contains(err.Error(), secret[20:]) {
		t.Errorf("the error gives the key away: %v", err)
	}
}

// TestPostQuantum seals, verifies and restores with a post-quantum key.
func TestPostQuantum(t *testing.T) {
	secret, public := newHybrid(t)
	path := filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	v := openVault(t, Config{Dir: filepath.Join(t.TempDir(), "v"), Recipients: []string{public}, IdentityFile: path})
	a := sample(t, v, 1)
	if got := verify(t, v, a.Ref()); !got.OK() || got.Level != keepwatch.LevelOpened {
		t.Errorf("%+v", got)
	}
	mustExtract(t, v, a.Ref(), filepath.Join(t.TempDir(), "out"), keepwatch.Ask{})
}

// TestSeveralRecipients: each of them opens the archive.
func TestSeveralRecipients(t *testing.T) {
	one, two := newVault(t), newVault(t)
	v := openVault(t, Config{Dir: one.dir, Recipients: append(one.Recipients(), two.Recipients()...), IdentityFile: one.keys.file})
	a := sample(t, v, 1)
	for _, key := range []string{one.keys.file, two.keys.file} {
		f, err := OpenFolder(v.Path(a.Ref()), key, Own{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Verify(context.Background(), nil); err != nil || !got.OK() || got.Level != keepwatch.LevelOpened {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestKeysKeptElsewhere: the vault seals to keys that it does not hold, and has
// a key of its own for older archives. New ones can only be hashed; that is no
// wrong key.
func TestKeysKeptElsewhere(t *testing.T) {
	own, away := newVault(t), newVault(t)
	old := sample(t, own, 1)
	v := openVault(t, Config{Dir: own.dir, Recipients: away.Recipients(), IdentityFile: own.keys.file})
	run := staged(t, v, newRun(2), file("a", "x"))
	if got, err := v.VerifyStaged(context.Background(), run, nil); err != nil || !got.OK() || got.Level != keepwatch.LevelSealed {
		t.Errorf("%+v, %v", got, err)
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if got := verify(t, v, a.Ref()); !got.OK() || got.Level != keepwatch.LevelSealed {
		t.Errorf("%+v", got)
	}
	if got := verify(t, v, old.Ref()); !got.OK() || got.Level != keepwatch.LevelOpened {
		t.Errorf("the older one: %+v", got)
	}
	_, err = extract(v, a.Ref(), filepath.Join(t.TempDir(), "out"), keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, "kept elsewhere")
}

func TestOpenRefusesAFileAsFolder(t *testing.T) {
	dir := newVault(t).dir
	path := filepath.Join(dir, "x")
	write(t, path, "")
	_, public := newIdentity(t)
	_, err := Open(Config{Dir: path, Recipients: []string{public}})
	want(t, err, keepwatch.KindAttention, path)
}
