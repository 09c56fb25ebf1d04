package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

const records = 100

func recordOf(i int) []byte { return bytes.Repeat([]byte{byte('a' + i%26)}, 300+i*7) }

// wholeState gives the bytes of a state with records in it, some of which were
// written more than once, so that there are free pages too.
func wholeState(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	for i := range records + records/2 {
		key := fmt.Sprintf("k/%04d", i%records)
		if err := s.Update(func(tx store.Tx) error { return tx.Put(key, recordOf(i%records)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openDamaged puts content in place of a state and opens it. It is refused with
// what to do and left as it is, or it holds every record; the result says which.
func openDamaged(t *testing.T, name, path string, content []byte) (refused string) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	then := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(bolt.Config{Path: path})
	if err == nil {
		if got := intact(s); got != records {
			t.Errorf("%s: opened with %d whole records of %d", name, got, records)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		return ""
	}
	sentence := keepwatch.Sentence(err)
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(sentence, "bot state backup") || !strings.Contains(sentence, path) {
		t.Errorf("%s: %v", name, err)
	}
	after, err := os.ReadFile(path)
	info, err2 := os.Stat(path)
	if err != nil || err2 != nil || !bytes.Equal(after, content) || !info.ModTime().Equal(then) {
		t.Errorf("%s: the file was touched (%v, %v)", name, err, err2)
	}
	return sentence
}

func intact(s store.Store) (n int) {
	_ = s.View(func(r store.Reader) error {
		for i := range records {
			if v, err := r.Get(fmt.Sprintf("k/%04d", i)); err == nil && bytes.Equal(v, recordOf(i)) {
				n++
			}
		}
		return nil
	})
	return n
}

func TestWhatIsNoStateIsLeftAsItIs(t *testing.T) {
	data, path := wholeState(t), filepath.Join(t.TempDir(), "state.db")
	with := func(at int, with []byte) []byte { c := bytes.Clone(data); copy(c[at:], with); return c }
	checksums := with(16+56, []byte{1, 2, 3, 4}) // page header, then the rest of the meta page
	copy(checksums[4096+16+56:], []byte{1, 2, 3, 4})
	bit := bytes.ReplaceAll(data, recordOf(7), append([]byte{recordOf(7)[0] ^ 1}, recordOf(7)[1:]...))
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"empty":                 {nil, "it is empty"},
		"a few bytes":           {data[:10], "does not begin as one"},
		"cut in the first page": {data[:100], "cut short"},
		"cut after two pages":   {data[:8192], "cut short"},
		"cut in the middle":     {data[:len(data)/3], "cut short"},
		"zeroed":                {make([]byte, len(data)), "does not begin as one"},
		"text":                  {[]byte(strings.Repeat("I am a diary.\n", 5000)), "does not begin as one"},
		"sqlite":                {append([]byte("SQLite format 3\x00"), make([]byte, 8192)...), "does not begin as one"},
		"first page wiped":      {with(0, make([]byte, 4096)), "does not begin as one"},
		"second page wiped":     {with(4096, make([]byte, 4096)), "second page"},
		"both checksums wrong":  {checksums, "does not begin as one"},
		"one bit of a record":   {bit, "damaged inside"},
		"data overwritten":      {with(16384, bytes.Repeat([]byte{0xA5}, 40_000)), "damaged inside"},
	} {
		if refused := openDamaged(t, name, path, c.content); refused == "" || !strings.Contains(refused, c.says) {
			t.Errorf("%s: refused with %q, which does not say %q", name, refused, c.says)
		}
	}
}

// TestEveryPageDamaged cuts the file at every page and spoils every page in turn.
// bbolt alone ends the process over many of these, or counts for minutes.
func TestEveryPageDamaged(t *testing.T) {
	data, path := wholeState(t), filepath.Join(t.TempDir(), "state.db")
	const page = 4096
	counts := map[string]int{}
	try := func(how string, at int, content []byte) {
		refused := openDamaged(t, fmt.Sprintf("%s at %d", how, at), path, content)
		if refused != "" {
			counts[how]++
		}
		if strings.Contains(refused, "KiB are there") {
			counts["cut, with figures"]++
		}
	}
	for at := 0; at < len(data); at += page {
		try("cut", at, data[:at])
		try("cut within", at, data[:at+page/2])
		for how, junk := range map[string][]byte{"zeroed": make([]byte, page), "header of ones": bytes.Repeat([]byte{0xff}, 16), "overflow of ones": {0, 0, 0, 0}, "junk": bytes.Repeat([]byte{0x5a, 1, 0}, page/3)} {
			c := bytes.Clone(data)
			if how == "overflow of ones" { // the last field of the header
				copy(c[at+12:], []byte{0xff, 0xff, 0xff, 0x7f})
			} else {
				copy(c[at:], junk)
			}
			try(how, at, c)
		}
	}
	for how, n := range counts {
		t.Logf("%s: %d of %d refused, the others lost nothing", how, n, len(data)/page)
	}
	if len(counts) != 7 {
		t.Errorf("some damage is never found: %v", counts)
	}
}

// TestAForeignBboltFileIsLeftAsItIs: bbolt writes to a file without a saved list
// of free pages when it only opens it.
func TestAForeignBboltFileIsLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "foreign.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if refused := openDamaged(t, "foreign", path, data); !strings.Contains(refused, "another program") {
		t.Errorf("%q", refused)
	}
}

func TestAFolderInItsPlace(t *testing.T) {
	_, err := bolt.Open(bolt.Config{Path: t.TempDir()})
	if !strings.Contains(keepwatch.Sentence(err), "it is not a file") {
		t.Errorf("%v", err)
	}
}

// TestDamageBeneathARunningBot spoils pages that are in use: the bot is told,
// and goes on.
func TestDamageBeneathARunningBot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, wholeState(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	scanned := s.View(func(r store.Reader) error {
		return r.Scan(store.Range{}, func(string, []byte) error { return nil })
	})
	got := s.View(func(r store.Reader) error { _, err := r.Get("k/0001"); return err })
	updated := s.Update(func(tx store.Tx) error { return tx.Put("k/0001", nil) })
	_, copied := s.Backup(path + ".copy")
	for what, err := range map[string]error{"a scan": scanned, "a get": got, "an update": updated, "a backup": copied} {
		if keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%s gave %v", what, err)
		}
	}
}
