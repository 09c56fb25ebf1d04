package cpanel

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// TestOddAnswers: a host whose answers have another form in what can be done without is
// backed up and looked at all the same; in what cannot, it is said once.
func TestOddAnswers(t *testing.T) {
	odd := map[string]string{
		"Variables/get_user_information": `{"user":"ruthin","home":"/home/ruthin","feature":{"backup":{"on":1},"x":"1"}}`,
		"Quota/get_local_quota_info":     `{"byte_limit":"unlimited","bytes_used":"1.2e+09"}`,
		"Mysql/list_databases":           `[{"database":"ruthin_wp","disk_usage":"twelve"}]`,
		"Fileman/list_files":             `[{"file":"backup-11.25.2026_03-00-00_ruthin.tar.gz","size":"3221225472","mtime":1764036000},{"file":"of the far future","size":1,"mtime":"971890963199"}]`,
		"Tokens/list":                    `{"keepwatch":"works"}`,
		"SSL/installed_hosts":            `[{"certificate":["x"]}]`,
		"StatsBar/get_stats":             `[{"name":"cpanelversion","value":"110.0 (build 30)"}]`,
	}
	h := newTestHost(t)
	h.mux.HandleFunc("/execute/", func(w http.ResponseWriter, r *http.Request) {
		data, ok := odd[r.URL.Path[len("/execute/"):]]
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			_, _ = io.WriteString(w, `{"status":0,"errors":["Failed to load module"]}`)
			return
		}
		_, _ = io.WriteString(w, `{"status":1,"data":`+data+`}`)
	})
	account := h.account()
	source := keepwatch.Source{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: &account}
	p := New(Config{})
	t.Cleanup(func() { p.hosts["ruthin-web"].host.(live).again.CloseIdleConnections() })
	plan, err := p.Plan(t.Context(), providers.Job{Source: source})
	if err != nil || plan.Bytes != 1_200_000_000 {
		t.Errorf("%+v %v", plan, err)
	}
	state, err := p.Inspect(t.Context(), source)
	if err != nil || len(state.Backups) != 1 || state.Backups[0].Size != 3<<30 || state.Quota.Limit != 0 {
		t.Errorf("%+v %v", state, err)
	}
	odd["Fileman/list_files"] = `{"files":[["x"]]}`
	if _, err := p.Inspect(t.Context(), source); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Error(err)
	}
}

// TestEndlessAnswer: it is given up, and said in a sentence.
func TestEndlessAnswer(t *testing.T) {
	h := newTestHost(t)
	h.mux.HandleFunc("/execute/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":1,"data":"`)
		for block := bytes.Repeat([]byte("x"), 1<<20); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	c := testClient(t, h.account(), nil)
	for function, arrived := range map[string]bool{"fullbackup_to_homedir": true, "list_backups": false} {
		err := c.uapi(t.Context(), "Backup", function, nil, nil)
		if keepwatch.KindOf(err) != keepwatch.KindAttention || mayHaveArrived(err) != arrived {
			t.Errorf("%s: %v", function, err)
		}
	}
}

// TestCheckOfASilentHost: a check that ends before the host answers says so.
func TestCheckOfASilentHost(t *testing.T) {
	h := newTestHost(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(200*time.Millisecond))
	defer cancel()
	h.mux.HandleFunc("/execute/", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // before that a server does not see that its client is gone
		<-r.Context().Done()
	})
	account := h.account()
	probes := New(Config{}).Probes(ctx, keepwatch.Source{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: &account})
	if last := probes[len(probes)-1]; last.Status != keepwatch.ProbeBad || !strings.HasPrefix(last.Text, "The host did not answer in the time") {
		t.Errorf("%+v", probes)
	}
}
