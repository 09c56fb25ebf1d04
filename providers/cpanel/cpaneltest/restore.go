package cpaneltest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// job is a restore that goes on, whether its client is there or not.
type job struct {
	q        *request
	function string
	log      string // path in the home directory
	id       string
	text     strings.Builder
	messages []string
	at       int // in account.restored
}

// source is a file that is restored from.
type source struct {
	name string
	node *node
}

func restoreDatabases(q *request) (any, error) {
	return q.restore("restore_databases", "file", "logs/restoredb", (*job).database)
}

func restoreFiles(q *request) (any, error) {
	return q.restore("restore_files", "backup", ".cpanel/logs/restorefiles", (*job).files)
}

func restoreForwarders(q *request) (any, error) {
	return q.restore("restore_email_forwarders", "backup", ".cpanel/logs/restore-email-forwarders", (*job).forwarders)
}

func restoreFilters(q *request) (any, error) {
	return q.restore("restore_email_filters", "backup", ".cpanel/logs/restore-email-filters", (*job).filters)
}

// restore carries files back, one after the other, and answers when all is done. It goes
// on when the client is gone.
func (q *request) restore(function, field, logs string, each func(j *job, s source) error) (any, error) {
	sources, err := q.sources(field)
	if err != nil {
		return nil, err
	}
	j := &job{q: q, function: function}
	q.h.mu.Lock()
	j.begin(logs, sources)
	q.h.mu.Unlock()
	middle, end := make(chan struct{}), make(chan error, 1)
	q.h.spawn(func() { end <- j.run(sources, each, middle) })
	if q.fault.RestoreCut {
		select {
		case <-middle:
		case <-q.h.ctx.Done():
		}
		q.gone = true
		return nil, nil
	}
	select {
	case err = <-end:
	case <-q.r.Context().Done():
		q.gone = true
		return nil, nil
	}
	data := map[string]any{"log_id": j.id, "log_path": q.a.homePath(j.log), "messages": j.messages}
	if err != nil {
		return nil, withData{err, data}
	}
	return data, nil
}

// sources are the files of a call: uploaded ones ("backup", "backup-1" …) or those that
// are on the server, which must lie in the home directory.
func (q *request) sources(field string) ([]source, error) {
	number := regexp.MustCompile(`^(file|backup)(-\d+)?$`)
	var all []source
	for _, p := range q.parts {
		if number.MatchString(p.field) && strings.HasPrefix(p.field, field) {
			all = append(all, source{path.Base(p.name), &node{disk: p.disk}})
		}
	}
	var named []string
	for name := range q.params {
		if number.MatchString(name) && strings.HasPrefix(name, "backup") {
			named = append(named, name)
		}
	}
	slices.Sort(named)
	q.h.mu.Lock()
	defer q.h.mu.Unlock()
	for _, name := range named {
		p := q.params.Get(name)
		if _, n := q.a.find(p); n != nil && !n.dir {
			copied := *n
			all = append(all, source{path.Base(p), &copied})
			continue
		}
		return nil, refuse("The file “%s” does not exist in the account’s home directory.", p)
	}
	if len(all) == 0 {
		return nil, refuse("You must provide the “%s” argument.", field)
	}
	return all, nil
}

// begin makes the log and the record. The lock is held.
func (j *job) begin(logs string, sources []source) {
	at := j.q.h.Now()
	for revision := 1; ; revision++ {
		j.id = fmt.Sprintf("%s.%d", at.UTC().Format("2006-01-02T15:04:05Z"), revision)
		j.log = path.Join(logs, j.id+".log")
		if j.q.a.home[j.log] == nil {
			break
		}
	}
	var files []string
	for _, s := range sources {
		files = append(files, s.name)
	}
	j.say("The restoration of %s has begun.", strings.Join(files, ", "))
	j.q.a.restored = append(j.q.a.restored, Restored{Function: j.function, File: strings.Join(files, ", "), At: at, Log: j.q.a.homePath(j.log)})
	j.at = len(j.q.a.restored) - 1
}

// say adds a line to the log. The lock is held.
func (j *job) say(format string, args ...any) {
	fmt.Fprintf(&j.text, "[%s] %s\n", j.q.h.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
	j.q.a.put(j.log, &node{data: []byte(j.text.String()), mode: 0o600})
}

// step waits for its turn and does something with the lock held.
func (j *job) step(do func() error) error {
	done, err := j.q.h.pace()
	if err != nil {
		return err
	}
	defer done()
	j.q.h.mu.Lock()
	defer j.q.h.mu.Unlock()
	return do()
}

func (j *job) run(sources []source, each func(*job, source) error, middle chan<- struct{}) (err error) {
	defer func() {
		j.q.h.mu.Lock()
		defer j.q.h.mu.Unlock()
		if err != nil {
			j.say("The restoration failed: %v", err)
			j.q.a.restored[j.at].Failed = err.Error()
		} else {
			j.say("The restoration is complete.")
		}
	}()
	err = j.step(func() error {
		close(middle)
		if j.q.fault.RestoreFails != "" {
			return refusal(j.q.fault.RestoreFails)
		}
		return nil
	})
	for _, s := range sources {
		if err != nil {
			return err
		}
		err = each(j, s)
	}
	return err
}

func (j *job) done(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	j.messages = append(j.messages, text)
	j.say("%s", text)
}

// unzip reads a source to its end; one without gzip is taken as it is.
func (s source) unzip() (string, error) {
	r, err := s.node.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	if !strings.HasSuffix(s.name, ".gz") {
		all, err := io.ReadAll(r)
		return string(all), err
	}
	zip, err := gzip.NewReader(r)
	if err != nil {
		return "", refuse("gzip: %s: not in gzip format", s.name)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		return "", refuse("gzip: %s: unexpected end of file", s.name)
	}
	return string(all), nil
}

// database restores a dump: its name says which. What comes before an error has been
// carried out.
func (j *job) database(s source) error {
	text, err := s.unzip()
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(strings.TrimSuffix(s.name, ".gz"), ".sql")
	return j.step(func() error {
		a := j.q.a
		if !strings.HasPrefix(name, a.user+"_") && a.databases[name] == nil {
			return refuse("The database “%s” does not belong to the account.", name)
		}
		good, bad := statements(text)
		d := a.databases[name]
		if d == nil {
			d = &database{}
			a.databases[name] = d
		}
		d.body, d.dump = unframe(good), nil
		if bad != "" {
			return refuse("ERROR 1064 (42000) at line %d: You have an error in your SQL syntax near '%.40s'", strings.Count(good, "\n")+1, bad)
		}
		j.done("The system successfully restored the database '%s' from the backup file '%s'", name, s.name)
		return nil
	})
}

// statements cuts a text where MySQL stops with an error: at a page of HTML, or at what a
// broken mysqldump wrote into its dump.
func statements(text string) (good, bad string) {
	at := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "<") || strings.HasPrefix(line, "mysqldump:") || strings.HasPrefix(line, "mysqldump: ") || strings.ContainsRune(line, 0) {
			return text[:at], strings.TrimSpace(line)
		}
		at += len(line)
	}
	return text, ""
}

// forwarders replaces those of the domain that the file is called after.
func (j *job) forwarders(s source) error {
	text, err := s.unzip()
	if err != nil {
		return err
	}
	domain := strings.TrimPrefix(strings.TrimSuffix(s.name, ".gz"), "aliases-")
	return j.step(func() error {
		if !slices.Contains(j.q.a.domains, domain) {
			return refuse("The domain “%s” does not belong to the account.", domain)
		}
		j.q.a.forwarders[domain] = aliases(text, j.q.a.user)
		j.done("The system successfully restored the email forwarders from the '%s' backup.", s.name)
		return nil
	})
}

// aliases reads the file of a domain: a line each, without the one for all other
// addresses.
func aliases(text, user string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line != "*: "+user && !strings.HasPrefix(line, "*: \":fail:") {
			all = append(all, line)
		}
	}
	return all
}

// filters replaces the account's own filters (filter_info.USER.yaml.gz), or those of a
// domain (filter-DOMAIN.gz).
func (j *job) filters(s source) error {
	text, err := s.unzip()
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(s.name, ".gz")
	return j.step(func() error {
		domain := ""
		if d, ok := strings.CutPrefix(name, "filter-"); ok {
			if domain = d; !slices.Contains(j.q.a.domains, d) {
				return refuse("The domain “%s” does not belong to the account.", d)
			}
		} else if !strings.HasPrefix(name, "filter_info") {
			return refuse("The file “%s” is not a backup of email filters.", s.name)
		}
		j.q.a.filters[domain] = text
		j.done("The system successfully restored the email filters from the '%s' backup.", s.name)
		return nil
	})
}

// aborted says that the client's connection is to end without an answer.
func (q *request) aborted() {
	if q.gone {
		panic(http.ErrAbortHandler)
	}
}
