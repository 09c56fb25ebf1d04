package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// benchArchive makes a full backup of about n bytes of content. Two thirds of it are
// pictures, which do not shrink any further, unless only dumps are asked for.
func benchArchive(b *testing.B, n int, pictures bool) []byte {
	b.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
	if err != nil {
		b.Fatal(err)
	}
	w := tar.NewWriter(z)
	add := func(name string, content []byte) {
		if err := w.WriteHeader(&tar.Header{Name: top + name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			b.Fatal(err)
		}
	}
	rnd := rand.NewChaCha8([32]byte{1})
	var words []string
	for range 4000 {
		letters := make([]byte, 2+rnd.Uint64()%9)
		for i := range letters {
			letters[i] = 'a' + byte(rnd.Uint64()%26)
		}
		words = append(words, string(letters))
	}
	add("version", []byte("archive version: 4\n"))
	add("homedir_paths", []byte("/home/ruthin\n"))
	add("cp/ruthin", []byte("DNS=ruthin.example\n"))
	var sql strings.Builder
	sql.WriteString("-- MySQL dump 10.13\n")
	share := n
	if pictures {
		share = n / 3
		photo := make([]byte, 2<<20)
		for i := range (n - share) / len(photo) {
			if _, err := rnd.Read(photo); err != nil {
				b.Fatal(err)
			}
			add(fmt.Sprintf("homedir/public_html/photo%d.jpg", i), photo)
		}
	} else {
		add("homedir/index.html", []byte("x"))
	}
	for i := 0; sql.Len() < share; i++ {
		fmt.Fprintf(&sql, "INSERT INTO `wp_posts` VALUES (%d,1,'2026-11-%02d 10:00:00','", i, i%28+1)
		for range 120 {
			sql.WriteString(words[rnd.Uint64()%4000])
			sql.WriteByte(' ')
		}
		sql.WriteString("','publish');\n")
	}
	sql.WriteString("-- Dump completed on 2026-11-03  4:05:09\n")
	add("mysql/ruthin_wp.sql", []byte(sql.String()))
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkProve gives the rate at which archives are proved, in bytes as they come,
// beside those of gunzip -t and sha256sum on the same file.
func BenchmarkProve(b *testing.B) {
	for _, c := range []struct {
		name     string
		pictures bool
	}{{"mixed", true}, {"dumps", false}} {
		archive := benchArchive(b, 192<<20, c.pictures)
		file := filepath.Join(b.TempDir(), "archive.tar.gz")
		if err := os.WriteFile(file, archive, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(c.name+"/prover", func(b *testing.B) {
			b.SetBytes(int64(len(archive)))
			for b.Loop() {
				p := newProver(expected{user: "ruthin", databases: []string{"ruthin_wp"}})
				for rest := archive; len(rest) > 0; {
					n, err := p.Write(rest[:min(len(rest), 32<<10)])
					if err != nil {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
				if v, err := p.Finish(); err != nil || len(v.problems) > 0 {
					b.Fatal(err, v.problems)
				}
			}
		})
		for _, command := range [][]string{{"gunzip", "-t"}, {"sha256sum"}} {
			b.Run(c.name+"/"+command[0], func(b *testing.B) {
				if _, err := exec.LookPath(command[0]); err != nil {
					b.Skip(err)
				}
				b.SetBytes(int64(len(archive)))
				for b.Loop() {
					if out, err := exec.Command(command[0], append(command[1:], file)...).CombinedOutput(); err != nil {
						b.Fatal(err, string(out))
					}
				}
			})
		}
	}
}
