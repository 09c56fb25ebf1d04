package cpaneltest

import (
	"io"
	"maps"
	"slices"
	"strings"
)

// AddFile puts a file into the home directory. path is below it: "public_html/a.txt".
func (a *Account) AddFile(path string, content []byte) {
	defer a.lock()()
	a.put(path, &node{data: content})
}

// AddFileFrom puts a file into the home directory whose content lies on the test's disk
// and is read from there.
func (a *Account) AddFileFrom(path, disk string) {
	defer a.lock()()
	a.put(path, &node{disk: disk})
}

// AddLink puts a symbolic link into the home directory.
func (a *Account) AddLink(path, target string) {
	defer a.lock()()
	a.put(path, &node{link: target, mode: 0o777})
}

// LockFile makes unlink skip a file and say that it has deleted it, as it does with
// what it lacks the rights for.
func (a *Account) LockFile(path string) {
	defer a.lock()()
	if n := a.home[path]; n != nil {
		n.locked = true
	}
}

// DropServerFile removes a file of the home directory behind everybody's back.
func (a *Account) DropServerFile(name string) {
	defer a.lock()()
	delete(a.home, name)
}

// File gives what a file of the home directory holds now.
func (a *Account) File(path string) ([]byte, bool) {
	defer a.lock()()
	n := a.home[path]
	if n == nil || n.dir {
		return nil, false
	}
	data, err := n.bytes()
	return data, err == nil
}

// Files lists the files of the home directory, sorted, without folders.
func (a *Account) Files() []string {
	defer a.lock()()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.home)) {
		if !a.home[name].dir {
			all = append(all, name)
		}
	}
	return all
}

// Empty takes away all files, databases, forwarders and filters, as if the account had
// been broken into.
func (a *Account) Empty() {
	defer a.lock()()
	for name, n := range a.home {
		if !n.dir {
			delete(a.home, name)
		}
	}
	for _, d := range a.databases {
		d.body, d.dump = "", nil
	}
	clear(a.forwarders)
	clear(a.filters)
}

// AddDatabase makes a database of MySQL. content is its statements, or a whole dump of
// them, of which the frame is taken off.
func (a *Account) AddDatabase(name, content string) {
	defer a.lock()()
	a.databases[name] = &database{body: unframe(content)}
}

// AddDatabaseFunc makes a database whose whole dump is written by a function.
func (a *Account) AddDatabaseFunc(name string, dump func(w io.Writer) error) {
	defer a.lock()()
	a.databases[name] = &database{dump: dump}
}

// AddPostgres makes a database of PostgreSQL, which is empty.
func (a *Account) AddPostgres(name string) {
	defer a.lock()()
	a.postgres = append(a.postgres, name)
}

// DropDatabase removes a database.
func (a *Account) DropDatabase(name string) {
	defer a.lock()()
	delete(a.databases, name)
}

// Database gives the statements of a database: what was added, or the newest that was
// restored, without the frame that dumps have. "" is one that is empty or not there.
func (a *Account) Database(name string) string {
	defer a.lock()()
	d := a.databases[name]
	if d == nil {
		return ""
	}
	if d.dump == nil {
		return d.body
	}
	var b strings.Builder
	if err := d.dump(&b); err != nil {
		return err.Error()
	}
	return unframe(b.String())
}

// Databases lists the databases of MySQL, sorted.
func (a *Account) Databases() []string {
	defer a.lock()()
	return slices.Sorted(maps.Keys(a.databases))
}
