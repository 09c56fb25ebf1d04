package cpanel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
)

func TestGate(t *testing.T) {
	bad := errors.New("bad")
	for name, c := range map[string]struct {
		in    string
		err   error // behind it
		last  error
		want  string // comes through
		whole bool
	}{
		"whole":            {"abcdef", nil, nil, "abcdef", true},
		"one byte":         {"a", nil, nil, "a", true},
		"empty":            {"", nil, nil, "", true},
		"damaged":          {"abcdef", bad, nil, "abcde", false},
		"damaged at once":  {"", bad, nil, "", false},
		"not saved":        {"abcdef", nil, bad, "abcde", false},
		"empty, not saved": {"", nil, bad, "", false},
	} {
		for _, by := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, func(r io.Reader) io.Reader { return oneByte{r} }} {
			var in io.Reader = strings.NewReader(c.in)
			if c.err != nil {
				in = io.MultiReader(in, unreadable{c.err})
			}
			asked := 0
			g := &gate{in: bufio.NewReader(by(in)), sent: func(int64) {}, last: func() error { asked++; return c.last }}
			got, err := io.ReadAll(by(g))
			whole, trouble := g.shut()
			if string(got) != c.want || (err == nil) != c.whole || whole != c.whole || (trouble == nil) != c.whole || asked > 1 {
				t.Errorf("%s: %q, %v, %v, %v, asked %d times", name, got, err, whole, trouble, asked)
			}
			if _, err := g.Read(make([]byte, 1)); !errors.Is(err, errShut) {
				t.Errorf("%s: it is read after it is shut: %v", name, err)
			}
		}
	}
}

func TestUploadName(t *testing.T) {
	for _, c := range []struct {
		item keepwatch.ReturnItem
		want string
	}{
		{keepwatch.ReturnItem{Part: "home", Path: "home/backup-ruthin.example-11-23-2026.tar.gz"}, "backup-ruthin.example-11-23-2026_7120000.tar.gz"},
		{keepwatch.ReturnItem{Part: "home", Path: "home/home.tar.gz"}, "backup-ruthin.example-11-3-2026_7120000.tar.gz"},
		{keepwatch.ReturnItem{Part: "home", Path: "backup-11.3.2026_12-00-00_ruthin.tar.gz", Inner: "homedir"}, "backup-ruthin.example-11-3-2026_7120000.tar.gz"},
		{keepwatch.ReturnItem{Part: "database:ruthin_wp", Path: "databases/ruthin_wp.sql.gz"}, "ruthin_wp.sql.gz"},
		{keepwatch.ReturnItem{Part: "database:ruthin_wp", Path: "x.tar.gz", Inner: "mysql/ruthin_wp.sql"}, "ruthin_wp.sql.gz"},
		{keepwatch.ReturnItem{Part: "forwarders", Path: "x.tar.gz", Inner: "va/ruthin.example"}, "aliases-ruthin.example.gz"},
		{keepwatch.ReturnItem{Part: "filters", Path: "x.tar.gz", Inner: innerFilters}, "filter_info.ruthin.yaml.gz"},
		{keepwatch.ReturnItem{Part: "filters", Path: "filters/filter-a.example.gz"}, "filter-a.example.gz"},
	} {
		c.item.At = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
		e := &errand{returner: &returner{account: keepwatch.Hosting{User: "ruthin"}}, job: providers.Job{Run: 7}, item: c.item, user: user{Domain: "ruthin.example"}}
		if got := e.uploadName(); got != c.want {
			t.Errorf("%+v: %s", c.item, got)
		}
	}
}

func TestReadSession(t *testing.T) {
	got := readSession(`{"contents":{"action":"start","time":1598991042,"child_number":0},"pid":12789,"type":"control","indent":0,"partial":0}
{"contents":{"action":"start","queue":"RESTORE","logfile":"item-RESTORE_AccountLocal_ruthin","item":"ruthin"},"type":"control"}
{"contents":"Extracting homedir\n","type":"out"}
{"contents":["A certificate","was skipped"],"type":"warn"}
{"contents":{"msg":["Too many","files"]},"type":"failure"}
a line that is no JSON
{"contents":{"logfile":"item-RESTORE_AccountLocal_ruthin","msg":{"size":1,"failure":"The account “ruthin” already exists."},"queue":"RESTORE","action":"failed-item","item":"ruthin"},"type":"control"}
`)
	want := sessionSaid{
		logfile: "item-RESTORE_AccountLocal_ruthin", failure: "The account “ruthin” already exists.",
		lines: []string{"out: Extracting homedir", "warn: A certificate was skipped", "failure: Too many files", "a line that is no JSON", "RESTORE failed: The account “ruthin” already exists."},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sessionSaid{})); diff != "" {
		t.Error(diff)
	}
}

// pausing is a host of WHM whose session is in some states, one after the other.
type pausing struct {
	returnHost
	states []string
}

func (p *pausing) whm(_ context.Context, function string, _ url.Values, into any) error {
	answer := `{"log":"{\"contents\":\"Restoring\",\"type\":\"out\"}"}`
	if function == "get_transfer_session_state" {
		answer = `{"state_name":"` + p.states[0] + `"}`
		p.states = p.states[1:]
	}
	return json.Unmarshal([]byte(answer), into)
}

func TestWatchSession(t *testing.T) {
	for _, c := range []struct {
		states []string
		want   string // in the error; "": none
		stage  string
	}{
		{[]string{"PENDING", "TRANSFER_INPROGRESS", "RESTORE_INPROGRESS", "RUNNING", "COMPLETED"}, "", stageEnded},
		{[]string{"RUNNING", "FAILED"}, "the session s1 is failed", stageFailed},
		{[]string{"ABORTED"}, "the session s1 is aborted", stageFailed},
		{[]string{"RUNNING", "PAUSED"}, "has paused the restore", stageSent},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &returner{host: &pausing{states: c.states}, log: slog.New(slog.DiscardHandler), pace: newPace(time.Now, 10*time.Second, 30*time.Minute)}
			e := &errand{returner: r, job: providers.Job{Report: func(keepwatch.Progress) {}}, st: returning{Stage: stageSent, Session: "s1"}}
			log, err := e.watchSession(t.Context())
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || keepwatch.KindOf(err) != keepwatch.KindAttention) {
				t.Errorf("%v: %v", c.states, err)
			}
			if e.st.Stage != c.stage || log.Text != "out: Restoring" || log.Name != "s1" {
				t.Errorf("%v: stage %s, log %+v", c.states, e.st.Stage, log)
			}
		})
	}
}
