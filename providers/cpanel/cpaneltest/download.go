package cpaneltest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// download answers the routes that no document of the API has. /download gives any file
// of the home directory, with Range; the others make what they give while they give it,
// without a length, without Range, and with other bytes each time.
func (h *Host) download(w http.ResponseWriter, r *http.Request, c Call, fault Fault) {
	h.mu.Lock()
	a := h.accounts[c.User]
	token, session, backup := h.noToken, h.noSession, a.feature("backup")
	h.mu.Unlock()
	switch {
	case c.Auth == "token" && token:
		loginPage(w, http.StatusOK)
	case c.Auth != "token" && session:
		loginPage(w, http.StatusForbidden)
	case strings.HasPrefix(c.Path, "/download"):
		h.file(w, r, a, fault)
	case !backup:
		page(w, http.StatusForbidden, "<h1>You do not have the feature “backup”.</h1>")
	default:
		h.generate(w, a, c.Path, fault)
	}
}

// file is /download?skipencode=1&file=/home/USER/…: as much of it as there is now.
func (h *Host) file(w http.ResponseWriter, r *http.Request, a *Account, fault Fault) {
	h.mu.Lock()
	name, n := a.find(r.URL.Query().Get("file"))
	var content io.ReadSeekCloser
	var at time.Time
	err := fmt.Errorf("no such file")
	if n != nil && !n.dir {
		content, err = n.open()
		at = n.mtime
	}
	h.mu.Unlock()
	if err != nil {
		page(w, http.StatusNotFound, "<h1>The file does not exist.</h1>")
		return
	}
	defer content.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(name)))
	if fault.NoRange || fault.Truncate > 0 {
		r.Header.Del("Range")
	}
	if fault.Truncate > 0 {
		content = nopSeeker{bytes.NewReader(head(content, fault.Truncate))}
	}
	if fault.WrongRange && wrongRange(w, r, content) {
		return
	}
	http.ServeContent(w, r, "", at, content)
}

func head(r io.Reader, n int64) []byte {
	all, _ := io.ReadAll(io.LimitReader(r, n)) // what is missing is missing
	return all
}

// wrongRange answers 206 from another place than was asked for.
func wrongRange(w http.ResponseWriter, r *http.Request, content io.ReadSeeker) bool {
	from, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"), 10, 64)
	size, serr := content.Seek(0, io.SeekEnd)
	if err != nil || serr != nil || from == 0 || from >= size {
		return false
	}
	from /= 2
	if _, err := content.Seek(from, io.SeekStart); err != nil {
		return false
	}
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, size-1, size))
	w.Header().Set("Content-Length", strconv.FormatInt(size-from, 10))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = io.Copy(w, content) // the client may have gone
	return true
}

// generate is /getbackup, /getsqlbackup, /getaliasbackup and /getfilterbackup.
func (h *Host) generate(w http.ResponseWriter, a *Account, p string, fault Fault) {
	h.mu.Lock()
	body := a.generated(p, fault)
	h.seq++
	at := h.Now().Add(time.Duration(h.seq) * time.Second) // so that no two are the same
	h.mu.Unlock()
	if body == nil {
		page(w, http.StatusNotFound, "<h1>Not found</h1>")
		return
	}
	w.Header().Set("Content-Type", "application/x-gzip")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(p)))
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()        // from here on nobody can say that it failed
	zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // a level that there is
	zip.ModTime = at
	if err := body(zip); err != nil {
		_ = zip.Flush() // what there is, before what spoils it
		_, _ = io.WriteString(w, err.Error())
		return
	}
	_ = zip.Close() // the client may have gone
}

// generated finds what a route makes; nil: it is not the account's. The lock is held.
func (a *Account) generated(p string, fault Fault) func(io.Writer) error {
	route, name := path.Split(p)
	short := strings.TrimSuffix(name, ".gz")
	switch route {
	case "/getsqlbackup/":
		return a.dumped(strings.TrimSuffix(short, ".sql"), fault)
	case "/getbackup/":
		return a.packed()
	case "/getaliasbackup/":
		domain := strings.TrimPrefix(short, "aliases-")
		if contains(a.domains, domain) {
			return text(strings.Join(append(a.forwarders[domain][:len(a.forwarders[domain]):len(a.forwarders[domain])], "*: "+a.user), "\n") + "\n")
		}
	case "/getfilterbackup/":
		if strings.HasPrefix(short, "filter_info.") {
			return text(a.filters[""])
		}
		if domain := strings.TrimPrefix(short, "filter-"); contains(a.domains, domain) {
			return text(a.filters[domain])
		}
	}
	return nil
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// dumped is a dump of a database, as mysqldump pipes it into gzip.
func (a *Account) dumped(name string, fault Fault) func(io.Writer) error {
	d := a.databases[name]
	if d == nil {
		return nil
	}
	opts := a.h.cfg.Dump
	opts.Date = a.h.Now().In(a.h.cfg.Zone)
	if fault.DatabaseError == "" && d.dump != nil {
		return d.dump
	}
	whole := d.text(name, opts)
	if fault.DatabaseError == "" {
		return text(whole)
	}
	half := whole[:len(whole)/2]
	return func(w io.Writer) error {
		if _, err := io.WriteString(w, half); err != nil {
			return nil
		}
		if fault.Raw {
			return refusal(fault.DatabaseError)
		}
		_, err := fmt.Fprintf(w, "\n%s\n", fault.DatabaseError)
		return err
	}
}

// packed is the partial backup of the home directory: everything below ".".
func (a *Account) packed() func(io.Writer) error {
	spec := ArchiveSpec{User: a.user, tree: a.backedUp()}
	when := a.h.Now().In(a.h.cfg.Zone)
	return func(w io.Writer) error {
		b := &builder{tar: tar.NewWriter(w), prefix: "./", when: when}
		b.dir("")
		b.tree("", spec)
		if b.err == nil {
			b.err = b.tar.Close()
		}
		return b.err
	}
}
