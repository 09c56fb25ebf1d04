package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph/entra"
)

// microsoft is what Entra and the mailboxes tell of the application that reads them
// (entra.Directory).
type microsoft interface {
	Scope(ctx context.Context, sources []keepwatch.Source) (entra.Scope, error)
	Reach(ctx context.Context, source keepwatch.Source, s entra.Scope) []entra.Reach
	Credentials(ctx context.Context) ([]entra.Credential, []entra.Lack, error)
	Report(ctx context.Context, adminsOnly bool) (entra.Report, []entra.Lack, error)
	Administrators(ctx context.Context) (entra.Administrators, []entra.Lack, error)
	Organisation(ctx context.Context) (entra.Organisation, []entra.Lack, error)
	SignIns(ctx context.Context, people []string, before keepwatch.SignIns) (keepwatch.SignIns, []entra.Lack, error)
}

// microsoftProbes looks at Microsoft 365 for one check. It is a prober of mailboxes.
type microsoftProbes struct {
	m       microsoft
	sources []keepwatch.Source // the mailboxes
	names   []string           // with which people sign in
	now     time.Time
	wide    bool                        // that every mailbox of the tenant can be read is meant
	scope   func() (entra.Scope, error) // read once

	mu      sync.Mutex
	reached map[string]func() []entra.Reach // by the name of a source, each tried once
}

// newMicrosoftProbes makes the probes of one check, which ends with ctx.
func newMicrosoftProbes(ctx context.Context, m microsoft, sources []keepwatch.Source, people []keepwatch.Person, now time.Time) *microsoftProbes {
	p := &microsoftProbes{m: m, now: now, names: signInNames(people), reached: map[string]func() []entra.Reach{}}
	p.sources = slices.DeleteFunc(slices.Clone(sources), func(s keepwatch.Source) bool { return s.Kind != keepwatch.KindOutlook })
	p.scope = sync.OnceValues(func() (entra.Scope, error) { return m.Scope(ctx, p.sources) })
	return p
}

// reach tries the mailbox of a source, once in a check.
func (p *microsoftProbes) reach(ctx context.Context, source keepwatch.Source, scope entra.Scope) []entra.Reach {
	p.mu.Lock()
	try := p.reached[source.Name]
	if try == nil {
		try = sync.OnceValue(func() []entra.Reach { return p.m.Reach(ctx, source, scope) })
		p.reached[source.Name] = try
	}
	p.mu.Unlock()
	return try()
}

// Probes tells whether the mailbox of a source can be read.
func (p *microsoftProbes) Probes(ctx context.Context, source keepwatch.Source) []keepwatch.Probe {
	name := "source " + source.Name
	scope, err := p.scope()
	if err != nil {
		return []keepwatch.Probe{bad(name, "It was not looked at, because the sign-in to Microsoft 365 does not work.", "")}
	}
	if source.Engine == keepwatch.EnginePurview {
		return []keepwatch.Probe{good(name, "Purview makes the exports of "+source.Mailbox+". What that needs and is not granted stands under “permission”.")}
	}
	var probes []keepwatch.Probe
	var read []string
	roles := false
	for _, r := range p.reach(ctx, source, scope) {
		why := sentenceOr(r.Err, "Microsoft 365 does not answer for "+source.Mailbox+".")
		switch {
		case r.Access == entra.AccessYes:
			read, roles = append(read, r.Permission), roles || !r.Consent
			if r.Permission == "Mail.Read" && !r.Consent && slices.ContainsFunc(scope.Roles, func(p string) bool { return strings.HasPrefix(p, "Mail.ReadBasic") }) {
				probes = append(probes, caution(name, "Mail of "+source.Mailbox+" can be listed. Whether its text may be read too cannot be told without reading one, because Mail.ReadBasic.All is consented to, which lists only.", "Give Mail.Read for it, or run a backup to see."))
			}
		case r.Access == entra.AccessUnknown:
			probes = append(probes, caution(name, why, "Check again later."))
		case r.Access == entra.AccessNone:
			probes = append(probes, bad(name, why, ""))
		default:
			next := "The lines under PowerShell give it for the configured mailboxes and no other."
			if p.wide {
				next = "Consent to it in Entra: App registrations, the application, API permissions."
			}
			probes = append(probes, bad(name, why, next))
		}
	}
	if len(read) > 0 {
		by := "by consent in Entra"
		if roles {
			by = "by a role in Exchange Online"
		}
		probes = append(probes, good(name, fmt.Sprintf("%s can be read, %s: %s.", source.Mailbox, by, strings.Join(read, ", "))))
	}
	return probes
}

// tenant tells what the application may do, what runs out, and what a lock-out would meet.
func (p *microsoftProbes) tenant(ctx context.Context) []keepwatch.Probe {
	ctx, cancel := context.WithTimeout(ctx, checkServer)
	defer cancel()
	scope, err := p.scope()
	if err != nil {
		return []keepwatch.Probe{bad("Microsoft 365", sentenceOr(err, "It does not answer."), "")}
	}
	var all sync.WaitGroup
	tried := make([][]entra.Reach, len(p.sources))
	for i, s := range p.sources {
		all.Go(func() { tried[i] = p.reach(ctx, s, scope) })
	}
	var expiring, emergency, registered, people []keepwatch.Probe
	all.Go(func() { expiring = p.expiring(ctx, scope) })
	all.Go(func() { emergency = p.emergency(ctx, scope) })
	all.Go(func() { registered = p.registered(ctx, scope) })
	all.Go(func() { people = p.people(ctx, scope) })
	all.Wait()
	return slices.Concat(probeScope(scope, slices.Concat(tried...), p.wide), expiring, emergency, registered, people)
}

// expiring tells which secrets and certificates run out.
func (p *microsoftProbes) expiring(ctx context.Context, scope entra.Scope) []keepwatch.Probe {
	const name = "credentials"
	list, lacks, err := p.m.Credentials(ctx)
	if err != nil {
		return []keepwatch.Probe{caution(name, "When secrets and certificates run out could not be read. "+sentenceOr(err, "Microsoft 365 does not answer."), "Check again later.")}
	}
	var probes []keepwatch.Probe
	for _, c := range list {
		on := c.At.UTC().Format("2 January 2006")
		switch left := c.At.Sub(p.now); {
		case left <= 0 && c.Own:
			probes = append(probes, bad(name, fmt.Sprintf("The %s ran out on %s.", c.Name, on), c.How))
		case left <= 0:
			probes = append(probes, caution(name, fmt.Sprintf("The %s ran out on %s.", c.Name, on), c.How))
		case left <= time.Duration(keepwatch.Ladder()[0])*24*time.Hour:
			probes = append(probes, caution(name, fmt.Sprintf("The %s runs out on %s.", c.Name, on), c.How))
		case c.Own:
			probes = append(probes, good(name, fmt.Sprintf("The %s is valid until %s.", c.Name, on)))
		}
	}
	return append(probes, lacking365(name, lacks, scope)...)
}

// emergency tells what a lock-out would meet.
func (p *microsoftProbes) emergency(ctx context.Context, scope entra.Scope) []keepwatch.Probe {
	admins, lacks, err := p.m.Administrators(ctx)
	o, more, err2 := p.m.Organisation(ctx)
	var probes []keepwatch.Probe
	for _, err := range []error{err, err2} {
		if err != nil {
			probes = append(probes, caution("tenant", "Not all could be read. "+sentenceOr(err, "Microsoft 365 does not answer."), "Check again later."))
		}
	}
	if err == nil {
		for _, f := range admins.Findings() {
			probes = append(probes, f.Probe)
		}
	}
	if err2 == nil {
		for _, f := range o.Findings() {
			probes = append(probes, f.Probe)
		}
	}
	return append(probes, lacking365("tenant", slices.Concat(lacks, more), scope)...)
}

// registered tells who has a second factor. The report is long in a large tenant, and a
// check does not wait for the end of it.
func (p *microsoftProbes) registered(ctx context.Context, scope entra.Scope) []keepwatch.Probe {
	const name = "second factors"
	r, lacks, err := p.m.Report(ctx, false)
	switch {
	case err != nil:
		return []keepwatch.Probe{off(name, "The report of registrations could not be read. "+sentenceOr(err, "It takes longer than a check."), "")}
	case lacks != nil:
		return lacking365(name, lacks, scope)
	case r.People == 0:
		return nil
	}
	text := fmt.Sprintf("%d of %s can use a second factor, by the report of %s.", r.Capable, keepwatch.FormatCount(int64(r.People), "person", "people"), r.At.UTC().Format("2 January, 15:04 MST"))
	if len(r.Without) == 0 {
		return []keepwatch.Probe{good(name, text)}
	}
	return []keepwatch.Probe{caution(name, text+" Not: "+few(r.Without)+".", "Have them register one at https://mysignins.microsoft.com/security-info. Microsoft makes the report anew every few hours only.")}
}

// people tells whether a change of the Authenticator of people in keepwatch.yaml is seen.
func (p *microsoftProbes) people(ctx context.Context, scope entra.Scope) []keepwatch.Probe {
	const name = "sign-in of people"
	if len(p.names) == 0 {
		return nil
	}
	seen, lacks, err := p.m.SignIns(ctx, p.names, keepwatch.SignIns{})
	if err != nil {
		return []keepwatch.Probe{caution(name, "How people can sign in could not be read. "+sentenceOr(err, "Microsoft 365 does not answer."), "Check again later.")}
	}
	var probes []keepwatch.Probe
	if n := len(seen.People); n > 0 {
		probes = append(probes, good(name, fmt.Sprintf("A change of Microsoft Authenticator is noticed for %d of %s with a sign-in name in keepwatch.yaml.", n, keepwatch.FormatCount(int64(len(p.names)), "person", "people"))))
	}
	for _, l := range lacks {
		if l.Permission == "" { // a slip in keepwatch.yaml
			probes = append(probes, caution(name, l.String(), ""))
		}
	}
	return append(probes, lacking365(name, slices.DeleteFunc(lacks, func(l entra.Lack) bool { return l.Permission == "" }), scope)...)
}

// lacking365 tells what cannot be known, except for that which probeScope tells of: a
// permission that is not held.
func lacking365(name string, lacks []entra.Lack, scope entra.Scope) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for _, l := range lacks {
		told := slices.ContainsFunc(scope.Needs, func(n entra.Need) bool { return n.Permission == l.Permission && !n.Held })
		if l.Permission == "" || !told {
			probes = append(probes, off(name, l.String(), ""))
		}
	}
	return probes
}

// sentenceOr gives the sentence of an error, or another where it has none.
func sentenceOr(err error, otherwise string) string {
	if text := keepwatch.Sentence(err); text != "" {
		return text
	}
	return otherwise
}
