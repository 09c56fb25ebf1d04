package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph/entra"
)

// tenant asks Microsoft Entra once a day what people have to know of, and keeps it.
type tenant struct {
	id        string // of the tenant
	directory tenantDirectory
	records   tenantRecords
	people    []keepwatch.Person
	ask       func(subject string, since time.Time) error // remind.Scheduler.AskAgain
	now       func() time.Time
	log       *slog.Logger
	crash     func(string)
}

// tenantDirectory is what is asked (entra.Directory).
type tenantDirectory interface {
	Credentials(ctx context.Context) ([]entra.Credential, []entra.Lack, error)
	Administrators(ctx context.Context) (entra.Administrators, []entra.Lack, error)
	Organisation(ctx context.Context) (entra.Organisation, []entra.Lack, error)
	SignIns(ctx context.Context, people []string, before keepwatch.SignIns) (keepwatch.SignIns, []entra.Lack, error)
}

// tenantRecords keeps what was seen.
type tenantRecords interface {
	Tenant() (keepwatch.Tenant, error)
	ChangeTenant(change func(*keepwatch.Tenant)) (keepwatch.Tenant, error)
}

// lookTenantEvery is how often Entra is asked: what it tells changes rarely, and the
// ladder of warnings counts in days.
const lookTenantEvery = 24 * time.Hour

// restTenant is how long after a look the next start leaves Entra alone: a program that
// carries out one line at a time starts often.
const restTenant = time.Hour

// makeTenant joins what asks Entra; nil where Microsoft 365 is not configured. It makes no
// call.
func (a *app) makeTenant() (*tenant, error) {
	client := a.mailboxes.client
	if client == nil {
		return nil, nil
	}
	d, err := a.settings.directory(client, a.now)
	if err != nil {
		return nil, err
	}
	return &tenant{
		id: strings.ToLower(a.settings.env.values["MICROSOFT_TENANT_ID"]), directory: d, records: a.records, people: a.settings.People,
		ask: a.duties.scheduler.AskAgain, now: a.now, log: a.log, crash: a.crash,
	}, nil
}

// signInNames are those of the people who have one in keepwatch.yaml.
func signInNames(people []keepwatch.Person) []string {
	var names []string
	for _, p := range people {
		if p.Microsoft != "" {
			names = append(names, p.Microsoft)
		}
	}
	return names
}

// run looks at once and then once a day, until ctx ends. changed is told after each look.
func (t *tenant) run(ctx context.Context, changed func()) {
	if t == nil {
		return
	}
	timer := time.NewTimer(t.first())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		timer.Reset(lookTenantEvery)
		if err := t.look(ctx); err != nil && ctx.Err() == nil {
			t.log.Error("what Microsoft Entra says could not be kept; it is asked again tomorrow", "err", err)
		}
		changed()
	}
}

// first makes up for what a look before this start has left, and gives how long the next
// one can wait.
func (t *tenant) first() time.Duration {
	kept, err := t.before()
	if err == nil {
		err = t.askAgain(kept)
	}
	if err != nil {
		t.log.Error("what Microsoft Entra has said could not be passed on; it is tried again with the next look", "err", err)
		return 0
	}
	return min(max(kept.Looked.Add(restTenant).Sub(t.now()), 0), restTenant) // the clock may have been set back
}

// look asks, saves what was seen, and has people asked about what has changed. What cannot
// be asked now stays as it was seen before; what may not be asked is told by a check.
func (t *tenant) look(ctx context.Context) error {
	before, err := t.before()
	if err != nil {
		return err
	}
	changes := []func(*keepwatch.Tenant){
		func(kept *keepwatch.Tenant) {
			if kept.ID != t.id { // what was seen of another tenant says nothing of this one
				*kept = keepwatch.Tenant{ID: t.id}
			}
			kept.Looked = t.now().UTC()
		},
		t.credentials(ctx), t.organisation(ctx), t.signIns(ctx, before.SignIns),
	}
	if ctx.Err() != nil { // a shutdown in between; nothing was learned
		return nil
	}
	kept, err := t.records.ChangeTenant(func(kept *keepwatch.Tenant) {
		for _, change := range changes {
			if change != nil {
				change(kept)
			}
		}
	})
	if err != nil {
		return err
	}
	t.crash("tenant.saved")
	return t.askAgain(kept)
}

// before gives what was seen of this tenant.
func (t *tenant) before() (keepwatch.Tenant, error) {
	kept, err := t.records.Tenant()
	if err != nil || kept.ID != t.id {
		return keepwatch.Tenant{ID: t.id}, err
	}
	return kept, nil
}

// askAgain has those asked whose Authenticator has changed. It is made up for at the next
// start or look where the process ends before it.
func (t *tenant) askAgain(kept keepwatch.Tenant) error {
	asked := map[string]time.Time{}
	for _, n := range kept.Changed {
		if n.Asked {
			continue
		}
		for _, subject := range n.Ask {
			if err := t.ask(subject, n.At); err != nil {
				return err
			}
		}
		asked[n.Person] = n.At
	}
	if len(asked) == 0 {
		return nil
	}
	t.crash("tenant.asked")
	_, err := t.records.ChangeTenant(func(kept *keepwatch.Tenant) {
		for i, n := range kept.Changed {
			if at, ok := asked[n.Person]; ok && at.Equal(n.At) {
				kept.Changed[i].Asked = true
			}
		}
	})
	return err
}

// failed writes down that something could not be asked. Why may be that ctx has ended.
func (t *tenant) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		t.log.Warn("Microsoft Entra could not be asked; it is asked again tomorrow", "what", what, "err", err)
	}
}

// credentials asks when secrets and certificates run out.
func (t *tenant) credentials(ctx context.Context) func(*keepwatch.Tenant) {
	list, _, err := t.directory.Credentials(ctx)
	if err != nil {
		t.failed(ctx, "when secrets and certificates run out", err)
		return nil
	}
	var seen []keepwatch.TenantCredential
	for _, c := range list {
		seen = append(seen, keepwatch.TenantCredential(c))
	}
	return func(kept *keepwatch.Tenant) { kept.Credentials = seen }
}

// organisation asks who the administrators are and what is known of the tenant: for what
// a lock-out would meet, and for the dossier. Only together they are worth anything, for
// what was found of one would else be taken back because of the other.
func (t *tenant) organisation(ctx context.Context) func(*keepwatch.Tenant) {
	admins, _, err := t.directory.Administrators(ctx)
	if err != nil {
		t.failed(ctx, "the Global Administrators", err)
		return nil
	}
	o, _, err := t.directory.Organisation(ctx)
	if err != nil {
		t.failed(ctx, "the organisation", err)
		return nil
	}
	var found []keepwatch.TenantFinding
	for _, f := range append(admins.Findings(), o.Findings()...) {
		if f.Status == keepwatch.ProbeBad || f.Status == keepwatch.ProbeWarn {
			found = append(found, keepwatch.TenantFinding{Key: f.Key, Name: f.Name, Status: f.Status, Text: f.Text, Next: f.Next})
		}
	}
	at := t.now().UTC()
	return func(kept *keepwatch.Tenant) {
		kept.Findings, kept.Learned = found, entra.Learn(kept.Learned, o.Fields(admins), at)
	}
}

// signIns asks how the people of keepwatch.yaml can sign in. Of those who were seen before
// an error, what has changed counts.
func (t *tenant) signIns(ctx context.Context, before keepwatch.SignIns) func(*keepwatch.Tenant) {
	names := signInNames(t.people)
	if len(names) == 0 {
		return nil
	}
	now, _, err := t.directory.SignIns(ctx, names, before)
	if err != nil {
		t.failed(ctx, "how people can sign in", err)
	}
	at := t.now()
	return func(kept *keepwatch.Tenant) { kept.See(now, t.people, at) }
}

// learned gives what is known for the dossier, as it was last seen.
func (t *tenant) learned() (map[string]keepwatch.Entered, error) {
	kept, err := t.before()
	return kept.Learned, err
}

// facts gives what needs somebody, as it was last seen. It makes no call.
func (t *tenant) facts(devices []keepwatch.DeviceState, now time.Time, loc *time.Location) ([]keepwatch.Fact, error) {
	kept, err := t.before()
	if err != nil {
		return nil, err
	}
	var credentials []entra.Credential
	for _, c := range kept.Credentials {
		credentials = append(credentials, entra.Credential(c))
	}
	var findings []entra.Finding
	for _, f := range kept.Findings {
		findings = append(findings, entra.Finding{Key: f.Key, Probe: keepwatch.Probe{Name: f.Name, Status: f.Status, Text: f.Text, Next: f.Next}})
	}
	said := map[string]time.Time{}
	for _, d := range devices {
		if d.Last != nil {
			said[keepwatch.DeviceSubject(d.Device)] = d.Last.Said
		}
	}
	return append(entra.Facts(credentials, findings, now, loc), keepwatch.SignInFacts(kept, now, loc, func(subject string) time.Time { return said[subject] })...), nil
}
