package cpanel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// restoreLog is a log that a host writes while it puts something back. Its name is a
// moment and a number: "2019-08-13T15:10:07Z.1.log".
type restoreLog struct {
	path  string // absolute, on the host
	size  int64
	mtime int64 // seconds, by the host's clock
}

// logMarks are the logs that were there before a restore, so that its own is known
// among those that come.
type logMarks struct {
	Names  []string `json:"names,omitempty"` // of the newest maxMarks
	Newest int64    `json:"newest,omitempty"`
}

// maxMarks is how many names are kept. What is older than the newest is not new by its
// time; the names are for those that were still being written.
const maxMarks = 50

func marksOf(logs []restoreLog) logMarks {
	logs = slices.Clone(logs)
	slices.SortFunc(logs, func(a, b restoreLog) int { return int(b.mtime - a.mtime) })
	var m logMarks
	for i, l := range logs {
		if i < maxMarks {
			m.Names = append(m.Names, l.path)
		}
		m.Newest = max(m.Newest, l.mtime)
	}
	return m
}

// after gives the logs that were not there before, the oldest first. Old logs that a
// restored home directory brings with it keep their time and are none of them.
func (m logMarks) after(logs []restoreLog) []restoreLog {
	var fresh []restoreLog
	for _, l := range logs {
		if l.mtime >= m.Newest && !slices.Contains(m.Names, l.path) {
			fresh = append(fresh, l)
		}
	}
	slices.SortFunc(fresh, func(a, b restoreLog) int { return strings.Compare(a.path, b.path) })
	return fresh
}

// shelf is where the logs of one kind of restore are.
type shelf interface {
	list(ctx context.Context) ([]restoreLog, error)
	read(ctx context.Context, l restoreLog) (string, error)
}

// hostShelf is a shelf on a host. Its folders are those that cPanel's documents show,
// some with ".cpanel/" and some without; both are looked into.
type hostShelf struct {
	host    returnHost
	home    string
	folders []string // below home
}

func (s hostShelf) list(ctx context.Context) ([]restoreLog, error) {
	var all []restoreLog
	for _, below := range s.folders {
		var found folder
		err := s.host.uapi(ctx, "Fileman", "list_files", url.Values{"dir": {path.Join(s.home, below)}, "types": {"file"}, "show_hidden": {"1"}}, &found)
		if notThere(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range found.Files {
			if name := string(f.File); strings.HasSuffix(name, ".log") {
				all = append(all, restoreLog{path.Join(s.home, below, name), int64(f.Size), f.MTime.Unix()})
			}
		}
	}
	return all, nil
}

// notThere reports whether a host was reached and refused: the folder or the file is
// not there (yet), or it may not be looked at.
func notThere(err error) bool {
	var refusal *callError
	return errors.As(err, &refusal) && !isRefused(err) && !mayHaveArrived(err) && keepwatch.KindOf(err) != keepwatch.KindTransient
}

// tailOnly is the size from which only the end of a log is read.
const tailOnly = 4 << 20

// read gives a log, or the end of a long one.
func (s hostShelf) read(ctx context.Context, l restoreLog) (string, error) {
	if l.size > tailOnly {
		from := l.size - 2*keepwatch.MaxServerLog
		b, err := s.host.download(ctx, "/download?skipencode=1&file="+url.QueryEscape(l.path), from)
		if err == nil {
			defer b.Close()
			if _, err := io.CopyN(io.Discard, b, from-b.from); err != nil { // it may come from its beginning
				return "", err
			}
			text, err := io.ReadAll(io.LimitReader(b, tailOnly))
			return string(text), err
		}
	}
	var got struct {
		Content text `json:"content"`
	}
	dir, file := path.Split(l.path)
	err := s.host.uapi(ctx, "Fileman", "get_file_content", url.Values{"dir": {path.Clean(dir)}, "file": {file}}, &got)
	return string(got.Content), err
}

// logEnd gives the end of a text, at most room bytes, from the beginning of a line.
func logEnd(log string, room int) string {
	log = strings.ToValidUTF8(log, "�")
	if len(log) <= room {
		return log
	}
	const cut = "[…]\n"
	log = log[len(log)-max(room-len(cut), 0):]
	if _, rest, ok := strings.Cut(log, "\n"); ok {
		log = rest
	}
	return cut + strings.ToValidUTF8(log, "")
}

// outcome is what a log says about how a restore went.
type outcome int

const (
	outcomeOpen   outcome = iota // it says neither, or not yet
	outcomeWell                  // put back
	outcomeFailed                // not put back
)

// restoredLine is how cPanel's documents show the line of success of each restore:
// "The system successfully restored the database 'user_db1' from the backup file
// 'user_db1.sql.gz'". What failures look like they do not show.
var restoredLine = regexp.MustCompile(`(?i)successfully restored\b.*`)

var namedFile = regexp.MustCompile(`[^\s'"“”/]+\.gz\b`)

// lastLines is in how many lines at the end a word of failure counts.
const lastLines = 8

// judgeLog says how a restore of a file went, by its log, and which line says so.
func judgeLog(log, file string) (outcome, string) {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if restoredLine.MatchString(line) && (file == "" || !isOfAnother(line, file)) {
			return outcomeWell, line
		}
		if i >= len(lines)-lastLines && isFailure(line) {
			return outcomeFailed, line
		}
	}
	return outcomeOpen, ""
}

// isOfAnother reports whether a line speaks of another backup file and not of ours.
func isOfAnother(line, file string) bool {
	names := namedFile.FindAllString(line, -1)
	return len(names) > 0 && !slices.Contains(names, file)
}

// isFailure reports whether a line of a log speaks of a failure. Paths of files do not:
// a restore that lists them may well put an "error.log" back.
func isFailure(line string) bool {
	words := strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return strings.ContainsRune(" \t:;,()[]\"'“”", r) })
	if len(words) < 2 {
		return false
	}
	for i, w := range words {
		switch strings.TrimRight(w, ".!") {
		case "error", "errors", "failures", "failed", "failure", "fails", "fatal", "cannot", "unable", "denied", "died", "aborted", "refused", "exceeded", "corrupt", "corrupted":
			if i == 0 || words[i-1] != "0" && words[i-1] != "no" && words[i-1] != "without" {
				return true
			}
		case "not":
			if i > 0 && (words[i-1] == "could" || words[i-1] == "did") {
				return true
			}
		}
	}
	return false
}

// pace is how a restore that was lost from sight is watched.
type pace struct {
	now   func() time.Time
	every time.Duration // between two looks
	// appear is how long a log may take to come. The host checks an upload for viruses
	// before it begins.
	appear time.Duration
	quiet  time.Duration // without a new line after a line of failure
	still  time.Duration // without a new line after any other
	// patience is how long a host may not be reached.
	patience time.Duration
}

func newPace(now func() time.Time, every, stall time.Duration) pace {
	return pace{now: now, every: every, appear: 90 * every, quiet: 6 * every, still: stall, patience: stall}
}

// errNoLog says that no log has come.
var errNoLog = errors.New("no log has come")

// watched is a log at the end of watching it.
type watched struct {
	log     restoreLog
	text    string
	outcome outcome
	line    string // that says so
}

// watch waits for the log of a restore of a file, and then for what it says in the
// end. The outcome is open where nobody can tell; errNoLog where there is none.
func watch(ctx context.Context, s shelf, p pace, before logMarks, file string, saw func(size int64)) (watched, error) {
	var w watched
	grown, reached := p.now(), p.now()
	for {
		seen, err := newest(ctx, s, before, file)
		now := p.now()
		switch {
		case err == nil:
			reached = now
			if seen.log != w.log {
				grown = now
			}
			w = seen
			if w.log.path != "" {
				saw(w.log.size)
			}
		case ctx.Err() != nil, keepwatch.KindOf(err) != keepwatch.KindTransient, now.Sub(reached) > p.patience:
			return w, err
		}
		since := now.Sub(grown)
		switch {
		case err != nil:
		case w.log.path == "" && since >= p.appear:
			return w, errNoLog
		case w.log.path == "":
		case w.outcome == outcomeWell && since >= p.every,
			w.outcome == outcomeFailed && since >= p.quiet,
			since >= p.still:
			return w, nil
		}
		if err := pause(ctx, p.every); err != nil {
			return w, err
		}
	}
}

// newest reads the log of the restore of a file, as far as it is written: the first
// new one that names the file or, where none does, the only new one that names no
// other. Its path is "" where there is none.
func newest(ctx context.Context, s shelf, before logMarks, file string) (watched, error) {
	logs, err := s.list(ctx)
	if err != nil {
		return watched{}, fmt.Errorf("list the logs: %w", err)
	}
	var perhaps []watched
	for _, l := range before.after(logs) {
		content, err := s.read(ctx, l)
		if err != nil && !notThere(err) {
			return watched{}, fmt.Errorf("read the log %s: %w", l.path, err)
		}
		w := watched{log: l, text: content}
		w.outcome, w.line = judgeLog(content, file)
		switch {
		case strings.Contains(content, file):
			return w, nil
		case !slices.ContainsFunc(strings.Split(content, "\n"), func(line string) bool {
			return restoredLine.MatchString(line) && isOfAnother(line, file)
		}):
			perhaps = append(perhaps, w)
		}
	}
	if len(perhaps) == 1 {
		return perhaps[0], nil
	}
	return watched{}, nil
}
