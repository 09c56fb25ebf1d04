package cpanel

import (
	"archive/tar"
	"bytes"
	"io"
	"slices"
	"strings"

	"keepwatch"
)

// fullBackup is the archive of a whole account. What lies where in it is documented by
// cPanel (knowledge base, "Backup Tarball Contents"), which warns that it may change at
// any time: so little is required, and the rest is only looked at.
type fullBackup struct{}

func (fullBackup) names() (string, string) { return "The archive", "archive" }

// contents is what was seen in a full backup.
type contents struct {
	tar      tarEnd
	top      string // the folder that all of it lies in
	tops     int64  // entries that do not
	other    string // one of those
	version  bool
	accounts []string // files in cp/: the names of accounts, mostOdd at the most
	cp       []byte   // the one of the account that is expected, or the first
	userdata []byte   // userdata/main
	paths    bool     // homedir_paths is there
	home     home
	dumps    []dump
	postgres []string
	domains  map[string]bool
	mailers  map[string]bool // domains that have forwarders
	user     string          // whose account is expected
	scanner  *scanner
}

// home is what was seen of a home directory.
type home struct {
	there    bool
	files    int64
	nested   *tarEnd // of homedir.tar
	opaque   bool    // homedir.tar could not be looked through
	packed   int64   // its size
	excludes []byte  // of cpbackup-exclude.conf
	earlier  int64   // full backups that lie in it
	weight   int64   // their bytes
	bytes    int64   // of the files in homedir.tar
	filters  bool    // e-mail filters of the account are in it
}

// look walks through a full backup. Where the archive has a homedir.tar, that is walked
// through as well.
func (fullBackup) look(r io.Reader) sight {
	c := &contents{domains: map[string]bool{}, mailers: map[string]bool{}, scanner: newScanner()}
	c.tar = walkTar(r, c.visit)
	return c
}

func (c *contents) visit(e entry, content io.Reader) {
	top, rest, _ := strings.Cut(e.name, "/")
	if c.top == "" && top != "." && top != ".." {
		c.top = top
	}
	if top != c.top {
		if top != "." {
			if c.tops++; c.other == "" {
				c.other = e.name
			}
		}
		return
	}
	folder, name, deeper := strings.Cut(rest, "/")
	switch {
	case folder == "homedir":
		c.home.there = true
		if deeper {
			c.home.visit(name, e, content)
		}
	case rest == "homedir.tar" && e.isFile():
		c.home.there = true
		c.home.walk(e, content)
	case !e.isFile():
	case rest == "version":
		c.version = len(bytes.TrimSpace(readSmall(e, content))) > 0
	case rest == "homedir_paths":
		c.paths = true
	case folder == "cp" && deeper:
		c.account(name, readSmall(e, content))
	case folder == "mysql" && strings.HasSuffix(name, ".sql"):
		c.dump(strings.TrimSuffix(name, ".sql"), e, content)
	case folder == "psql" && strings.HasSuffix(name, ".tar") && len(c.postgres) < mostNames && len(name) <= longest:
		c.postgres = append(c.postgres, strings.TrimSuffix(name, ".tar"))
		if e.size == 0 {
			c.dumps = append(c.dumps, dump{database: strings.TrimSuffix(name, ".tar"), postgres: true, blank: true})
		}
	case folder == "dnszones" && strings.HasSuffix(name, ".db"):
		c.domain(strings.TrimSuffix(name, ".db"))
	case folder == "va" && deeper && e.size > 0 && !strings.Contains(name, "/") && len(c.mailers) < mostNames && len(name) <= longest:
		c.mailers[name] = true
	case rest == "userdata/main":
		c.userdata = readSmall(e, content)
	}
}

// account takes in a file of cp/, which is named after the account.
func (c *contents) account(name string, text []byte) {
	if len(bytes.TrimSpace(text)) == 0 || strings.Contains(name, "/") {
		return
	}
	if len(c.accounts) < mostOdd {
		c.accounts = append(c.accounts, show(name))
	}
	if c.cp == nil || name == c.user {
		c.cp = text
	}
}

// dump looks through a dump of MySQL or MariaDB.
func (c *contents) dump(database string, e entry, content io.Reader) {
	if len(c.dumps) >= mostNames || len(database) > longest {
		return
	}
	if e.sparse {
		c.dumps = append(c.dumps, dump{database: database, size: e.size, opaque: true})
		return
	}
	c.dumps = append(c.dumps, c.scanner.scan(database, content))
}

// domain takes in the name of a domain, if it is one; a wildcard is one too.
func (c *contents) domain(name string) {
	name = strings.ToLower(strings.Trim(name, "'\" \t\r"))
	if len(c.domains) >= mostNames || len(name) > longest || !strings.Contains(name, ".") || strings.Contains(name, "..") {
		return
	}
	for i := range len(name) {
		switch b := name[i]; {
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9':
		case i > 0 && i < len(name)-1 && (b == '.' || b == '-'), b == '_':
		case i == 0 && b == '*' && name[1] == '.':
		default:
			return
		}
	}
	c.domains[name] = true
}

// walk looks through a home directory that was packed on its own, within the archive.
func (h *home) walk(e entry, content io.Reader) {
	if e.sparse { // it would be read as zeros, maybe without end
		h.opaque = true
		return
	}
	h.packed = e.size
	end := walkTar(content, func(e entry, content io.Reader) {
		name := strings.TrimPrefix(strings.TrimPrefix(e.name, "./"), "homedir/")
		h.visit(name, e, content)
	})
	h.nested, h.bytes = &end, end.bytes
}

// visit takes in one entry of a home directory; name is relative to it.
func (h *home) visit(name string, e entry, content io.Reader) {
	if !e.isFile() {
		return
	}
	h.files++
	switch {
	case name == strings.TrimPrefix(innerFilters, innerHome+"/"):
		h.filters = e.size > 0
	case name == "cpbackup-exclude.conf":
		h.excludes = readSmall(e, content)
	case strings.HasPrefix(name, "backup-") && strings.HasSuffix(name, ".tar.gz") && !strings.Contains(name, "/") && e.kind == tar.TypeReg:
		h.earlier++
		h.weight += max(e.size, 0)
	}
}

// notes says what is worth knowing of a home directory.
func (h *home) notes(v *verdict) {
	var lines []string
	for line := range strings.Lines(string(h.excludes)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		v.notes = append(v.notes, keepwatch.Note{Kind: keepwatch.NoteExcluded, Path: "cpbackup-exclude.conf", Text: "The host leaves out of every backup what this file in the home directory names: " + showAll(lines) + "."})
	}
	if h.earlier > 0 {
		v.note("The home directory holds %s already (%s), which are packed into each new one. Removing them at the host makes room.", keepwatch.FormatCount(h.earlier, "full backup"), keepwatch.FormatBytes(h.weight))
	}
}

func (c *contents) odd() bool {
	return c.tar.odd() || c.home.nested != nil && c.home.nested.odd()
}

// sorted gives what is in a set, in order.
func sorted(set map[string]bool) []string {
	var list []string
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
