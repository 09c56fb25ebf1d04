package cpanel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func TestJudgeLog(t *testing.T) {
	for name, c := range map[string]struct {
		log, file string
		want      outcome
	}{
		"empty":                   {"", "a_b.sql.gz", outcomeOpen},
		"as documented":           {"The system successfully restored the database 'a_b' from the backup file 'a_b.sql.gz'", "a_b.sql.gz", outcomeWell},
		"and more behind it":      {"x\nThe system successfully restored the email forwarders from the 'aliases-a.example.gz' backup.\nThe restoration is complete.\n", "aliases-a.example.gz", outcomeWell},
		"of another file":         {"The system successfully restored the database 'a_c' from the backup file 'a_c.sql.gz'", "a_b.sql.gz", outcomeOpen},
		"no name":                 {"Successfully restored.", "a_b.sql.gz", outcomeWell},
		"refused by MySQL":        {"[x] begun\nERROR 1064 (42000) at line 3: You have an error in your SQL syntax", "a_b.sql.gz", outcomeFailed},
		"failure after success":   {"The system successfully restored the database 'a_b' from the backup file 'a_b.sql.gz'\nThe restoration failed: no space", "a_b.sql.gz", outcomeFailed},
		"could not":               {"tar: x: Could not open: Permission denied", "b.tar.gz", outcomeFailed},
		"none of them":            {"finished with 0 errors, no failures", "b.tar.gz", outcomeOpen},
		"a file of errors":        {"public_html/error.log\npublic_html/failed/index.php\nerror_log", "b.tar.gz", outcomeOpen},
		"under way":               {"public_html/a\npublic_html/b", "b.tar.gz", outcomeOpen},
		"a failure long ago":      {"tar: x: Cannot open\n" + strings.Repeat("public_html/a\n", 20), "b.tar.gz", outcomeOpen},
		"a failure, then success": {"tar: x: Cannot change owner\nThe system successfully restored the directory /home/a from the backup file b.tar.gz", "b.tar.gz", outcomeWell},
	} {
		if got, line := judgeLog(c.log, c.file); got != c.want {
			t.Errorf("%s: %d (%s)", name, got, line)
		}
	}
}

func TestLogMarks(t *testing.T) {
	var logs []restoreLog
	for i := range 600 {
		logs = append(logs, restoreLog{path: fmt.Sprintf("/l/%03d.log", i), mtime: int64(1000 + i)})
	}
	m := marksOf(logs)
	if len(m.Names) != maxMarks || m.Newest != 1599 {
		t.Fatalf("%d names, newest %d", len(m.Names), m.Newest)
	}
	old, same, next := restoreLog{path: "/l/from-the-archive.log", mtime: 1400}, restoreLog{path: "/l/x.log", mtime: 1599}, restoreLog{path: "/l/w.log", mtime: 1700}
	if diff := cmp.Diff([]restoreLog{next, same}, m.after(append(logs, old, same, next)), cmp.AllowUnexported(restoreLog{})); diff != "" {
		t.Error(diff)
	}
}

func TestLogEnd(t *testing.T) {
	long := strings.Repeat("a line of the log – with a dash\n", 3000) + "the end\n"
	for _, room := range []int{0, 3, 10, 100, keepwatch.MaxServerLog} {
		if got := logEnd(long, room); len(got) > max(room, 6) || room > 100 && (!strings.HasPrefix(got, "[…]\na line") || !strings.HasSuffix(got, "the end\n")) {
			t.Errorf("%d: %d bytes: %.40q", room, len(got), got)
		}
	}
	if logEnd("short", 100) != "short" {
		t.Error("a short log was changed")
	}
}

// script is a shelf whose logs are as they are at a moment after its start.
type script struct {
	start time.Time
	at    func(since time.Duration) (map[string]string, error)
}

func (s script) list(context.Context) ([]restoreLog, error) {
	all, err := s.at(time.Since(s.start))
	var logs []restoreLog
	for name, content := range all {
		logs = append(logs, restoreLog{path: name, size: int64(len(content)), mtime: 5000})
	}
	return logs, err
}

func (s script) read(_ context.Context, l restoreLog) (string, error) {
	all, err := s.at(time.Since(s.start))
	return all[l.path], err
}

func TestWatch(t *testing.T) {
	const good = "The system successfully restored the database 'a_b' from the backup file 'a_b.sql.gz'\n"
	broken := keepwatch.Errorf(keepwatch.KindTransient, "The connection broke.")
	only := func(text string) map[string]string { return map[string]string{"/l/2.log": text} }
	for name, c := range map[string]struct {
		at      func(since time.Duration) (map[string]string, error)
		want    outcome
		err     error
		between [2]time.Duration // that it takes
	}{
		"done before anybody looks": {func(time.Duration) (map[string]string, error) { return only(good), nil }, outcomeWell, nil, [2]time.Duration{time.Second, time.Minute}},
		"goes on for hours": {func(since time.Duration) (map[string]string, error) {
			text := strings.Repeat("CREATE TABLE\n", 1+int(since/(20*time.Minute)))
			if since > 5*time.Hour {
				text += good
			}
			return only(text), nil
		}, outcomeWell, nil, [2]time.Duration{5 * time.Hour, 5*time.Hour + time.Minute}},
		"fails": {func(since time.Duration) (map[string]string, error) {
			return only("a_b.sql.gz begun\nERROR 1064 at line 3: no\n"), nil
		}, outcomeFailed, nil, [2]time.Duration{time.Minute, 2 * time.Minute}},
		"a word of failure, and on": {func(since time.Duration) (map[string]string, error) {
			text := "a_b.sql.gz begun\nWarning: cannot lock\n"
			if since > 40*time.Second {
				text += good
			}
			return only(text), nil
		}, outcomeWell, nil, [2]time.Duration{40 * time.Second, 2 * time.Minute}},
		"ends in the middle": {func(time.Duration) (map[string]string, error) { return only("begun\n"), nil }, outcomeOpen, nil, [2]time.Duration{30 * time.Minute, 31 * time.Minute}},
		"no log":             {func(time.Duration) (map[string]string, error) { return nil, nil }, outcomeOpen, errNoLog, [2]time.Duration{15 * time.Minute, 16 * time.Minute}},
		"late log": {func(since time.Duration) (map[string]string, error) {
			if since < 10*time.Minute {
				return nil, nil
			}
			return only(good), nil
		}, outcomeWell, nil, [2]time.Duration{10 * time.Minute, 11 * time.Minute}},
		"somebody else's": {func(time.Duration) (map[string]string, error) {
			return only("The system successfully restored the database 'a_c' from the backup file 'a_c.sql.gz'\n"), nil
		}, outcomeOpen, errNoLog, [2]time.Duration{15 * time.Minute, 16 * time.Minute}},
		"somebody else's, and ours": {func(since time.Duration) (map[string]string, error) {
			return map[string]string{"/l/1.log": "The system successfully restored the database 'a_c' from the backup file 'a_c.sql.gz'\n", "/l/2.log": good}, nil
		}, outcomeWell, nil, [2]time.Duration{time.Second, time.Minute}},
		"two that say nothing": {func(since time.Duration) (map[string]string, error) {
			return map[string]string{"/l/1.log": "begun", "/l/2.log": "begun"}, nil
		}, outcomeOpen, errNoLog, [2]time.Duration{15 * time.Minute, 16 * time.Minute}},
		"host away for a while": {func(since time.Duration) (map[string]string, error) {
			if since < 20*time.Minute {
				return nil, broken
			}
			return only(good), nil
		}, outcomeWell, nil, [2]time.Duration{20 * time.Minute, 21 * time.Minute}},
		"host away":  {func(time.Duration) (map[string]string, error) { return nil, broken }, outcomeOpen, broken, [2]time.Duration{30 * time.Minute, 31 * time.Minute}},
		"not let in": {func(time.Duration) (map[string]string, error) { return nil, errDenied }, outcomeOpen, errDenied, [2]time.Duration{0, time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s := script{start, c.at}
			w, err := watch(t.Context(), s, newPace(time.Now, 10*time.Second, 30*time.Minute), logMarks{Names: []string{"/l/0.log"}, Newest: 4000}, "a_b.sql.gz", func(int64) {})
			took := time.Since(start)
			if w.outcome != c.want || !errors.Is(err, c.err) || took < c.between[0] || took > c.between[1] {
				t.Errorf("%s: outcome %d, %v, after %s", name, w.outcome, err, took)
			}
		})
	}
}

var errDenied = keepwatch.Errorf(keepwatch.KindAttention, "Not authorised.")

func TestWatchObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := script{time.Now(), func(time.Duration) (map[string]string, error) { return nil, nil }}
		if _, err := watch(ctx, s, newPace(time.Now, 10*time.Second, 30*time.Minute), logMarks{}, "a", func(int64) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
