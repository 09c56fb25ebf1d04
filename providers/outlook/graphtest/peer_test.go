package graphtest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// peer is what Microsoft's clients have seen, by the name of the call, as JSON.
type peer struct {
	t    *testing.T
	seen map[string]json.RawMessage
}

// read takes over what a call has seen.
func (p peer) read(name string, into any) {
	p.t.Helper()
	if err := json.Unmarshal(p.seen[name], into); err != nil {
		p.t.Fatalf("%s: %v: %s", name, err, p.seen[name])
	}
}

// retryAfter is longer than the client waits by itself.
const retryAfter = 2 * time.Second

// entities are what a collection has had.
type entities struct {
	Complete, Delta bool
	IDs, Removed    []string
}

// TestOthersClients has Microsoft's own clients talk to the tenant: @azure/identity signs
// in by secret and by certificate, and @microsoft/microsoft-graph-client reads, writes,
// uploads, and waits out what is refused. The packages are in testdata/clients, and lie in
// the folder graph of $KEEPWATCH_NODE.
func TestOthersClients(t *testing.T) {
	t.Parallel()
	packages := filepath.Join(os.Getenv("KEEPWATCH_NODE"), "graph")
	if _, err := os.Stat(filepath.Join(packages, "node_modules", "@microsoft", "microsoft-graph-client")); err != nil || os.Getenv("KEEPWATCH_NODE") == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must have the clients of testdata/clients: %v", err)
		}
		t.Skip("KEEPWATCH_NODE has no folder graph with the clients of testdata/clients")
	}
	key, cert := certificate(t, time.Now().AddDate(0, 1, 0))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.pem")
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	if err := os.WriteFile(file, both, 0o600); err != nil {
		t.Fatal(err)
	}
	n := New(t, Options{Schema: metadata(t)})
	n.AddApp(appID, secret, cert, writers...)
	box := n.AddUser(User{UPN: ali, Name: "Ali"})
	inbox := box.Folder("inbox")
	inbox.Message(Message{MIME: []byte("Subject: Old\r\nX-Odd: \xc3\xbc\r\n\r\nLine\r\n"), Subject: "Old", Received: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)})
	inbox.Messages(25, letter)
	box.Folder("Projects", "Harbour")
	n.Fail(Fault{Match: func(r *http.Request) bool { return r.Header.Get("X-Peer") == "throttle" }, Status: http.StatusTooManyRequests, RetryAfter: retryAfter})
	before := inbox.Items()

	p := drivePeer(t, packages, n.LoginURL, n.URL, n.ID(), appID, secret, file, ali, "NODE_EXTRA_CA_CERTS="+n.CAFile())
	p.signedIn(n)
	p.listed(box, before)
	p.changed(before, inbox.Items())
	p.wrote(inbox.Items())
	p.batched(box, before[0])
	p.refused(n)
	if len(p.seen) != 14 {
		t.Errorf("%d answers", len(p.seen))
	}
	if bad := n.Violations(); len(bad) != 0 || n.Sent() != 0 || n.Early() != 0 {
		t.Errorf("violations %q, %d sent, %d early", bad, n.Sent(), n.Early())
	}
}

// signedIn: each credential has had one token, which it has kept.
func (p peer) signedIn(n *Tenant) {
	p.t.Helper()
	for _, name := range []string{"secret", "certificate"} {
		var got struct{ Minutes int }
		if p.read(name, &got); got.Minutes != 60 {
			p.t.Errorf("the token of the %s lasts %d minutes", name, got.Minutes)
		}
	}
	if n.Logins() != 2 {
		p.t.Errorf("%d tokens were issued", n.Logins())
	}
	var got struct{ Text string }
	if p.read("stranger", &got); !strings.HasPrefix(got.Text, "invalid_client: Error(s): 7000215 - Timestamp: 20") || !strings.Contains(got.Text, "Description: AADSTS7000215: Invalid client secret provided.") {
		p.t.Errorf("the wrong secret: %+v", got)
	}
}

// listed: folders, and the messages of a list and of a first round, page after page.
func (p peer) listed(box *Mailbox, all []*Item) {
	p.t.Helper()
	var folders []string
	p.read("folders", &folders)
	for _, f := range []string{"Inbox", "Drafts", "Sent Items", "Deleted Items", "Projects"} {
		if !slices.Contains(folders, f) {
			p.t.Errorf("no folder %q in %q", f, folders)
		}
	}
	if slices.Contains(folders, "Harbour") {
		p.t.Errorf("a folder below another one was listed: %q", folders)
	}
	var list, delta entities
	p.read("messages", &list)
	newest := stays(all)
	slices.Reverse(newest)
	if !list.Complete || list.Delta || !slices.Equal(list.IDs, newest) {
		p.t.Errorf("the list: %+v, want %q", list, newest)
	}
	p.read("delta", &delta)
	if !delta.Complete || !delta.Delta || !reflect.DeepEqual(distinct(delta.IDs), distinct(newest)) || len(delta.Removed) != 0 {
		p.t.Errorf("the first round: %+v, want %q", delta, newest)
	}
}

// changed: the next round has what was changed and what was deleted since, and the
// mailbox has it as well.
func (p peer) changed(before, now []*Item) {
	p.t.Helper()
	var what struct{ Changed, Deleted string }
	p.read("changed", &what)
	var again entities
	p.read("again", &again)
	if !again.Delta || !reflect.DeepEqual(distinct(again.IDs), distinct([]string{what.Changed})) || !reflect.DeepEqual(distinct(again.Removed), distinct([]string{what.Deleted})) {
		p.t.Errorf("the next round: %+v, want %+v", again, what)
	}
	if has := stays(now); slices.Contains(has, what.Deleted) || !slices.Contains(has, what.Changed) {
		p.t.Errorf("the folder has %q", has)
	}
	for _, i := range before {
		if m := i.Content(); i.ID(true) == what.Changed && (!m.Read || !slices.Equal(m.Categories, []string{"Peer"})) {
			p.t.Errorf("what was changed is %+v", m)
		}
	}
	var value struct{ ID, Text string }
	p.read("value", &value)
	if value.ID != before[0].ID(true) || value.Text != string(before[0].Content().MIME) {
		p.t.Errorf("the MIME: %+v", value)
	}
}

// wrote: a message that is no draft and came when it says, with both files.
func (p peer) wrote(now []*Item) {
	p.t.Helper()
	var got struct {
		ID, Received, Sent, File string
		Draft, Expires           bool
		Properties               []wireProperty
		Ranges                   [][2]int
	}
	p.read("made", &got)
	i := now[len(now)-1]
	m := i.Content()
	if got.ID != i.ID(true) || m.Subject != "Made by the peer" || m.Draft || !m.Read || got.Draft || got.Received != "2019-03-04T05:06:07Z" || stamp(m.Received) != got.Received || !got.Expires {
		p.t.Errorf("%+v of %+v", got, m.Subject)
	}
	if len(got.Properties) != 1 || got.Properties[0].Value != "kept" {
		p.t.Errorf("properties: %+v", got.Properties)
	}
	if want := [][2]int{{0, 1499999}, {1500000, 2999999}, {3000000, 4<<20 - 1}}; !reflect.DeepEqual(got.Ranges, want) {
		p.t.Errorf("ranges: %v", got.Ranges)
	}
	if len(m.Attachments) != 2 { // and none of the upload that was given up
		p.t.Fatalf("%d attachments", len(m.Attachments))
	}
	var given struct {
		Next   [2]int
		Status int
		After  struct{ Status int }
	}
	if p.read("given up", &given); given.Next != [2]int{1500000, 2999999} || given.Status != 204 || given.After.Status != 404 {
		p.t.Errorf("the upload that was given up: %+v", given)
	}
	small, large := m.Attachments[0], m.Attachments[1]
	sum := sha256.Sum256(large.Content)
	if string(small.Content) != "small" || large.Name != "large.bin" || len(large.Content) != 4<<20 || hex.EncodeToString(sum[:]) != got.Sent || got.File != got.Sent {
		p.t.Errorf("%q of %d bytes: %x, %s was sent, %s came back", large.Name, len(large.Content), sum, got.Sent, got.File)
	}
}

// batched: each part of a batch has its own answer.
func (p peer) batched(box *Mailbox, oldest *Item) {
	p.t.Helper()
	var got map[string]struct {
		Status int
		Text   string
	}
	p.read("batch", &got)
	for name, want := range map[string]struct {
		status int
		text   string
	}{
		"folder": {200, `"displayName":"Inbox"`}, "missing": {404, `"code":"ErrorItemNotFound"`}, "post": {201, `"subject":"Made in a batch"`},
		"mime": {200, base64.StdEncoding.EncodeToString(oldest.Content().MIME)},
	} {
		if g := got[name]; g.Status != want.status || !strings.Contains(g.Text, want.text) {
			p.t.Errorf("part %s of the batch: %+v, want %+v", name, g, want)
		}
	}
	if drafts := box.Folder("drafts").Items(); len(drafts) != 1 || drafts[0].Content().Subject != "Made in a batch" {
		p.t.Errorf("%d drafts", len(drafts))
	}
}

// refused: the client has waited as long as it was told, and it can read errors.
func (p peer) refused(n *Tenant) {
	p.t.Helper()
	var folder struct{ DisplayName string }
	if p.read("throttled", &folder); folder.DisplayName != "Inbox" {
		p.t.Errorf("after the refusal: %s", p.seen["throttled"])
	}
	all := n.Requests()
	at := slices.IndexFunc(all, func(r Request) bool { return r.Status == http.StatusTooManyRequests })
	if at < 0 || at+1 >= len(all) || all[at+1].Path != all[at].Path || all[at+1].Status != 200 || all[at+1].Time.Sub(all[at].Time) < retryAfter {
		p.t.Errorf("after the refusal the client asked: %+v", all[max(at, 0):])
	}
	var got struct {
		Status        int
		Code, Request string
		Body          struct{ InnerError map[string]string }
	}
	p.read("missing", &got)
	inner := got.Body.InnerError
	if got.Status != 404 || got.Code != "ErrorItemNotFound" || got.Request == "" || inner["client-request-id"] != "7f0c1f5e-6f1b-4c7e-9d62-3f8b1f1d9a11" || inner["request-id"] != got.Request {
		p.t.Errorf("a message that is not there: %s", p.seen["missing"])
	}
}

// stays are the immutable ids.
func stays(all []*Item) (out []string) {
	for _, i := range all {
		out = append(out, i.ID(true))
	}
	return out
}

// distinct is without repetitions, which delta queries have.
func distinct(all []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range all {
		out[s] = true
	}
	return out
}

// drivePeer runs the clients. The last argument is for their environment.
func drivePeer(t *testing.T, args ...string) peer {
	t.Helper()
	last := len(args) - 1
	cmd := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join("testdata", "clients", "driver.mjs")}, args[:last]...)...)
	cmd.Env = append(os.Environ(), args[last], "NO_PROXY=*", "HTTPS_PROXY=", "https_proxy=")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, said.Bytes())
	}
	p := peer{t, map[string]json.RawMessage{}}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Name string
			Got  json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		p.seen[line.Name] = line.Got
	}
	return p
}
