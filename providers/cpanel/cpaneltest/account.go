package cpaneltest

import (
	"crypto/rand"
	"encoding/base32"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Account is a hosting account on a Host. Its methods may be called from any goroutine.
type Account struct {
	h    *Host
	user string
	made time.Time

	// Below the lock of the host.
	home       map[string]*node // by path below /home/USER
	domains    []string         // the first is the main one
	databases  map[string]*database
	postgres   []string
	forwarders map[string][]string // "from: to" by domain
	filters    map[string]string   // Exim filter by domain; "": the account's own, as YAML
	tokens     map[string]*token   // by what they are
	password   string
	otp        string          // base32
	otpUsed    map[int64]bool  // moments of 30 s whose code was taken
	extra      int64           // used apart from what is counted
	limit      int64           // bytes; 0: unlimited
	features   map[string]bool // false: off
	managed    []managed       // the provider's own backups
	runs       []*run          // full backups, the oldest first
	done       bool            // BackupInfo: the last run's end was not reset
	restored   []Restored
	certs      map[string]time.Time // end of the certificate by domain
	suspended  bool
	demo       bool
}

// database is one of MySQL.
type database struct {
	body string                // its statements
	dump func(io.Writer) error // in place of body; nil once something was restored
}

// token is an API token of an account.
type token struct {
	name     string
	made     time.Time
	expires  time.Time // zero: never
	readonly bool
}

// managed is a backup that the provider has made by schedule.
type managed struct {
	day  time.Time
	home map[string]*node
}

// Restored is a restore that was carried out on the server, to its end or not.
type Restored struct {
	Function string // "restore_databases", "restore_files" …, "restore_file", "start_local_cpmove_restore"
	File     string // base name of what was restored from
	At       time.Time
	Log      string // path of the log
	Failed   string // why it failed; "": it did not
}

// AddAccount makes an account with a home directory and the main domain
// "NAME.example". Its password is "pw-NAME" and it may use every feature.
func (h *Host) AddAccount(name string) *Account {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := &Account{
		h: h, user: name, made: h.Now(), home: map[string]*node{}, domains: []string{name + ".example"}, databases: map[string]*database{},
		forwarders: map[string][]string{}, filters: map[string]string{}, tokens: map[string]*token{}, password: "pw-" + name,
		otpUsed: map[int64]bool{}, features: map[string]bool{}, certs: map[string]time.Time{},
	}
	for _, dir := range []string{"public_html", "mail", "etc", "logs", ".cpanel"} {
		a.put(dir, &node{dir: true, mode: 0o755})
	}
	a.put("public_html/index.html", &node{data: []byte("<html><body>" + name + "</body></html>\n")})
	h.accounts[name] = a
	return a
}

// secret makes a token's text. The lock is held.
func (h *Host) secret() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return base32.StdEncoding.EncodeToString(b[:])
}

// User is the account's name.
func (a *Account) User() string { return a.user }

// lock takes the host's lock and gives what lets it go.
func (a *Account) lock() func() {
	a.h.mu.Lock()
	return a.h.mu.Unlock
}

// Token gives an API token that works and never runs out; it is called "keepwatch".
func (a *Account) Token() string {
	defer a.lock()()
	for text, t := range a.tokens {
		if t.name == "keepwatch" && t.expires.IsZero() && !t.readonly {
			return text
		}
	}
	return a.newToken("keepwatch", time.Time{}, false)
}

// NewToken gives an API token; a zero expires is never.
func (a *Account) NewToken(name string, expires time.Time) string {
	defer a.lock()()
	return a.newToken(name, expires, false)
}

// ReadOnlyToken gives an API token that may look and not write.
func (a *Account) ReadOnlyToken(name string) string {
	defer a.lock()()
	return a.newToken(name, time.Time{}, true)
}

func (a *Account) newToken(name string, expires time.Time, readonly bool) string {
	text := a.h.secret()
	a.tokens[text] = &token{name: name, made: a.h.Now(), expires: expires, readonly: readonly}
	return text
}

// RevokeTokens ends all API tokens of the account.
func (a *Account) RevokeTokens() {
	defer a.lock()()
	clear(a.tokens)
}

// SetPassword changes the password; sessions stay.
func (a *Account) SetPassword(pw string) {
	defer a.lock()()
	a.password = pw
}

// SetOTP switches two-factor sign-in on: sign-ins by password then need a code of this
// base32 secret (RFC 6238: SHA-1, six digits, 30 s), each of which is taken once. ""
// switches it off.
func (a *Account) SetOTP(secret string) {
	defer a.lock()()
	a.otp = secret
}

// AddDomain adds an addon domain.
func (a *Account) AddDomain(domain string) {
	defer a.lock()()
	a.domains = append(a.domains, domain)
}

// Domains lists the domains; the first is the main one.
func (a *Account) Domains() []string {
	defer a.lock()()
	return slices.Clone(a.domains)
}

// AddForwarder has letters for from@domain sent on. from may have its domain already.
func (a *Account) AddForwarder(domain, from, to string) {
	defer a.lock()()
	if !strings.Contains(from, "@") {
		from += "@" + domain
	}
	a.forwarders[domain] = append(a.forwarders[domain], from+": "+to)
}

// Forwarders gives the forwarders of a domain, as "from: to".
func (a *Account) Forwarders(domain string) []string {
	defer a.lock()()
	return slices.Clone(a.forwarders[domain])
}

// AddFilter sets the e-mail filter of a domain: the text of an Exim filter. The domain
// "" is the account's own filters, which are a YAML text.
func (a *Account) AddFilter(domain, text string) {
	defer a.lock()()
	a.filters[domain] = text
}

// Filter gives what AddFilter has set or a restore has put there.
func (a *Account) Filter(domain string) string {
	defer a.lock()()
	return a.filters[domain]
}

// SetQuota says how many bytes are used now, and how many may be; 0 is unlimited. What
// is written later counts in addition.
func (a *Account) SetQuota(used, limit int64) {
	defer a.lock()()
	a.extra = used - a.counted()
	a.limit = limit
}

// counted is the size of all files and databases. The lock is held.
func (a *Account) counted() int64 {
	var sum int64
	for _, n := range a.home {
		sum += n.size()
	}
	for _, d := range a.databases {
		sum += int64(len(d.body))
	}
	return sum
}

// used is what counts against the quota. The lock is held.
func (a *Account) used() int64 { return max(a.counted()+a.extra, 0) }

// SetFeature switches a feature on or off, as the provider's Feature Manager does:
// "backup", "backupwizard", "filemanager", "mysql", "apitokens", "forwarders",
// "filters" …
func (a *Account) SetFeature(name string, on bool) {
	defer a.lock()()
	a.features[name] = on
}

// feature reports whether a feature is on. The lock is held.
func (a *Account) feature(name string) bool {
	on, known := a.features[name]
	return on || !known
}

// SetDemo makes it a demo account, which can look and not change anything.
func (a *Account) SetDemo(on bool) {
	defer a.lock()()
	a.demo = on
}

// Suspend has the provider suspend the account, which then gets a page in place of every
// answer, or lifts that.
func (a *Account) Suspend(on bool) {
	defer a.lock()()
	a.suspended = on
}

func (h *Host) isSuspended(user string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.accounts[user].suspended
}

// SetCertificate gives a domain a certificate of that end.
func (a *Account) SetCertificate(domain string, notAfter time.Time) {
	defer a.lock()()
	a.certs[domain] = notAfter
}

// AddManagedBackup has the provider's schedule have made a backup of that day, of the
// home directory as it is now.
func (a *Account) AddManagedBackup(day time.Time) {
	defer a.lock()()
	a.managed = append(a.managed, managed{day: day.UTC().Truncate(24 * time.Hour), home: maps.Clone(a.home)})
}

// DropManagedBackup has the provider rotate that day's backup away.
func (a *Account) DropManagedBackup(day time.Time) {
	defer a.lock()()
	a.managed = slices.DeleteFunc(a.managed, func(m managed) bool { return m.day.Equal(day.UTC().Truncate(24 * time.Hour)) })
}

// isBackup reports whether a file of the home directory is called as full backups are.
func (a *Account) isBackup(name string) bool {
	return !strings.Contains(name, "/") && strings.HasPrefix(name, "backup-") && strings.HasSuffix(name, "_"+a.user+".tar.gz")
}

// HomeBackups lists the full backups in the home directory, finished or not, sorted.
func (a *Account) HomeBackups() []string {
	defer a.lock()()
	return a.homeBackups()
}

func (a *Account) homeBackups() []string {
	var all []string
	for name := range a.home {
		if a.isBackup(name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Restored lists the restores that were carried out, in order.
func (a *Account) Restored() []Restored {
	defer a.lock()()
	return slices.Clone(a.restored)
}

// homePath is the absolute path of a file, as the host names it.
func (a *Account) homePath(name string) string { return path.Join("/home", a.user, name) }
