package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"keepwatch/providers/outlook/graph"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// TestPausesAreInTheState: what Microsoft 365 has asked for before the start is known to the
// runs of the next program, and to its checks.
func TestPausesAreInTheState(t *testing.T) {
	a := &app{log: slog.New(slog.DiscardHandler), now: time.Now, crash: func(string) {}, records: store.NewRecords(mem.New(), time.Now)}
	a.settings.DataDir = t.TempDir()
	a.settings.env.values = map[string]string{
		"MICROSOFT_TENANT_ID": "contoso.example", "MICROSOFT_CLIENT_ID": tenantApp, "MICROSOFT_CLIENT_SECRET": tenantSecret,
		"MICROSOFT_GRAPH_URL": "https://127.0.0.1:1/v1.0", "MICROSOFT_LOGIN_URL": "https://127.0.0.1:1", // nobody is there
	}
	now := time.Now()
	if err := a.records.KeepFence("graph/contoso.example/"+tenantApp, now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
	defer cancel()
	m, err := a.makeMailboxes()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.client.JSON(ctx, mailedUser, graph.Request{URL: "/x"}, nil); !errors.Is(err, graph.ErrThrottled) {
		t.Errorf("a run hears %v", err)
	}
	client, err := a.settings.graphClient(nil, a.records, nil)
	if err != nil {
		t.Fatal(err)
	}
	var e *graph.Error
	if err := client.JSON(ctx, "", graph.Request{URL: "/x"}, nil); !errors.As(err, &e) || e.Status != http.StatusTooManyRequests {
		t.Errorf("a check hears %v", err)
	}
}
