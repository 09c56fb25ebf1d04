package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
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
// and at which they are also downloaded over TLS from this machine and hashed, beside
// those of curl, gunzip -t and sha256sum, each alone on the same file.
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
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }))
		defer server.Close()
		b.Run(c.name+"/prove", func(b *testing.B) {
			b.SetBytes(int64(len(archive)))
			for b.Loop() {
				benchProof(b, bytes.NewReader(archive), io.Discard)
			}
		})
		b.Run(c.name+"/download+hash+prove", func(b *testing.B) {
			b.SetBytes(int64(len(archive)))
			for b.Loop() {
				resp, err := server.Client().Get(server.URL)
				if err != nil {
					b.Fatal(err)
				}
				benchProof(b, resp.Body, sha256.New())
				resp.Body.Close()
			}
		})
		for _, command := range [][]string{{"curl", "-skfo", os.DevNull, server.URL}, {"gunzip", "-t", file}, {"sha256sum", file}} {
			b.Run(c.name+"/"+command[0], func(b *testing.B) {
				if _, err := exec.LookPath(command[0]); err != nil {
					b.Skip(err)
				}
				b.SetBytes(int64(len(archive)))
				for b.Loop() {
					if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
						b.Fatal(err, string(out))
					}
				}
			})
		}
	}
}

// benchProof proves what from gives, in pieces as a download has them, and hands it on.
func benchProof(b *testing.B, from io.Reader, to io.Writer) {
	b.Helper()
	p := newProver(expected{user: "ruthin", databases: []string{"ruthin_wp"}})
	if _, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{io.TeeReader(from, p)}, make([]byte, 32<<10)); err != nil {
		b.Fatal(err)
	}
	if v, err := p.Finish(); err != nil || len(v.problems) > 0 {
		b.Fatal(err, v.problems)
	}
}
