package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers/cpanel"
)

// prober is a provider that can ask the server of a source whether backups will go
// well, without changing anything there.
type prober interface {
	Probes(ctx context.Context, source keepwatch.Source) []keepwatch.Probe
}

// probers gives what can be asked, by what it knows. tenant is nil where Microsoft 365 is
// not configured.
func probers(hosts *cpanel.Provider, tenant prober) map[keepwatch.SourceKind]prober {
	all := map[keepwatch.SourceKind]prober{keepwatch.KindCPanel: hosts}
	if tenant != nil {
		all[keepwatch.KindOutlook] = tenant
	}
	return all
}

// checkServer is how long a check waits for one server: longer than a connection takes
// to be given up.
const checkServer = 45 * time.Second

// probeServers asks the servers of sources, all at once, because each may keep a check
// waiting. What it gives is by the place of the source; sources of files have nothing.
func probeServers(ctx context.Context, look map[keepwatch.SourceKind]prober, sources []keepwatch.Source) [][]keepwatch.Probe {
	probes := make([][]keepwatch.Probe, len(sources))
	var all sync.WaitGroup
	for i, s := range sources {
		name := "source " + s.Name
		p, ok := look[s.Kind]
		switch {
		case s.Kind == keepwatch.KindFiles:
		case !ok:
			probes[i] = []keepwatch.Probe{bad(name, fmt.Sprintf("The mailbox %s cannot be backed up: Microsoft 365 is not configured.", s.Mailbox), "Set the variables that begin with MICROSOFT_; docs/outlook.md says where each is found.")}
		default:
			all.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, checkServer)
				defer cancel()
				probes[i] = p.Probes(ctx, s)
				if len(probes[i]) == 0 {
					probes[i] = []keepwatch.Probe{caution(name, "Its server was not looked at.", "")}
				}
			})
		}
	}
	all.Wait()
	return probes
}
