package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// askedHost is a provider that says of each source what it is told to, after a while.
type askedHost map[string]time.Duration

func (h askedHost) Probes(ctx context.Context, source keepwatch.Source) []keepwatch.Probe {
	after, ok := h[source.Name]
	if !ok {
		return nil
	}
	select {
	case <-time.After(after):
		return []keepwatch.Probe{good("source "+source.Name, "It answers."), caution("source "+source.Name, "Its token runs out.", "Make a new one.")}
	case <-ctx.Done():
		return []keepwatch.Probe{bad("source "+source.Name, "It does not answer.", "")}
	}
}

// TestProbeServers: servers are asked all at once and told of in the order of the
// sources; one that does not answer keeps nobody waiting for long.
func TestProbeServers(t *testing.T) {
	dir := t.TempDir()
	sources := []keepwatch.Source{
		{Name: "slow", Kind: keepwatch.KindCPanel}, {Name: "notes", Kind: keepwatch.KindFiles, Path: dir}, {Name: "dead", Kind: keepwatch.KindCPanel},
		{Name: "mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example"}, {Name: "fast", Kind: keepwatch.KindCPanel}, {Name: "dumb", Kind: keepwatch.KindCPanel},
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		look := map[keepwatch.SourceKind]prober{keepwatch.KindCPanel: askedHost{"slow": 30 * time.Second, "fast": 0, "dead": time.Hour}}
		got := probesText(probeSources(t.Context(), func(string) error { return nil }, look, sources, nil))
		want := "ok source slow: It answers. → \nwarning source slow: Its token runs out. → Make a new one.\n" +
			"ok source notes: " + dir + " can be read. → \n" +
			"problem source dead: It does not answer. → \n" +
			"problem source mail: The mailbox alis@contoso.example cannot be backed up: Microsoft 365 is not configured. → Set the variables that begin with MICROSOFT_; docs/outlook.md says where each is found.\n" +
			"ok source fast: It answers. → \nwarning source fast: Its token runs out. → Make a new one.\n" +
			"warning source dumb: Its server was not looked at. → "
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if took := time.Since(began); took != checkServer {
			t.Errorf("it took %v", took)
		}
	})
}
