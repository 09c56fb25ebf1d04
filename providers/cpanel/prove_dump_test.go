package cpanel

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"keepwatch"
)

// plainDump is what mysqldump --skip-comments writes; bareDump is what --compact does,
// which keeps no settings either.
func plainDump(rows int) string {
	var b strings.Builder
	for line := range strings.Lines(dumpText("x", rows)) {
		if !strings.HasPrefix(line, "--") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func bareDump(rows int) string {
	var b strings.Builder
	for line := range strings.Lines(plainDump(rows)) {
		if !strings.Contains(line, "@OLD_") && !strings.HasPrefix(line, "LOCK") && !strings.HasPrefix(line, "UNLOCK") {
			b.WriteString(line)
		}
	}
	return b.String()
}

const mariaDump = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.8-MariaDB, for Linux (x86_64)\n/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;\nINSERT INTO `t` VALUES\n(1,'a'),\n(2,'mysqldump: Got error: 1045: \"Access denied\" when trying to connect'),\n(3,'c');\n/*M!100616 SET NOTE_VERBOSITY=@OLD_NOTE_VERBOSITY */;\n"

// TestDumps: a database that was downloaded alone, in all the ways in which it can be
// complete, and not.
func TestDumps(t *testing.T) {
	whole := dumpText("ruthin_wp", 300)
	cut := whole[:20_000]
	row := strings.LastIndex(cut, "\n") + 1
	for _, c := range []struct {
		name, text, rules string
		says              string // in what is said
	}{
		{"as mysqldump writes it", whole, "", ""},
		{"without a date", strings.Replace(whole, " on 2026-11-03  4:05:09", "", 1), "", ""},
		{"with the line ends of another system", strings.ReplaceAll(whole, "\n", "\r\n"), "", ""},
		{"as MariaDB writes it", mariaDump + "-- Dump completed on 2026-11-03  4:05:09\n", "", ""},
		{"about an error", strings.Replace(whole, "a post", "mysqldump: Error 2013: Lost connection", 1), "", ""},
		{"without comments", plainDump(300), "", "They do end with the statements"},
		{"of MariaDB, without its last line", mariaDump, "", "They do end with the statements"},
		{"with nothing but rows", bareDump(300), "", "cannot be told"},
		{"with nothing but rows, and cut", bareDump(300)[:20_000], "dump-cut", "cut off after 19.5 KiB"},
		{"empty", "", "dump-empty", "is empty (0 B)"},
		{"blank", " \n\n", "dump-empty", "is empty (3 B)"},
		{"zeros", strings.Repeat("\x00", 70_000), "dump-empty", "is empty (68.4 KiB)"},
		{"cut in a row", cut, "dump-cut", "cut off after 19.5 KiB"},
		{"cut behind a row", cut[:row], "dump-cut", "cut off"},
		{"cut in the header", whole[:60], "dump-cut", "cut off"},
		{"cut, without comments", plainDump(300)[:20_000], "dump-cut", "cut off"},
		{"nothing but an error", "mysqldump: Got error: 1045: Access denied for user 'ruthin'@'localhost' (using password: YES) when trying to connect\n", "dump-error", "“mysqldump: Got error: 1045: Access denied for user"},
		{"an error that ends it", cut[:row] + "mysqldump: Couldn't execute 'show events': Access denied for user (1044)\n", "dump-error", "Couldn't execute 'show events'"},
		{"an error that breaks into a row", cut + "mysqldump: Error 2013: Lost connection to MySQL server during query when dumping table `wp_posts` at row: 73\n", "dump-error", "“mysqldump: Error 2013"},
		{"an error that breaks into a row and is the last", cut + "mariadb-dump: Error 2006: Server has gone away when dumping table `wp_posts` at row: 9", "dump-error", "“mariadb-dump: Error 2006"},
		{"an error that it goes on after", whole[:20_000] + "mysqldump: Couldn't execute 'SHOW CREATE TABLE `v`': View refers to invalid tables (1356)\n" + whole[20_000:], "dump-error", "“mysqldump: Couldn't execute 'SHOW CREATE TABLE"},
		{"an error of the host", cut + "\n(XID 7xq3zt) The system failed to dump the database “ruthin_wp”.\n", "dump-error", "“(XID 7xq3zt) The system failed"},
		{"an error behind the last line", whole + "ERROR: write to pipe failed\n", "dump-error", "“ERROR: write to pipe failed”"},
		{"a warning before it", "mysqldump: [Warning] Using a password on the command line interface can be insecure.\n" + whole, "", "taken out before it can be put back"},
		{"no right to tablespaces", "mysqldump: Error: 'Access denied; you need (at least one of) the PROCESS privilege(s) for this operation' when trying to dump tablespaces\n" + whole, "", "taken out before it can be put back"},
		{"not packed and not SQL", "<html><title>Login</title></html>", "dump-cut", "cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := prove(t, newDumpProver("ruthin_wp"), squeeze(t, []byte(c.text)))
			problems, notes := settleDumps(v.dumps)
			v.problems, v.notes = append(v.problems, problems...), append(v.notes, notes...)
			if rules(v) != c.rules || !strings.Contains(words(v), c.says) || c.says == "" && len(v.notes) > 0 {
				t.Errorf("%q, want %q with %q:\n%s", rules(v), c.rules, c.says, words(v))
			}
			if v.inside.Bytes != int64(len(c.text)) {
				t.Errorf("%d bytes of %d", v.inside.Bytes, len(c.text))
			}
		})
	}
}

// TestMessagesAreFoundAnywhere: wherever the pieces fall in which a dump is read.
func TestMessagesAreFoundAnywhere(t *testing.T) {
	const said = "mysqldump: Couldn't execute 'show events': Access denied for user (1044)"
	row := "INSERT INTO `t` VALUES (1,'" + strings.Repeat("x", 90) + "');\n"
	s := newScanner()
	for before := 64<<10 - 300; before < 64<<10+900; before += 7 {
		text := strings.Repeat(row, before/len(row)) + strings.Repeat("-", before%len(row)) + "\n" + said + "\n" + strings.Repeat(row, 2000) + "-- Dump completed\n"
		for _, r := range []struct {
			name string
			d    dump
		}{
			{"at once", s.scan("t", strings.NewReader(text))},
			{"by halves", s.scan("t", iotest.HalfReader(strings.NewReader(text)))},
		} {
			if r.d.said != said || !r.d.closed || r.d.size != int64(len(text)) {
				t.Fatalf("%d bytes before it, %s: %+v", before, r.name, r.d)
			}
		}
	}
	if d := s.scan("t", iotest.OneByteReader(strings.NewReader(row+said+"\n"))); d.said != said {
		t.Errorf("byte by byte: %+v", d)
	}
	if d := s.scan("t", iotest.ErrReader(errAbandoned)); d.err == nil {
		t.Error("an error of reading is forgotten")
	}
}

// TestDumpsAreWeighedTogether: what one of them lacks says little, unless others have it.
func TestDumpsAreWeighedTogether(t *testing.T) {
	s := newScanner()
	whole := s.scan("a", strings.NewReader(dumpText("a", 9)))
	plain := s.scan("b", strings.NewReader(plainDump(9)))
	bare := s.scan("c", strings.NewReader(bareDump(9)))
	cut := s.scan("d", strings.NewReader(dumpText("d", 900)[:9000]))
	for _, c := range []struct {
		name     string
		dumps    []dump
		problems string
		note     string
	}{
		{"none", nil, "", ""},
		{"all are closed", []dump{whole, whole}, "", ""},
		{"one of two is not", []dump{whole, bare}, "dump-cut", ""},
		{"one of two is not, and ends well", []dump{plain, whole}, "dump-cut", ""},
		{"none is", []dump{plain, bare}, "", "cannot be told: none has"},
		{"none is, and all end well", []dump{plain, plain}, "", "They do end"},
		{"what is cut for certain was said already", []dump{cut}, "", ""},
	} {
		problems, notes := settleDumps(c.dumps)
		v := verdict{problems: problems, notes: notes}
		if rules(v) != c.problems || !strings.Contains(words(v), c.note) || (len(notes) > 0) != (c.note != "") {
			t.Errorf("%s: want %q, %q:\n%s", c.name, c.problems, c.note, words(v))
		}
	}
	list := with(with(account(), "mysql/ruthin_wp.sql", bareDump(20)), "mysql/ruthin_shop.sql", bareDump(20))
	if v := prove(t, newProver(wanted()), pack(t, list)); len(v.problems) > 0 || !strings.Contains(words(v), "cannot be told: none has") {
		t.Errorf("no dump of an archive is closed:\n%s", words(v))
	}
	list = with(account(), "mysql/ruthin_wp.sql", bareDump(20))
	if v := prove(t, newProver(wanted()), pack(t, list)); rules(v) != "dump-cut" || v.problems[0].What != "database ruthin_wp" {
		t.Errorf("one dump of an archive is not closed:\n%s", words(v))
	}
}

// TestOtherParts: home directories, forwarders and filters.
func TestOtherParts(t *testing.T) {
	home := []member{{name: "public_html/index.html", text: "<p>x</p>"}, {name: "cpbackup-exclude.conf", text: "cache/*\n\nlogs\n"}, {name: "backup-11.2.2026_04-05-06_ruthin.tar.gz", text: "old"}}
	packed := squeeze(t, packTar(t, "", home))
	forwards := squeeze(t, []byte("info@ruthin.example: alis@ruthin.example\n*: \":fail: No Such User Here\"\n"))
	filters := squeeze(t, []byte("---\nfilter:\n  - filtername: error reports\n    unless: []\n"))
	const of = "the forwarders of ruthin.example"
	for _, c := range []struct {
		name  string
		p     *prover
		bytes []byte
		rules string
		says  string
	}{
		{"a home directory", newHomeProver(), packed, "", "leaves out of every backup what this file in the home directory names: cache/*, logs."},
		{"its old backups", newHomeProver(), packed, "", "holds 1 full backup already (3 B)"},
		{"a home directory, cut", newHomeProver(), packed[:100], "cut", "The download of the home directory ends in the middle"},
		{"a home directory that stops", newHomeProver(), squeeze(t, packTar(t, "", home)[:512]), "unfinished", "in the middle of a file"},
		{"a home directory without a file", newHomeProver(), squeeze(t, packTar(t, "", nil)), "unfinished", "holds nothing"},
		{"a page in place of it", newHomeProver(), []byte("<html><head><title>cPanel Login</title>"), "page", "“cPanel Login”"},
		{"forwarders", newTextProver(of), forwards, "", ""},
		{"no forwarders", newTextProver(of), squeeze(t, nil), "", ""},
		{"filters", newTextProver("the filters"), filters, "", ""},
		{"forwarders, cut", newTextProver(of), forwards[:len(forwards)-9], "cut", "The download of " + of + " ends in the middle"},
		{"a page that was packed", newTextProver(of), squeeze(t, []byte("<html><title>Error</title>")), "page", "“Error”"},
		{"an error that was packed", newTextProver(of), squeeze(t, []byte("Access denied\n")), "text", "“Access denied”"},
		{"no text", newTextProver(of), squeeze(t, []byte{1, 0, 2}), "text", "no text"},
		{"a database, cut", newDumpProver("ruthin_wp"), squeeze(t, []byte(dumpText("ruthin_wp", 90)))[:300], "cut", "The download of the database ruthin_wp ends in the middle"},
	} {
		v := prove(t, c.p, c.bytes)
		if rules(v) != c.rules || !strings.Contains(words(v), c.says) || c.says == "" && len(v.notes) > 0 {
			t.Errorf("%s: %q, want %q with %q:\n%s", c.name, rules(v), c.rules, c.says, words(v))
		}
	}
	if v := prove(t, newHomeProver(), packed); v.inside.Files != 3 || v.inside.Bytes == 0 {
		t.Errorf("inside: %+v", v.inside)
	}
}

// TestNotes: what is worth knowing, and what cannot be told.
func TestNotes(t *testing.T) {
	unknown := expected{user: "ruthin"}
	skip := wanted()
	skip.skipHome = true
	pg := wanted()
	pg.postgres = []string{"ruthin_gis"}
	same := wanted()
	same.postgres = []string{"ruthin_wp"}
	inside := with(without(account(), "homedir/"), "homedir.tar", string(packTar(t, "", []member{{name: "./public_html/a.html", text: "abc"}, {name: "./cpbackup-exclude.conf", text: "cache\n"}})))
	for _, c := range []struct {
		name  string
		want  expected
		list  []member
		rules string
		says  string // "": nothing
	}{
		{"databases that nobody named", unknown, account(), "", "cannot be told, because nobody has said which there were when it was made"},
		{"suspended", wanted(), with(account(), "cp/ruthin", "DNS=ruthin.example\nDNS1=shop.example\nSUSPENDED=1\n"), "", "The account is suspended."},
		{"excluded", wanted(), with(account(), "homedir/cpbackup-exclude.conf", "cache\n"), "", "leaves out of every backup what this file in the home directory names: cache."},
		{"nothing excluded", wanted(), with(account(), "homedir/cpbackup-exclude.conf", "\n"), "", ""},
		{"old backups", wanted(), with(account(), "homedir/backup-1.2.2026_04-05-06_ruthin.tar.gz", "0123456789"), "", "holds 1 full backup already (10 B)"},
		{"a new database", wanted(), with(account(), "mysql/ruthin_new.sql", dumpText("ruthin_new", 2)), "", "did not name when the backup was asked for: ruthin_new"},
		{"a new database that is cut", wanted(), with(account(), "mysql/ruthin_new.sql", dumpText("ruthin_new", 9)[:500]), "", "did not name that database, so the archive is kept"},
		{"the settings of webmail", wanted(), with(account(), "mysql/roundcube.sql", "INSERT INTO `users` VALUES (1);\n"), "", ""},
		{"a domain that is missing", wanted(), without(with(account(), "userdata/main", "main_domain: ruthin.example\n"), "cp/"), "missing", "does not name 1 domain that the host has: Shop.example."},
		{"an old archive", wanted(), without(account(), "homedir_paths"), "", "homedir_paths is missing"},
		{"no home directory on purpose", skip, without(account(), "homedir/"), "", ""},
		{"not a file", wanted(), without(account(), "homedir/public_html"), "", "not a single file"},
		{"a home directory that was packed on its own", wanted(), inside, "", "leaves out of every backup"},
		{"PostgreSQL", pg, with(account(), "psql/ruthin_gis.tar", "PGDMP"), "", ""},
		{"PostgreSQL is missing", pg, account(), "database", "database ruthin_gis is missing from the archive, although the host has that PostgreSQL database"},
		{"PostgreSQL is empty and has a name of MySQL", same, with(account(), "psql/ruthin_wp.tar", ""), "dump-empty", "ruthin_wp is empty"},
		{"PostgreSQL is empty", pg, with(account(), "psql/ruthin_gis.tar", ""), "dump-empty", "ruthin_gis is empty"},
	} {
		v := prove(t, newProver(c.want), pack(t, c.list))
		if rules(v) != c.rules || !strings.Contains(words(v), c.says) || c.says == "" && len(v.notes) > 0 {
			t.Errorf("%s: %q, want %q with %q:\n%s", c.name, rules(v), c.rules, c.says, words(v))
		}
	}
	v := prove(t, newProver(wanted()), pack(t, inside))
	if v.inside.Files != 2 {
		t.Errorf("a home directory that was packed on its own: %+v", v.inside)
	}
	plain := packTar(t, top, account())
	half := len(plain) / 2
	if v := prove(t, newProver(wanted()), append(squeeze(t, plain[:half]), squeeze(t, plain[half:])...)); len(v.problems)+len(v.notes) > 0 {
		t.Errorf("an archive in two members of gzip:\n%s", words(v))
	}
	if v := prove(t, newProver(wanted()), append(squeeze(t, plain), make([]byte, 5000)...)); len(v.problems)+len(v.notes) > 0 {
		t.Errorf("an archive that is padded:\n%s", words(v))
	}
	if v := prove(t, newProver(wanted()), squeeze(t, append(plain, "more"...))); len(v.problems) > 0 || !strings.Contains(words(v), "4 B behind the mark") {
		t.Errorf("an archive with more behind its end:\n%s", words(v))
	}
}

// TestCompare: the record is told by name what the archive before had.
func TestCompare(t *testing.T) {
	before := &keepwatch.Archive{Stamp: "2026-11-02T030000Z", Inside: &keepwatch.Inside{Databases: []string{"a", "b", "c"}, Domains: []string{"x.example"}}}
	notes := compare(keepwatch.Inside{Databases: []string{"b"}}, before)
	if len(notes) != 2 || !strings.Contains(notes[0].Text, "2 databases that this one has not: a, c.") || !strings.Contains(notes[1].Text, "1 domain that this one has not: x.example.") {
		t.Errorf("%+v", notes)
	}
	for _, b := range []*keepwatch.Archive{nil, {}, {Inside: &keepwatch.Inside{}}} {
		if notes := compare(keepwatch.Inside{Databases: []string{"b"}}, b); len(notes) > 0 {
			t.Errorf("%s: %+v", fmt.Sprint(b), notes)
		}
	}
}
