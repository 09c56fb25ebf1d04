package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/putback"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/providers/outlook/restore"
)

// shelf is an archive of some files, by path.
type shelf map[string]string

func (s shelf) OpenEntry(_ context.Context, _, path string) (keepwatch.Entry, io.ReadCloser, error) {
	text, ok := s[path]
	if !ok {
		return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no %s.", path)
	}
	return keepwatch.Entry{Path: path, Size: int64(len(text))}, io.NopCloser(strings.NewReader(text)), nil
}

// TestOneItemThatIsNotTaken: an item that Microsoft 365 takes in no form is named, and all
// others of its folder are put back; a second run neither doubles nor hides that.
func TestOneItemThatIsNotTaken(t *testing.T) {
	const app, secret, mailbox = "6f5d4a3b-0000-4000-8000-000000000002", "s3cr3t~Value.Of.The.App", "ali@contoso.example"
	n := graphtest.New(t, graphtest.Options{Now: time.Now})
	n.AddApp(app, secret, nil, "Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite")
	box := n.AddUser(graphtest.User{UPN: mailbox, Name: "Ali"})
	client, err := graph.New(graph.Config{Tenant: n.ID(), Client: app, Secret: keepwatch.NewSecret(secret), GraphURL: n.URL + "/v1.0", LoginURL: n.LoginURL, Transport: n.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	hand, err := putback.New(putback.Config{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	p, err := restore.New(outlook.Config{Restorer: hand, Spools: noSpools{}, Now: func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	card := func(name string) string {
		return "BEGIN:VCARD\r\nVERSION:3.0\r\nN:" + name + ";;;;\r\nFN:" + name + "\r\nEND:VCARD\r\n"
	}
	line := func(id, name string) string {
		return `{"id":"` + id + `","folder":"people","kind":"contacts","subject":"` + name + `","path":"` + id + ".vcf\"}\n"
	}
	a := shelf{
		outlook.StatePath: `{"v":1,"mailbox":"ali@contoso.example","folders":[{"id":"people","kind":"contacts","path":["Contacts"],"default":true,"whole":true,"kept":3}]}`,
		outlook.IndexPath: line("a", "Ann") + line("b", "Broken") + line("c", "Cid"),
		"a.vcf":           card("Ann"), "b.vcf": "this is no card", "c.vcf": card("Cid"),
	}
	source := keepwatch.Source{Name: "ali-mail", Kind: keepwatch.KindOutlook, Mailbox: mailbox}
	set := providers.Set{Archive: keepwatch.Archive{Source: "ali-mail", Stamp: "2026-11-20T030000Z", Started: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}, From: a}
	plan, err := p.PlanReturn(t.Context(), source, []providers.Set{set}, keepwatch.ReturnAsk{})
	if err != nil || len(plan.Items) != 1 {
		t.Fatal(plan, err)
	}
	for run, want := range []string{"1 contact was not put back. Details name them.", "1 contact was not put back; 2 contacts were in the folder already and stay as they are. Details name them."} {
		job := providers.Job{Source: source, Run: int64(7 + run), Report: func(keepwatch.Progress) {}}
		log, err := p.Return(t.Context(), job, plan.Items[0], a)
		if err != nil || log.Heed != want || !strings.Contains(log.Text, "Broken: not put back. The contact cannot be read from its file.") {
			t.Errorf("run %d: %+v %v", job.Run, log, err)
		}
		if got := box.Contacts("Restored 2026-11-23").Items(); len(got) != 2 {
			t.Errorf("run %d: %d contacts", job.Run, len(got))
		}
	}
}
