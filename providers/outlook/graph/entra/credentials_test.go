package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

func lines(list []Credential) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.At.Format(time.DateOnly)+" "+c.Name+". "+c.How)
	}
	return out
}

// TestCredentials: what runs out, by name, and how it is renewed.
func TestCredentials(t *testing.T) {
	w := newWorld(t, all()...)
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	app := w.n.AddApp(payroll, "", nil)
	app.Called("Payroll")
	app.AddSecret(graphtest.Credential{Name: "2024", Ends: day(-300)}) // a remnant
	app.AddSecret(graphtest.Credential{Name: "2025", Ends: day(10)})
	app.AddSecret(graphtest.Credential{ID: "33333333-2222-3333-4444-555555555555", Ends: day(40)})
	w.n.AddApp("33333333-2222-3333-4444-000000000000", "", nil).AddCertificate("CN=scan\nner", &x509.Certificate{Raw: []byte("x"), NotAfter: day(-2)})
	w.n.AddApp("44444444-2222-3333-4444-000000000000", "", nil).AddSecret(graphtest.Credential{Name: "far", Ends: day(400)})
	for i := range 230 { // more than two pages
		w.n.AddApp(fmt.Sprintf("55555555-2222-3333-4444-%012d", i), "", nil)
	}
	got, lacks, err := w.d.Credentials(t.Context())
	if err != nil || lacks != nil {
		t.Fatal(err, lacks)
	}
	want := []string{
		`2026-11-22 certificate "CN=scan\nner" of Application 33333333-2222-3333-4444-000000000000. Make a new certificate in Entra (App registrations, Application 33333333-2222-3333-4444-000000000000, Certificates & secrets), put it where the application runs, then remove the old one.`,
		"2026-12-04 secret 2025 of Payroll. The application has another one until 3 January 2027: see that this is the one in use, then remove the old one.",
		"2027-01-03 secret of Payroll. Make a new secret in Entra (App registrations, Payroll, Certificates & secrets), put it where the application runs, then remove the old one.",
		"2027-06-12 secret sign-in of Keepwatch (this bot). Make a new secret in Entra (App registrations, Keepwatch, Certificates & secrets), set MICROSOFT_CLIENT_SECRET, start Keepwatch again and run a check, then remove the old one.",
	}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Error(diff)
	}
}

// TestOwnCertificate: without any permission the certificate of the configuration still
// says when it runs out; with it, it is listed once.
func TestOwnCertificate(t *testing.T) {
	w := newWorld(t, readApplications)
	w.clock.now = time.Now() // the sign-in with a certificate goes by the system's clock
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "keepwatch"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 20)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	ends := certificate.NotAfter.Format(time.DateOnly)
	app := w.n.AddApp(botID, "", certificate, readApplications)
	app.Called("Keepwatch")
	w.client(graph.Config{Certificate: keepwatch.NewSecret(text)})
	got, lacks, err := w.d.Credentials(t.Context())
	if err != nil || lacks != nil || len(got) != 1 || !strings.HasPrefix(lines(got)[0], ends+" certificate CN=keepwatch of Keepwatch (this bot). ") {
		t.Errorf("%v %v %v", lines(got), lacks, err)
	}
	app.Revoke(readApplications)
	w.client(graph.Config{Certificate: keepwatch.NewSecret(text)})
	got, lacks, err = w.d.Credentials(t.Context())
	want := ends + " certificate of " + botID + " (this bot). Make a new certificate in Entra (App registrations, " + botID + ", Certificates & secrets), set MICROSOFT_CLIENT_CERTIFICATE, start Keepwatch again and run a check, then remove the old one."
	if err != nil || len(got) != 1 || lines(got)[0] != want {
		t.Errorf("%v %v", lines(got), err)
	}
	if len(lacks) != 1 || lacks[0].String() != "When the secrets of other applications run out is not known: the application permission Application.Read.All is not granted." {
		t.Errorf("%v", lacks)
	}
}

// TestFacts: what is said in a warning, and that its key stays.
func TestFacts(t *testing.T) {
	credential := func(name string, days int, own bool) Credential {
		return Credential{Expiring: keepwatch.Expiring{Name: name, At: noon.AddDate(0, 0, days), How: "Make a new one."}, ID: name, App: payroll, Own: own}
	}
	findings := []Finding{fine("a", "x", "All is well."), warn("tenant/mail", "tenant", "Microsoft writes to it@contoso.example only, which is inside. Nobody reads it.", "Add one."), bad("administrators/one", "x", "alis@contoso.example is the only one: nobody lets her in.", "Make two.")}
	got := Facts([]Credential{credential("secret a", 61, false), credential("secret b", 60, false), credential("secret c", 3, true), credential("secret d", -1, false)}, findings, noon, time.UTC)
	var text []string
	for _, f := range got {
		text = append(text, fmt.Sprintf("%s %s %s: %s | %s", f.Key, f.Kind, f.Tone, f.Title, f.Text))
	}
	want := []string{
		"entra-expiry/" + payroll + "/secret b expiry warn: Secret b runs out on 23 January 2027 | What signs in with it stops working on 23 January 2027, 12:00 UTC. Make a new one.",
		"entra-expiry/" + payroll + "/secret c expiry bad: Secret c runs out on 27 November 2026 | Then no mailbox is backed up any more. What signs in with it stops working on 27 November 2026, 12:00 UTC. Make a new one.",
		"entra-expiry/" + payroll + "/secret d expiry bad: Secret d ran out on 23 November 2026 | What signs in with it has not worked since 23 November 2026, 12:00 UTC. Make a new one.",
		"entra/tenant/mail ready warn: Microsoft writes to it@contoso.example only, which is inside | Nobody reads it. Add one.",
		"entra/administrators/one ready bad: alis@contoso.example is the only one | Nobody lets her in. Make two.",
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
}
