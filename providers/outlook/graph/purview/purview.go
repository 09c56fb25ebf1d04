package purview

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

const (
	cases = "/security/cases/ediscoveryCases"
	// DownloadApp is the first-party application whose token opens the download.
	DownloadApp = "b26e684c-5068-4120-a679-64a5d2c909d9"
	// defaultEvery keeps far below the five calls a minute that eDiscovery allows
	// (learn.microsoft.com/graph/throttling-limits).
	defaultEvery = time.Minute
)

// Config says how exports are made.
type Config struct {
	Client *graph.Client
	// Every is how often an operation is looked at; 0: once a minute.
	Every time.Duration
	// Sleep waits, and ends early with the context's error; nil: by the system's clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// Host reports whether a download may lead to a host; nil: those of Purview.
	Host func(host string) bool
}

// Exporter is an outlook.Exporter.
type Exporter struct{ cfg Config }

// New makes one. It makes no call.
func New(cfg Config) *Exporter {
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Host == nil {
		cfg.Host = ofPurview
	}
	return &Exporter{cfg}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ofPurview reports whether a host is one that Purview's downloads come from.
func ofPurview(host string) bool {
	host = strings.ToLower(host)
	return strings.Contains(host, ".proxyservice.ediscovery.") && (strings.HasSuffix(host, ".office365.com") || strings.HasSuffix(host, ".microsoft.com") || strings.HasSuffix(host, ".office365.us"))
}

// export is what is kept of one. A name is kept before that of which it is the name is
// made; an id once it is known.
type export struct {
	Mailbox  string `json:"mailbox"`
	Name     string `json:"name"` // of the case, the search and the export
	Case     string `json:"case,omitempty"`
	Search   string `json:"search,omitempty"`
	Source   bool   `json:"source,omitempty"` // the search has the mailbox
	Estimate string `json:"estimate,omitempty"`
	Export   string `json:"export,omitempty"`
}

func (e export) at(rest string) string {
	return cases + "/" + url.PathEscape(e.Case) + rest
}

func read(kept json.RawMessage) (export, error) {
	var e export
	if err := json.Unmarshal(kept, &e); err != nil {
		return e, fmt.Errorf("purview: read what is kept of an export: %w", err)
	}
	return e, nil
}

// work is one export as it is made.
type work struct {
	*Exporter
	export
	keep func(json.RawMessage) error
}

// Begin satisfies outlook.Exporter. It takes as long as the estimate, minutes as a rule.
func (x *Exporter) Begin(ctx context.Context, mailbox string, run int64, kept json.RawMessage, keep func(json.RawMessage) error) error {
	w := &work{Exporter: x, keep: keep}
	if len(kept) > 0 {
		var err error
		if w.export, err = read(kept); err != nil {
			return err
		}
	}
	if w.Name == "" {
		var b [4]byte
		_, _ = rand.Read(b[:]) // it never fails (crypto/rand)
		w.Mailbox, w.Name = mailbox, fmt.Sprintf("Keepwatch %s run %d", hex.EncodeToString(b[:]), run)
		if err := w.save(); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{w.makeCase, w.makeSearch, w.addMailbox, w.estimate, w.begin} {
		if err := step(ctx); err != nil {
			return explain(err)
		}
	}
	return nil
}

func (w *work) save() error {
	data, err := json.Marshal(w.export)
	if err != nil {
		return err
	}
	return w.keep(data)
}

// named is as much of an entity as is looked at.
type named struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// make posts something that has our name, and finds it by that name where it is not known
// whether an earlier post has arrived.
func (w *work) make(ctx context.Context, path string, body map[string]any) (string, error) {
	if id, err := w.find(ctx, path); err != nil || id != "" {
		return id, err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	var made named
	err = w.cfg.Client.JSON(ctx, "", graph.Request{Method: http.MethodPost, URL: path, Body: data}, &made)
	if errors.Is(err, graph.ErrUnreachable) {
		if id, found := w.find(ctx, path); found == nil && id != "" {
			return id, nil
		}
	}
	return made.ID, err
}

// find gives what has our name in a list, or "".
func (w *work) find(ctx context.Context, path string) (string, error) {
	for page, err := range w.cfg.Client.Pages(ctx, "", path) {
		if err != nil {
			return "", err
		}
		for _, raw := range page.Items {
			var n named
			if err := json.Unmarshal(raw, &n); err != nil {
				return "", fmt.Errorf("purview: read a list of %s: %w", path, err)
			}
			if n.DisplayName == w.Name {
				return n.ID, nil
			}
		}
	}
	return "", nil
}

func (w *work) makeCase(ctx context.Context) (err error) {
	if w.Case != "" {
		return nil
	}
	if w.Case, err = w.make(ctx, cases, map[string]any{"displayName": w.Name, "description": "A backup of " + w.Mailbox + " by Keepwatch. It is removed when the backup is over."}); err != nil {
		return err
	}
	return w.save()
}

func (w *work) makeSearch(ctx context.Context) (err error) {
	if w.Search != "" {
		return nil
	}
	// An empty query finds everything.
	if w.Search, err = w.make(ctx, w.at("/searches"), map[string]any{"displayName": w.Name, "contentQuery": "", "dataSourceScopes": "none"}); err != nil {
		return err
	}
	return w.save()
}

// addMailbox makes the mailbox the search's only source.
func (w *work) addMailbox(ctx context.Context) error {
	if w.Source {
		return nil
	}
	path := w.at("/searches/" + url.PathEscape(w.Search) + "/additionalSources")
	there := false
	for page, err := range w.cfg.Client.Pages(ctx, "", path) {
		if err != nil {
			return err
		}
		there = there || len(page.Items) > 0
	}
	if !there {
		data, err := json.Marshal(map[string]any{"@odata.type": "#microsoft.graph.security.userSource", "email": w.Mailbox, "includedSources": "mailbox"})
		if err != nil {
			return err
		}
		err = w.cfg.Client.JSON(ctx, "", graph.Request{Method: http.MethodPost, URL: path, Body: data}, nil)
		if err != nil && !errors.Is(err, graph.ErrExists) {
			return err
		}
	}
	w.Source = true
	return w.save()
}

// estimate has the search estimated, and waits for that.
func (w *work) estimate(ctx context.Context) error {
	if w.Export != "" {
		return nil
	}
	if w.Estimate == "" {
		id, err := w.start(ctx, "estimateStatistics", nil, func(o operation) bool { return o.Action == "estimateStatistics" })
		if err != nil {
			return err
		}
		w.Estimate = id
		if err := w.save(); err != nil {
			return err
		}
	}
	done, err := w.wait(ctx, w.export, w.Estimate, func(operation) {})
	if err != nil {
		return err
	}
	if done.IndexedItemCount != nil && *done.IndexedItemCount == 0 && (done.UnindexedItemCount == nil || *done.UnindexedItemCount == 0) && done.MailboxCount != nil && *done.MailboxCount == 0 {
		return keepwatch.Errorf(keepwatch.KindAttention, "Purview finds no mailbox %s to export. Check its address in keepwatch.yaml, and that the role group eDiscovery Administrator holds the app.", w.Mailbox)
	}
	return nil
}

// begin starts the export.
func (w *work) begin(ctx context.Context) error {
	if w.Export != "" {
		return nil
	}
	id, err := w.start(ctx, "exportResult", map[string]any{
		"displayName": w.Name, "exportCriteria": "searchHits,partiallyIndexed", "exportFormat": "pst",
		"additionalOptions": "includeFolderAndPath", "exportSingleItems": false, "exportLocation": "responsiveLocations",
	}, func(o operation) bool { return o.Action == "exportResult" && o.DisplayName == w.Name })
	if err != nil {
		return err
	}
	w.Export = id
	return w.save()
}

// start calls an action of the search, unless it was called already, and gives the
// operation's id.
func (w *work) start(ctx context.Context, action string, body map[string]any, ours func(operation) bool) (string, error) {
	if id, err := w.operation(ctx, ours); err != nil || id != "" {
		return id, err
	}
	r := graph.Request{Method: http.MethodPost, URL: w.at("/searches/" + url.PathEscape(w.Search) + "/" + action), Header: http.Header{"Prefer": {unknownMembers}}}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		r.Body = data
	}
	answer, err := w.cfg.Client.Do(ctx, "", r)
	if err != nil {
		if errors.Is(err, graph.ErrUnreachable) {
			if id, found := w.operation(ctx, ours); found == nil && id != "" {
				return id, nil
			}
		}
		return "", err
	}
	answer.Body.Close()
	if id := lastID(answer.Header.Get("Location")); id != "" {
		return id, nil
	}
	id, err := w.operation(ctx, ours)
	if err == nil && id == "" {
		err = keepwatch.Errorf(keepwatch.KindTransient, "Purview has taken the order for %s and does not show it yet. The run goes on later.", w.Mailbox)
	}
	return id, err
}

// lastID gives the id at the end of an address, in either notation of OData.
func lastID(location string) string {
	u, err := url.Parse(location)
	if err != nil || location == "" {
		return ""
	}
	last := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	if _, quoted, ok := strings.Cut(last, "('"); ok {
		return strings.TrimSuffix(quoted, "')")
	}
	return last
}

// operation finds one of the case.
func (w *work) operation(ctx context.Context, ours func(operation) bool) (string, error) {
	r := graph.Request{URL: w.at("/operations"), Header: http.Header{"Prefer": {unknownMembers}}}
	for page, err := range w.cfg.Client.PagesOf(ctx, "", r) {
		if err != nil {
			return "", err
		}
		for _, raw := range page.Items {
			var o operation
			if err := json.Unmarshal(raw, &o); err != nil {
				return "", fmt.Errorf("purview: read an operation: %w", err)
			}
			if ours(o) && !o.failed() {
				return o.ID, nil
			}
		}
	}
	return "", nil
}

var _ outlook.Exporter = (*Exporter)(nil)
