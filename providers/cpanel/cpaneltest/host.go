package cpaneltest

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Config is how a Host is made; the zero value is a usable one.
type Config struct {
	// Version of cPanel & WHM, which says what functions there are; default
	// "11.136.0.4". 11.110.0.30 has neither BackupInfo nor Fileman::delete_file.
	Version string
	// Wrapped puts what /execute answers into "result", as cPanel's own samples show it.
	// /json-api always does.
	Wrapped bool
	// Loose makes numbers strings and booleans 0 or 1, and gives Fileman::list_files as
	// one flat list.
	Loose bool
	Now   func() time.Time // default time.Now
	// Zone is the server's own, in which backups are named; default America/Chicago.
	Zone *time.Location
	// Pace is called before each step of what goes on in the background: a full backup,
	// a push, a restore. Default: a wait of 12 ms, so that a full backup takes about
	// 100 ms.
	Pace func()
	// Steps holds each of those steps until [Host.Step]; Pace is not called then.
	Steps bool
	// Dump is how the dumps of databases look.
	Dump DumpOpts
	// OddNames calls full backups as the sample of BackupInfo/list does, by version and
	// day: backup-11.136.0.4_2026-11-23_USER.tar.gz. Two of a day are one file then.
	OddNames bool
	// ShortPush leaves "_USER" out of the names of what is pushed by FTP or by SCP with a
	// password, as the documents of those functions have it.
	ShortPush bool
	// CertificateEnd is when the certificate runs out; default in a year by the wall.
	CertificateEnd time.Time
	// LockAfter is how many refused sign-ins from anybody make the host refuse
	// everybody, as cPHulk does; 0: 20, negative: never.
	LockAfter int
}

// Host is a fake host. Its methods may be called from any goroutine.
type Host struct {
	cfg         Config
	dir         string // what is on its disk
	panel, whm  *httptest.Server
	ctx         context.Context
	stop        context.CancelFunc
	work        sync.WaitGroup
	background  background
	steps       chan chan struct{}
	functions   map[string]function
	whmFunction map[string]whmFunction

	mu        sync.Mutex
	cert      certificate
	version   string
	accounts  map[string]*Account
	whmTokens map[string]string // user of WHM by token
	sessions  map[string]*session
	entries   map[string]*session // by the one-time id of create_user_session
	receivers map[string]*Receiver
	faults    []*Fault
	calls     []Call
	bad       []string // violations
	mails     []Mail
	packages  map[string]*packing  // by session id
	transfers map[string]*transfer // by session id
	archives  map[string]*node     // in /home itself: cpmove files, by absolute path
	grow      int64                // bytes of a step; 0: an eighth
	seq       int
	refused   int
	noToken   bool           // tokens cannot download
	noSession bool           // sessions and passwords cannot download
	busy      map[string]int // calls under way by account
	overlaps  int
}

// Mail is a letter that the host has sent.
type Mail struct{ To, Subject, Text string }

// New starts a Host and ends it with the test.
func New(t testing.TB, cfg Config) *Host {
	t.Helper()
	if cfg.Version == "" {
		cfg.Version = "11.136.0.4"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Zone == nil {
		zone, err := time.LoadLocation("America/Chicago")
		if err != nil {
			zone = time.FixedZone("CST", -6*60*60)
		}
		cfg.Zone = zone
	}
	if cfg.LockAfter == 0 {
		cfg.LockAfter = 20
	}
	h := &Host{
		cfg: cfg, dir: t.TempDir(), version: cfg.Version, steps: make(chan chan struct{}),
		functions: functions(), whmFunction: whmFunctions(),
		accounts: map[string]*Account{}, whmTokens: map[string]string{}, sessions: map[string]*session{}, entries: map[string]*session{},
		receivers: map[string]*Receiver{}, packages: map[string]*packing{}, transfers: map[string]*transfer{}, archives: map[string]*node{}, busy: map[string]int{},
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	var err error
	if h.cert, err = newCertificate(h.dir, cfg.CertificateEnd); err != nil {
		t.Fatal(err)
	}
	h.panel, h.whm = h.listen(h.servePanel), h.listen(h.serveWHM)
	t.Cleanup(h.close)
	return h
}

func (h *Host) listen(serve http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(serve)
	s.TLS = h.cert.config()
	s.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.cert.config(), nil
	}
	s.Config.ErrorLog = quiet() // clients that do not trust the certificate are meant to
	s.StartTLS()
	return s
}

// close ends what runs in the background, requests and listeners.
func (h *Host) close() {
	h.stop()
	for _, s := range []*httptest.Server{h.panel, h.whm} {
		s.CloseClientConnections()
		s.Close()
	}
	h.work.Wait()
}

// URL is where cPanel listens: https, loopback and a port, without a slash at its end.
func (h *Host) URL() string { return h.panel.URL }

// WHMURL is where WHM listens.
func (h *Host) WHMURL() string { return h.whm.URL }

// Fingerprint is the SHA-256 of the certificate of both ports, in lower-case hex.
func (h *Host) Fingerprint() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cert.fingerprint
}

// CAFile is a PEM file with the certificate, which vouches for itself.
func (h *Host) CAFile() string { return filepath.Join(h.dir, caName) }

// RenewCertificate gives both ports a new certificate of that end, signed by itself and
// with a new key, and ends the connections. The fingerprint is another one then, and
// CAFile has the new one only.
func (h *Host) RenewCertificate(end time.Time) error {
	cert, err := newCertificate(h.dir, end)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.cert = cert
	h.mu.Unlock()
	h.panel.CloseClientConnections()
	h.whm.CloseClientConnections()
	return nil
}

// Now is the host's clock.
func (h *Host) Now() time.Time { return h.cfg.Now() }

// Upgrade changes the version, and with it the functions that there are.
func (h *Host) Upgrade(version string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version = version
}

// major is the number that cPanel's documents call the version: 136 of 11.136.0.4. The
// lock is held.
func (h *Host) major() int {
	parts := strings.Split(h.version, ".")
	if len(parts) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(parts[1]) // a version that is none has no functions
	return n
}

// WHMToken gives a user of WHM ("root", or a reseller) an API token. WHM tokens reach
// every account of the fake.
func (h *Host) WHMToken(user string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	token := "WHM" + h.secret()
	h.whmTokens[token] = user
	return token
}

// Mails are the letters that the host has sent, the oldest first.
func (h *Host) Mails() []Mail {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Mail(nil), h.mails...)
}

// Grow sets how many bytes a step of a full backup writes; 0 is an eighth of it.
func (h *Host) Grow(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.grow = n
}

// Step lets one thing that goes on in the background do one step, and returns when it
// has. It waits for something to be there that has a step to do; with [Config.Steps]
// only.
func (h *Host) Step() {
	done := make(chan struct{})
	select {
	case h.steps <- done:
	case <-h.ctx.Done():
		return
	}
	select {
	case <-done:
	case <-h.ctx.Done():
	}
}

// background counts what goes on in the background.
type background struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again; nil: it was never more
}

// spawn does something in the background, which ends with the Host.
func (h *Host) spawn(do func()) {
	b := &h.background
	b.mu.Lock()
	if b.n++; b.n == 1 {
		b.none = make(chan struct{})
	}
	b.mu.Unlock()
	h.work.Go(func() {
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.n--; b.n == 0 {
				close(b.none)
			}
		}()
		do()
	})
}

// Settle returns when nothing goes on in the background any more: no full backup, no
// push, no restore.
func (h *Host) Settle() {
	b := &h.background
	b.mu.Lock()
	none := b.none
	b.mu.Unlock()
	if none == nil {
		return
	}
	select {
	case <-none:
	case <-h.ctx.Done():
	}
}

// errStopped says that the host has ended in the middle of something.
var errStopped = errors.New("the host has ended")

// pace waits for the next step of something, and gives what is to be called when the
// step is done.
func (h *Host) pace() (func(), error) {
	switch {
	case h.ctx.Err() != nil:
		return nil, errStopped
	case h.cfg.Steps:
		select {
		case done := <-h.steps:
			return func() { close(done) }, nil
		case <-h.ctx.Done():
			return nil, errStopped
		}
	case h.cfg.Pace != nil:
		h.cfg.Pace()
	default:
		if !h.wait(12 * time.Millisecond) {
			return nil, errStopped
		}
	}
	return func() {}, nil
}

// wait waits, and reports whether the host is still there.
func (h *Host) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// onDisk is a new place on the host's disk. The lock is held.
func (h *Host) onDisk() string {
	h.seq++
	return filepath.Join(h.dir, "disk-"+strconv.Itoa(h.seq))
}
