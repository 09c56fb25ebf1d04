package cpaneltest

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"strings"
	"time"
)

// run is a full backup that was begun.
type run struct {
	a        *Account
	name     string // of the file
	began    time.Time
	ended    time.Time // zero: it goes on, or stalls
	state    string    // "inprogress", "complete", "timeout", "none"
	aside    bool      // by WHM: BackupInfo does not know of it
	marker   bool      // the marker file is there
	total    int64     // bytes that it will have; 0: not known yet
	node     *node     // the file in the home directory; nil: there is none (yet)
	home     string    // its path there; "": it goes elsewhere
	email    string
	fault    Fault
	when     time.Time // in the server's zone
	spec     ArchiveSpec
	place    func() (string, error) // makes the file and gives its place on the disk; the lock is held
	finished func(ok bool)          // the lock is held; nil: nothing
}

// begin starts one in the background. The lock is held.
func (h *Host) beginBackup(r *run) {
	r.began, r.state, r.marker = h.Now(), "inprogress", true
	r.when = r.began.In(h.cfg.Zone)
	if r.name == "" {
		r.name = h.backupName(r.a.user, r.when)
	}
	r.spec.User, r.spec.Domains, r.spec.Dump = r.a.user, r.a.domains, h.cfg.Dump
	r.spec.Dump.Date = r.when
	r.spec.Level = gzip.BestSpeed
	r.spec.Forwarders, r.spec.Filters, r.spec.tree = maps.Clone(r.a.forwarders), maps.Clone(r.a.filters), r.a.backedUp()
	r.spec.Databases = map[string]string{}
	for name, d := range r.a.databases {
		r.spec.Databases[name] = d.text(name, r.spec.Dump)
	}
	if r.fault.Never {
		return
	}
	if !r.aside {
		r.a.runs = append(r.a.runs, r)
		r.a.done = false
	}
	h.spawn(func() {
		err := h.write(r)
		h.mu.Lock()
		defer h.mu.Unlock()
		r.ended = h.Now()
		if err == nil {
			r.state, r.marker, r.a.done = "complete", false, r.a.done || !r.aside
		}
		if r.node != nil {
			r.node.mtime = r.ended
		}
		if r.finished != nil {
			r.finished(err == nil)
		}
		if r.email == "" {
			return
		}
		text := "The backup " + r.name + " is complete."
		if err != nil {
			text = "The backup " + r.name + " failed: " + err.Error()
		}
		h.mails = append(h.mails, Mail{To: r.email, Subject: "[" + r.a.domains[0] + "] Full backup", Text: text})
	})
}

func (h *Host) backupName(user string, when time.Time) string {
	if h.cfg.OddNames {
		return fmt.Sprintf("backup-%s_%s_%s.tar.gz", h.version, when.Format(time.DateOnly), user)
	}
	return BackupName(user, when)
}

// text is the whole dump of a database.
func (d *database) text(name string, opts DumpOpts) string {
	var b strings.Builder
	if d.dump != nil {
		if err := d.dump(&b); err != nil {
			fmt.Fprintf(&b, "\nmysqldump: %v\n", err)
		}
		return b.String()
	}
	_ = frame(&b, name, d.body, opts) // a Builder takes everything
	return b.String()
}

// backedUp is what a backup takes of the home directory: all but earlier full backups
// and what the user's own list of exclusions names (docs.cpanel.net, "How to Exclude
// Files From Backups"). The lock is held.
func (a *Account) backedUp() map[string]*node {
	var out []string
	if n := a.home["cpbackup-exclude.conf"]; n != nil {
		out = strings.Fields(string(n.data))
	}
	all := map[string]*node{}
	for name, n := range a.home {
		skip := a.isBackup(name) || strings.HasPrefix(name, "cpmove-")
		for _, pattern := range out {
			if ok, _ := path.Match(strings.TrimPrefix(pattern, "./"), name); ok || strings.HasPrefix(name, strings.TrimSuffix(pattern, "/")+"/") {
				skip = true
			}
		}
		if !skip {
			copied := *n
			all[name] = &copied
		}
	}
	return all
}

// write makes the archive aside and lets it grow where it belongs.
func (h *Host) write(r *run) error {
	h.mu.Lock()
	aside := h.onDisk()
	h.mu.Unlock()
	f, err := os.Create(aside)
	if err != nil {
		return err
	}
	defer os.Remove(aside)
	defer f.Close()
	if err := WriteArchive(mortal{f, h}, r.spec, r.when); err != nil {
		return err
	}
	total, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return h.copyOver(r, f, total)
}

// mortal is a file that takes nothing more once the host has ended.
type mortal struct {
	io.Writer
	h *Host
}

func (m mortal) Write(p []byte) (int, error) {
	if m.h.ctx.Err() != nil {
		return 0, errStopped
	}
	return m.Writer.Write(p)
}

func (h *Host) copyOver(r *run, from io.Reader, total int64) error {
	var to *os.File
	defer func() {
		if to != nil {
			_ = to.Close() // it is written without a buffer
		}
	}()
	for at := int64(0); at < total; {
		done, err := h.pace()
		if err != nil {
			return err
		}
		h.mu.Lock()
		r.total = total
		if to == nil {
			var disk string
			if disk, err = r.place(); err == nil {
				// A second backup of the same second cuts the first one's file short and
				// writes into it from the beginning.
				to, err = os.OpenFile(disk, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			}
		}
		var n int64
		if err == nil {
			n, err = h.piece(r, at, total, to, from)
		}
		h.mu.Unlock()
		done()
		if err != nil {
			return err
		}
		at += n
	}
	return nil
}

// piece writes the next bytes. The lock is held.
func (h *Host) piece(r *run, at, total int64, to io.Writer, from io.Reader) (int64, error) {
	step := h.grow
	if step <= 0 {
		step = max((total+7)/8, 1)
	}
	step = min(step, total-at)
	stop, at2 := r.fault.stop()
	if stop != "" && at+step >= at2 {
		step = min(max(at2-at, 0), step)
	}
	room := int64(-1)
	if r.home != "" && r.a.limit > 0 {
		if room = r.a.limit - r.a.used(); room < step {
			step, stop, at2 = max(room, 0), "full", at+max(room, 0)
		}
	}
	n, err := io.CopyN(to, from, step)
	if err != nil {
		return n, err
	}
	if r.node != nil {
		r.node.mtime = h.Now()
	}
	if stop == "" || at+n < at2 {
		return n, nil
	}
	switch stop {
	case "stall":
		return n, fmt.Errorf("it stalled after %d bytes", at+n)
	case "vanish":
		r.state, r.marker = "none", false
		if r.home != "" {
			delete(r.a.home, r.home)
		}
		return n, fmt.Errorf("it was stopped after %d bytes", at+n)
	case "timeout":
		r.state = "timeout"
		return n, fmt.Errorf("it timed out after %d bytes", at+n)
	}
	r.state, r.marker = "none", false
	return n, fmt.Errorf("the disk quota is exceeded")
}

// stop says how and where a full backup comes to grief.
func (f Fault) stop() (how string, at int64) {
	switch {
	case f.StallAt > 0:
		return "stall", f.StallAt
	case f.VanishAt > 0:
		return "vanish", f.VanishAt
	case f.FullAt > 0:
		return "full", f.FullAt
	case f.Timeout > 0:
		return "timeout", f.Timeout
	}
	return "", 0
}

// fullToHome is Backup::fullbackup_to_homedir.
func fullToHome(q *request) (any, error) {
	r := q.backup()
	r.place = func() (string, error) {
		r.home = r.name
		if n := q.a.home[r.name]; n != nil && n.disk != "" {
			r.node = n
			return n.disk, nil
		}
		r.node = &node{disk: q.h.onDisk(), mode: 0o600}
		q.a.put(r.name, r.node)
		return r.node.disk, nil
	}
	q.h.beginBackup(r)
	return q.pid(), nil
}

func (q *request) backup() *run {
	return &run{a: q.a, email: q.params.Get("email"), fault: q.fault, spec: ArchiveSpec{SkipHome: q.params.Get("homedir") == "skip"}}
}

// pid is what the functions answer: only the number of a process, as a string.
func (q *request) pid() map[string]any {
	q.h.seq++
	return map[string]any{"pid": fmt.Sprint(2856 + q.h.seq)}
}
