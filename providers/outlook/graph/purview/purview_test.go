package purview

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

const (
	app    = "11111111-2222-3333-4444-555555555555"
	secret = "s3cret-of-the-app"
	ali    = "ali@contoso.example"
)

// world is a tenant with Purview, and what is kept of an export.
type world struct {
	t    *testing.T
	n    *graphtest.Tenant
	app  *graphtest.App
	x    *Exporter
	kept json.RawMessage
	lost json.RawMessage // what was kept before
	naps int
	// dies ends the export when something is kept for the n-th time; 0: never.
	dies, keeps int
}

var errKilled = errors.New("killed")

func newWorld(t *testing.T, o graphtest.PurviewOptions) *world {
	t.Helper()
	var options graphtest.Options
	schema, err := graphtest.ReadSchema(filepath.Join("..", "..", "..", "..", "..", "shared", "spec", "graph-v1.0.csdl"))
	switch {
	case err == nil:
		options.Schema = schema
	case !errors.Is(err, os.ErrNotExist) || os.Getenv("CI") != "":
		t.Fatal(err)
	}
	w := &world{t: t, n: graphtest.New(t, options)}
	w.app = w.n.AddApp(app, secret, nil, "eDiscovery.ReadWrite.All", "eDiscovery.Download.Read")
	w.n.AddUser(graphtest.User{UPN: ali})
	if o.Files == nil {
		o.Files = map[string][]byte{"PSTs.001.zip": bytes.Repeat([]byte("pst "), 50_000), "Reports.zip": []byte("report")}
	}
	w.n.Purview(o)
	client, err := graph.New(graph.Config{Tenant: w.n.ID(), Client: app, Secret: keepwatch.NewSecret(secret), GraphURL: w.n.URL + "/v1.0", LoginURL: w.n.LoginURL, Transport: w.n.Client().Transport, Clock: fastClock{}})
	if err != nil {
		t.Fatal(err)
	}
	w.x = New(Config{Client: client, Host: func(host string) bool { return host == "127.0.0.1" }, Sleep: func(context.Context, time.Duration) error { w.naps++; return nil }})
	t.Cleanup(func() {
		for _, v := range w.n.Violations() {
			t.Error(v)
		}
	})
	return w
}

// fastClock lets every pause pass at once, and no limit of a call.
type fastClock struct{}

func (fastClock) Now() time.Time { return time.Now() }
func (fastClock) AfterFunc(d time.Duration, f func()) func() {
	if d > 90*time.Second { // the limits of one call
		return func() {}
	}
	t := time.AfterFunc(0, f)
	return func() { t.Stop() }
}

func (w *world) keep(kept json.RawMessage) error {
	w.lost, w.kept = w.kept, kept
	if w.keeps++; w.keeps == w.dies {
		return errKilled
	}
	return nil
}

func (w *world) begin() error {
	return w.x.Begin(w.t.Context(), ali, 12, w.kept, w.keep)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestExport(t *testing.T) {
	w := newWorld(t, graphtest.PurviewOptions{})
	w.must(w.begin())
	var seen []keepwatch.Progress
	w.must(w.x.Wait(t.Context(), w.kept, func(p keepwatch.Progress) { seen = append(seen, p) }))
	if len(seen) != 3 || seen[0].Items != 33 || seen[2].Items != 100 {
		t.Errorf("%+v", seen)
	}
	files, err := w.x.Files(t.Context(), w.kept)
	w.must(err)
	if len(files) != 2 || files[0].Name != "PSTs.001.zip" || files[0].Size != 200_000 {
		t.Fatalf("%+v", files)
	}
	body, err := w.x.Open(t.Context(), w.kept, files[0], 0)
	w.must(err)
	all, err := io.ReadAll(body)
	w.must(errors.Join(err, body.Close()))
	if len(all) != 200_000 {
		t.Errorf("%d bytes", len(all))
	}
	body, err = w.x.Open(t.Context(), w.kept, files[0], 199_996)
	w.must(err)
	end, err := io.ReadAll(body)
	w.must(errors.Join(err, body.Close()))
	if string(end) != "pst " {
		t.Errorf("the end is %q", end)
	}
	notes, err := w.x.Remove(t.Context(), w.kept)
	w.must(err)
	if _, cases := w.n.Exports(); cases != 0 || len(notes) != 0 {
		t.Errorf("%d cases, %v", cases, notes)
	}
	notes, err = w.x.Remove(t.Context(), w.kept) // again, after a kill
	if err != nil || len(notes) != 0 {
		t.Errorf("%v %v", notes, err)
	}
}

// TestKilledAnywhere: whatever was saved last and whichever answer was lost, there is one
// case and one export in the end.
func TestKilledAnywhere(t *testing.T) {
	for dies := 1; ; dies++ {
		w := newWorld(t, graphtest.PurviewOptions{})
		w.dies = dies
		err := w.begin()
		if err == nil {
			if dies < 7 {
				t.Errorf("something is kept %d times only", dies-1)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		cancelled := newWorld(t, graphtest.PurviewOptions{})
		cancelled.dies = dies
		if err := cancelled.begin(); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if notes, err := cancelled.x.Remove(t.Context(), cancelled.lost); err != nil || len(notes) != 0 {
			t.Errorf("killed at %d: %v %v", dies, notes, err)
		}
		if _, cases := cancelled.n.Exports(); cases != 0 {
			t.Errorf("killed before keep %d and cancelled: %d cases stay", dies, cases)
		}
		w.must(w.begin())
		if exports, cases := w.n.Exports(); exports != 1 || cases != 1 {
			t.Errorf("killed at %d: %d exports, %d cases", dies, exports, cases)
		}
	}
}

// TestPartialExport: an export that misses something says so, once.
func TestPartialExport(t *testing.T) {
	w := newWorld(t, graphtest.PurviewOptions{Partial: true})
	w.must(w.begin())
	w.must(w.x.Wait(t.Context(), w.kept, func(keepwatch.Progress) {}))
	files, err := w.x.Files(t.Context(), w.kept)
	w.must(err)
	if len(files) != 2 || !strings.Contains(files[0].Incomplete, "3 items could not be exported.") || files[1].Incomplete != "" {
		t.Errorf("%+v", files)
	}
}

func TestLostAnswers(t *testing.T) {
	for lost := range 12 {
		w, posts := newWorld(t, graphtest.PurviewOptions{}), 0
		w.n.Fail(graphtest.Fault{Match: func(r *http.Request) bool {
			if r.Method != http.MethodPost {
				return false
			}
			posts++
			return posts == lost+1
		}, Lost: true})
		var err error
		for range 3 { // what is left to the engine
			if err = w.begin(); err == nil {
				break
			}
		}
		w.must(err)
		if exports, cases := w.n.Exports(); exports != 1 || cases != 1 {
			t.Errorf("the answer to post %d was lost: %d exports, %d cases", lost, exports, cases)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		o    graphtest.PurviewOptions
		take string
		says []string
	}{
		{"no licence", graphtest.PurviewOptions{Unlicensed: true}, "", []string{"licence of eDiscovery Premium", "leave out `engine: purview`"}},
		{"no permission", graphtest.PurviewOptions{}, "eDiscovery.ReadWrite.All", []string{"eDiscovery.ReadWrite.All"}},
		{"no second role", graphtest.PurviewOptions{}, "eDiscovery.Download.Read", []string{"eDiscovery.Download.Read", "MicrosoftPurviewEDiscovery"}},
		{"a manager", graphtest.PurviewOptions{Manager: true}, "", []string{"Add-eDiscoveryCaseAdmin"}},
		{"no service principal", graphtest.PurviewOptions{NoApp: true}, "", []string{"New-MgServicePrincipal -AppId " + DownloadApp}},
		{"the estimate fails", graphtest.PurviewOptions{Fails: "estimateStatistics"}, "", []string{"The location could not be searched.", "Keepwatch "}},
		{"the export fails", graphtest.PurviewOptions{Fails: "exportResult"}, "", []string{"The location could not be searched."}},
		{"a page of a proxy", graphtest.PurviewOptions{Page: true}, "", []string{"web page", "PSTs.001.zip"}},
		{"nothing is given", graphtest.PurviewOptions{Files: map[string][]byte{}}, "", []string{"names no file", "14 days"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.o)
			if c.take != "" {
				w.app.Revoke(c.take)
			}
			err := w.whole()
			text := keepwatch.Sentence(err)
			if keepwatch.KindOf(err) != keepwatch.KindAttention {
				t.Errorf("%v is of kind %v", err, keepwatch.KindOf(err))
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
		})
	}
}

// whole makes an export and reads its first file.
func (w *world) whole() error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.x.Wait(w.t.Context(), w.kept, func(keepwatch.Progress) {}); err != nil {
		return err
	}
	files, err := w.x.Files(w.t.Context(), w.kept)
	if err != nil {
		return err
	}
	body, err := w.x.Open(w.t.Context(), w.kept, files[0], 0)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return err
}

// TestNoTokenElsewhere: the second token goes to Purview's own hosts alone.
func TestNoTokenElsewhere(t *testing.T) {
	w := newWorld(t, graphtest.PurviewOptions{})
	x := New(Config{Client: w.x.cfg.Client})
	for _, host := range []string{"https://evil.example/x", "https://eur.proxyservice.ediscovery.office365.com.evil.example/x", "https://evilproxyservice.ediscovery.office365.com/x", "http://127.0.0.1:1/x"} {
		if _, err := x.Open(t.Context(), json.RawMessage(`{}`), outlook.ExportFile{URL: host}, 0); keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%s: %v", host, err)
		}
	}
	if !ofPurview("eur.proxyservice.ediscovery.office365.com") {
		t.Error("a host of Purview is refused")
	}
	if n := w.n.Logins(); n != 0 {
		t.Errorf("%d tokens were asked for", n)
	}
}
