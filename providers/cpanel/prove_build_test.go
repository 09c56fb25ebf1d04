package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// member is one entry of an archive that a test packs.
type member struct {
	name, text string
	head       *tar.Header // in place of a file called name
}

const top = "backup-11.3.2026_04-05-06_ruthin/"

// dumpText is what mysqldump writes of a database.
func dumpText(db string, rows int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: %s\n-- ------------------------------------------------------\n", db)
	b.WriteString("/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;\n\n")
	b.WriteString("DROP TABLE IF EXISTS `wp_posts`;\nCREATE TABLE `wp_posts` (\n  `ID` bigint unsigned NOT NULL AUTO_INCREMENT,\n  `post_content` longtext NOT NULL,\n  PRIMARY KEY (`ID`)\n) ENGINE=InnoDB;\n\nLOCK TABLES `wp_posts` WRITE;\n")
	for i := range rows {
		fmt.Fprintf(&b, "INSERT INTO `wp_posts` VALUES (%d,'A post about the weather in Ruthin, number %d.\\nIt\\'s mysqldump: Got error: none at all'),(%d,'x');\n", i, i*7919%104729, i+1000000)
	}
	b.WriteString("UNLOCK TABLES;\n/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed on 2026-11-03  4:05:09\n")
	return b.String()
}

// account gives the members of a healthy full backup.
func account() []member {
	list := []member{
		{head: &tar.Header{Name: top, Typeflag: tar.TypeDir, Mode: 0o755}},
		{name: "version", text: "pkgacct version: 10\narchive version: 4\n"},
		{name: "homedir_paths", text: "/home/ruthin\n"},
		{name: "cp/ruthin", text: "DNS=ruthin.example\nDNS1=shop.example\nPLAN=default\nSUSPENDED=0\n"},
		{name: "userdata/main", text: "---\naddon_domains:\n  shop.example: shop.ruthin.example\nmain_domain: ruthin.example\nparked_domains:\n  - parked.example\nsub_domains:\n  - shop.ruthin.example\n"},
		{name: "dnszones/ruthin.example.db", text: "; zone\n"},
		{head: &tar.Header{Name: top + "homedir/", Typeflag: tar.TypeDir, Mode: 0o711}},
	}
	for i := range 40 {
		list = append(list, member{name: fmt.Sprintf("homedir/public_html/page%d.html", i), text: strings.Repeat(fmt.Sprintf("<p>Page %d</p>\n", i), 50)})
	}
	return append(list,
		member{name: "mysql/ruthin_shop.create", text: "CREATE DATABASE `ruthin_shop`;\n"},
		member{name: "mysql/ruthin_shop.sql", text: dumpText("ruthin_shop", 20)},
		member{name: "mysql/ruthin_wp.sql", text: dumpText("ruthin_wp", 300)},
		member{name: "mysql.sql", text: "GRANT USAGE ON *.* TO 'ruthin'@'localhost';\n"},
	)
}

// wanted is what the host said of that account.
func wanted() expected {
	return expected{user: "ruthin", databases: []string{"ruthin_shop", "ruthin_wp"}, domains: []string{"ruthin.example", "Shop.example"}}
}

// without leaves out the members whose names begin as given.
func without(list []member, begins string) []member {
	var left []member
	for _, m := range list {
		name := m.name
		if m.head != nil {
			name = strings.TrimPrefix(m.head.Name, top)
		}
		if name == "" || !strings.HasPrefix(name, begins) {
			left = append(left, m)
		}
	}
	return left
}

// with replaces the text of a member, or adds it.
func with(list []member, name, text string) []member {
	return append(without(list, name), member{name: name, text: text})
}

// packTar packs members below a prefix into a tar archive.
func packTar(t testing.TB, prefix string, list []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range list {
		h := m.head
		if h == nil {
			h = &tar.Header{Name: prefix + m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.text)), ModTime: time.Unix(1793678706, 0)}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// squeeze packs bytes by gzip.
func squeeze(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pack packs a full backup.
func pack(t testing.TB, list []member) []byte { return squeeze(t, packTar(t, top, list)) }

// prove lets a prover read bytes in pieces of odd sizes.
func prove(t testing.TB, p *prover, b []byte) verdict {
	t.Helper()
	size := len(b)
	for n := 1; len(b) > 0; n = n*3 + 1 {
		n = min(n%100_000+1, len(b))
		if _, err := p.Write(b[:n]); err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
	v, err := p.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if v.size != int64(size) {
		t.Errorf("it counted %d bytes of %d", v.size, size)
	}
	return v
}

// rules gives the rules of a verdict's problems.
func rules(v verdict) string {
	var list []string
	for _, f := range v.problems {
		list = append(list, f.Rule)
	}
	return strings.Join(list, " ")
}

// words gives all that a verdict says.
func words(v verdict) string {
	var b strings.Builder
	for _, f := range v.problems {
		fmt.Fprintf(&b, "problem %s (%s): %s\n", f.Rule, f.What, f.Text)
	}
	for _, n := range v.notes {
		fmt.Fprintf(&b, "note: %s\n", n.Text)
	}
	return b.String()
}
