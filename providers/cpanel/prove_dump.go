package cpanel

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"keepwatch"
)

// tailSize is how much of the end of a dump is kept, and of its beginning: the line
// with which it is closed stands in there.
const tailSize = 4 << 10

// dump is what was seen of the dump of one database.
type dump struct {
	database string
	postgres bool // of PostgreSQL, of which nothing but the size is looked at
	size     int64
	blank    bool // holds nothing but blanks
	// closed: it has the line with which mysqldump and mariadb-dump close it. There is
	// none where they were told to write no comments (documentation of MariaDB,
	// mariadb-dump, "comments" and "dump-date").
	closed bool
	// saved and restored: it keeps the session's settings at its beginning, and puts
	// them back at its end. Both programs do that also without comments.
	saved, restored bool
	torn            bool   // it ends in the middle of a statement
	said            string // an error of the dumping program within it
	warned          string // a warning of it
	opaque          bool   // it could not be looked through
	err             error  // why reading stopped
}

// scanner looks a dump through.
type scanner struct {
	buf  []byte // what is looked at, with the end of what was before it
	keep int    // how much of buf is from before
	head []byte
	tail []byte
}

const (
	kept     = 640 // bytes of before that are looked at again: a message, and what stands before it
	lookBack = 32  // of those, what stands before it
	mostLine = kept - lookBack
)

func newScanner() *scanner {
	return &scanner{buf: make([]byte, kept+64<<10), head: make([]byte, 0, tailSize), tail: make([]byte, 0, 2*tailSize)}
}

// scan reads one dump to its end. Its err is nil at io.EOF.
func (s *scanner) scan(database string, r io.Reader) dump {
	d := dump{database: database, blank: true}
	s.keep, s.head, s.tail = 0, s.head[:0], s.tail[:0]
	for {
		n, err := r.Read(s.buf[s.keep:])
		fresh := s.buf[s.keep : s.keep+n]
		d.blank = d.blank && len(bytes.Trim(fresh, " \t\r\n\x00")) == 0
		s.head = append(s.head, fresh[:min(n, tailSize-len(s.head))]...)
		s.remember(fresh)
		whole := s.buf[:s.keep+n]
		first := d.size == int64(s.keep) // buf begins where the dump does
		d.size += int64(n)
		s.messages(&d, whole, first, err != nil)
		s.keep = copy(s.buf, whole[max(0, len(whole)-kept):])
		if err != nil {
			if !errors.Is(err, io.EOF) {
				d.err = err
			}
			s.conclude(&d)
			return d
		}
	}
}

// remember keeps the last tailSize bytes.
func (s *scanner) remember(b []byte) {
	if len(b) >= tailSize {
		s.tail = append(s.tail[:0], b[len(b)-tailSize:]...)
		return
	}
	if over := len(s.tail) + len(b) - tailSize; over > 0 {
		s.tail = s.tail[:copy(s.tail, s.tail[over:])]
	}
	s.tail = append(s.tail, b...)
}

// messages looks for what a dumping program says when it meets trouble. It belongs into
// another place, but cPanel's download of a database puts it into the stream once that
// has begun, and hosts' scripts do likewise.
func (s *scanner) messages(d *dump, b []byte, first, last bool) {
	from, to := lookBack, len(b)-mostLine // what is behind to is looked at with the next bytes
	if first {
		from = 0
	}
	if last {
		to = len(b)
	}
	for from < to {
		i := bytes.Index(b[from:], []byte("dump: "))
		if i < 0 || from+i >= to {
			return
		}
		at := from + i
		from = at + 1
		begin := at + len("dump") - programLength(b[:at+len("dump")])
		if begin == at+len("dump") {
			continue
		}
		line, _, ended := bytes.Cut(b[begin:min(len(b), begin+mostLine)], []byte("\n"))
		ended = ended || last && begin+len(line) == len(b)
		s.message(d, string(bytes.TrimRight(line, "\r")), begin == 0 && first || begin > 0 && b[begin-1] == '\n', ended)
	}
}

// programLength gives the length of the name of a program that dumps databases and that
// text ends with, or 0. It may stand directly behind letters, where it broke into a row.
func programLength(text []byte) int {
	for _, name := range []string{"mysqldump", "mariadb-dump", "pg_dump"} {
		if bytes.HasSuffix(text, []byte(name)) {
			return len(name)
		}
	}
	return 0
}

// message weighs a line that may be a message. In the middle of a line it is one only
// where that line then ends as no statement does: the texts of a site may well be about
// such errors, but mysqldump writes their line breaks as \n, so that a row's line goes
// on and ends in ")," or ";".
func (s *scanner) message(d *dump, line string, atStart, ended bool) {
	_, said, _ := strings.Cut(line, "dump: ")
	known := false
	for _, begins := range []string{"Got error", "Error", "Couldn't", "Can't", "Lost connection", "[ERROR]", "[Warning]", "Warning", "unknown", "Unknown"} {
		known = known || strings.HasPrefix(said, begins)
	}
	if !atStart && (!known || !ended || strings.HasSuffix(line, ";") || strings.HasSuffix(line, ",")) {
		return
	}
	// Without the right PROCESS all of a database is dumped but its tablespaces, which
	// no account on a shared host has (MySQL manual, mysqldump, "no-tablespaces").
	if strings.HasPrefix(said, "[Warning]") || strings.HasPrefix(said, "Warning") || strings.Contains(said, "when trying to dump tablespaces") {
		if d.warned == "" {
			d.warned = show(line)
		}
		return
	}
	if d.said == "" {
		d.said = show(line)
	}
}

// conclude judges the beginning and the end.
func (s *scanner) conclude(d *dump) {
	d.saved = bytes.Contains(s.head, []byte("SET @OLD_")) && bytes.Contains(s.head, []byte("=@@"))
	lines := strings.Split(strings.TrimRight(string(s.tail), " \t\r\n\x00"), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	for i, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "-- Dump completed"):
			d.closed = true
			if i < len(lines)-1 && d.said == "" && isMessage(last) {
				d.said = show(last)
			}
		case strings.HasPrefix(line, "/*!") || strings.HasPrefix(line, "/*M!"):
			d.restored = d.restored || strings.Contains(line, "=@OLD_")
		}
	}
	whole := strings.HasSuffix(last, ";") || strings.HasSuffix(last, "*/") || strings.HasPrefix(last, "--") || strings.HasPrefix(last, "#")
	d.torn = !d.blank && !d.closed && !whole
	if d.torn && d.said == "" && isMessage(last) {
		d.said = show(last)
	}
}

// isMessage reports whether the last line of a dump reads like the message of a program
// and not like the beginning of a statement. What cPanel's own download says there is
// documented nowhere; "(XID" begins the errors of its programs.
func isMessage(line string) bool {
	lower := strings.ToLower(line)
	for _, begins := range []string{"insert ", "replace ", "create ", "alter ", "lock ", "unlock ", "drop ", "set ", "/*", "--", "(", "`", "key ", "primary "} {
		if strings.HasPrefix(lower, begins) && !strings.HasPrefix(lower, "(xid") {
			return false
		}
	}
	for _, word := range []string{"error", "denied", "failed", "could not", "couldn't", "cannot", "can't", "unable", "lost connection", "gone away", "(xid", "timed out", "killed"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// judge adds what is wrong with a dump for certain, whatever others are like.
func (d dump) judge(v *verdict) {
	what := "database " + show(d.database)
	name := "The dump of the database " + show(d.database)
	switch {
	case d.opaque:
		v.note("%s could not be looked through, because it is stored with holes: whether it is complete cannot be told.", name)
	case d.size == 0 || d.blank:
		v.problem("dump-empty", what, "%s is empty (%s). The host could not read that database: look at it in cPanel (MySQL Databases, Repair), ask the host, and start a new backup.", name, keepwatch.FormatBytes(d.size))
	case d.said != "":
		v.problem("dump-error", what, "%s has an error of the host within it: “%s”. Something of the database is missing from it. Repair the database in cPanel (MySQL Databases, Repair), or show this to the host, and start a new backup.", name, d.said)
	case !d.closed && (d.torn || d.saved && !d.restored):
		v.problem("dump-cut", what, "%s is cut off after %s: it ends before its end. The database went away while it was read, or the account's quota or the disk was full. Look at these and start a new backup.", name, keepwatch.FormatBytes(d.size))
	default:
		if d.warned != "" {
			v.note("%s has a warning of the host within it: “%s”. It seems complete, but that line has to be taken out before it can be put back.", name, d.warned)
		}
	}
}

// certain reports whether judge has settled a dump.
func (d dump) certain() bool {
	return d.opaque || d.size == 0 || d.blank || d.said != "" || d.closed || d.torn || d.saved && !d.restored
}

// settleDumps weighs the dumps of a run or an archive against one another. The line that
// closes a dump is missing from all of them where the host writes no comments; then it
// says nothing. Where others have it, one that has none was cut off.
func settleDumps(all []dump) (problems []keepwatch.Finding, notes []keepwatch.Note) {
	var v verdict
	var open []string
	closed, restored := 0, 0
	for _, d := range all {
		if d.closed {
			closed++
		}
		if !d.certain() {
			open = append(open, d.database)
			if d.restored {
				restored++
			}
		}
	}
	switch {
	case len(open) == 0:
	case closed > 0:
		for _, db := range open {
			v.problem("dump-cut", "database "+show(db), "The dump of the database %s lacks the line that closes it, which the others have: it was cut off. The database went away while it was read, or the account's quota or the disk was full. Look at these and start a new backup.", show(db))
		}
	case restored == len(open):
		v.note("No dump has the line that closes it, because the host writes none. They do end with the statements that a complete dump ends with: %s.", showAll(open))
	default:
		v.note("Whether the dumps of databases are complete cannot be told: none has the line that closes a dump, because the host writes none (%s). Only putting one back would show it.", showAll(open))
	}
	return v.problems, v.notes
}

// dumpPart is a database that was downloaded alone.
type dumpPart struct{ database string }

func (p dumpPart) names() (string, string) {
	return "The download of the database " + show(p.database), "database " + show(p.database)
}

func (p dumpPart) look(r io.Reader) sight { return dumpSight{newScanner().scan(p.database, r)} }

type dumpSight struct{ dump }

func (dumpSight) odd() bool { return false }

func (d dumpSight) judge(_ expected, v *verdict) {
	v.inside = keepwatch.Inside{Bytes: d.size, Databases: []string{d.database}}
	v.dumps = []dump{d.dump}
	d.dump.judge(v)
}
