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
	host     *cpaneltest.Host
	account  *cpaneltest.Account
	name     string // of the backup
	file     string // where it lies on this disk
	size     int64
	provider *cpanel.Provider
}

// benchHost makes the host and the backup: "mixed" is a dump, small files, pictures and
// what gzip cannot make smaller at all; "dumps" is databases alone, which gzip halves;
// "stored" is videos and archives, which it only stores.
// The archive has some 150 MB; KEEPWATCH_SOAK makes it 10 GiB and more where it is mixed.
func benchHost(b *testing.B, kind string) *benchedHost {
	b.Helper()
	when := time.Date(2026, 11, 12, 3, 0, 0, 0, time.UTC)
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Level: gzip.BestSpeed, Databases: map[string]string{}, Files: map[string][]byte{}}
	dumps, photos := 3, 0
	switch soak := os.Getenv("KEEPWATCH_SOAK") != ""; {
	case kind == "stored":
		dumps, spec.Large = 0, 160<<20
	case kind == "mixed" && soak:
		dumps, photos, spec.Many, spec.Large = 20, 1000, 10_000, 8<<30
	case kind == "mixed":
		dumps, photos, spec.Many, spec.Large = 1, 32, 10_000, 64<<20
	}
	text, photo := words(96<<20), picture(2<<20)
	for i := range dumps {
		spec.Databases[fmt.Sprintf("ruthin_shop%d", i)] = text
	}
	for i := range photos {
		spec.Files[fmt.Sprintf("public_html/photos/%04d.jpg", i)] = photo
	}
	h := &benchedHost{name: cpaneltest.BackupName("ruthin", when), provider: cpanel.New(cpanel.Config{})}
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

// words gives a dump of about n bytes, with posts of some thousand words, in which
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
	sql.WriteString("-- MySQL dump 10.13  Distrib 8.0.39, for Linux (x86_64)\n")
	for i := 0; sql.Len() < n; i++ {
		fmt.Fprintf(&sql, "INSERT INTO `wp_posts` VALUES (%d,1,'2026-11-%02d 10:00:00','", i, i%28+1)
		for range 120 {
			sql.WriteString(known[rnd.IntN(len(known))])
			sql.WriteByte(' ')
		}
		sql.WriteString("','publish');\n")
	}
	sql.WriteString("-- Dump completed on 2026-11-12  3:00:05\n")
	return sql.String()
}

// picture gives n bytes that gzip makes a thirtieth smaller, as it does with pictures:
// what it packs like that takes as long to unpack as text, unlike what it only stores.
func picture(n int) []byte {
	data := noiseOf(n)
	for i, c := range data {
		if c >= 224 {
			data[i] -= 32
		}
	}
	return data
}
