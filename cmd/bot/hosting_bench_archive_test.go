package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

// benchedHost is a fake host with one account, whose home directory holds a full
// backup.
type benchedHost struct {
	kind     string
	host     *cpaneltest.Host
	account  *cpaneltest.Account
	name     string // of the backup
	file     string // where it lies on this disk
	size     int64
	provider *cpanel.Provider
}

// benchHost makes the host and the backup: "mixed" is two thirds of what gzip cannot
// make smaller (pictures, videos), 20,000 small files and a dump; "dumps" is databases
// alone, which gzip makes a third of. The archive is of about a quarter of a gigabyte;
// KEEPWATCH_SOAK makes it 10 GiB and more where it is mixed.
func benchHost(b *testing.B, kind string) *benchedHost {
	b.Helper()
	when := time.Date(2026, 11, 12, 3, 0, 0, 0, time.UTC)
	text := words(192 << 20)
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Level: gzip.BestSpeed, Databases: map[string]string{"ruthin_wp": text}}
	switch soak := os.Getenv("KEEPWATCH_SOAK") != ""; {
	case kind == "dumps":
		for i := range 3 {
			spec.Databases[fmt.Sprintf("ruthin_shop%d", i)] = text
		}
	case soak:
		spec.Large, spec.Many = 10<<30, 20_000
		for i := range 10 {
			spec.Databases[fmt.Sprintf("ruthin_shop%d", i)] = text
		}
	default:
		spec.Large, spec.Many = 128<<20, 20_000
	}
	h := &benchedHost{kind: kind, name: cpaneltest.BackupName("ruthin", when), provider: cpanel.New(cpanel.Config{})}
	h.file = filepath.Join(b.TempDir(), h.name)
	begun := time.Now()
	if err := writeBackup(h.file, spec, when); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(h.file)
	if err != nil {
		b.Fatal(err)
	}
	h.size = info.Size()
	b.Logf("%s: %s, made in %v", kind, keepwatch.FormatBytes(h.size), time.Since(begun).Round(time.Second))
	h.host = cpaneltest.New(b, cpaneltest.Config{Now: ticking()})
	h.account = h.host.AddAccount("ruthin")
	h.account.AddFileFrom(h.name, h.file)
	return h
}

func writeBackup(file string, spec cpaneltest.ArchiveSpec, when time.Time) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := cpaneltest.WriteArchive(w, spec, when); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// words gives about n bytes of statements with posts of some thousand words, in which
// nothing repeats as it does in a text that is written again and again.
func words(n int) string {
	rnd := rand.New(rand.NewPCG(1, 2))
	var known [4000]string
	for i := range known {
		letters := make([]byte, 2+rnd.IntN(9))
		for j := range letters {
			letters[j] = byte('a' + rnd.IntN(26))
		}
		known[i] = string(letters)
	}
	var sql strings.Builder
	sql.Grow(n + 2000)
	for i := 0; sql.Len() < n; i++ {
		fmt.Fprintf(&sql, "INSERT INTO `wp_posts` VALUES (%d,1,'2026-11-%02d 10:00:00','", i, i%28+1)
		for range 120 {
			sql.WriteString(known[rnd.IntN(len(known))])
			sql.WriteByte(' ')
		}
		sql.WriteString("','publish');\n")
	}
	return sql.String()
}
