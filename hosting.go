package keepwatch

import (
	"strings"
	"time"
)

// Hosting is a cPanel hosting account, how it is reached, and how its backups are
// made. It comes from keepwatch.yaml.
type Hosting struct {
	// URL is where the host listens: https, a host and a port, mostly 2083; 2087 where
	// WHM is set. The clear-text ports (2082, 2086) are refused by the configuration.
	URL  string
	User string // the account
	// WHM is the user of WHM that Token belongs to ("root", or a reseller); "": Token
	// belongs to the account itself.
	WHM   string
	Token Secret // an API token
	// TokenName is what the host calls the token, so that its end is known; "": the
	// one that runs out first is taken.
	TokenName string
	// Password signs in where a token cannot download, or where there is none. With
	// two-factor sign-in OTPSecret makes its one-time codes (RFC 6238: SHA-1, six
	// digits, 30 seconds; base32).
	Password  Secret
	OTPSecret Secret

	// Fingerprint is the SHA-256 of the host's certificate (of the whole DER), in
	// lower-case hex without colons; "": the certificate must be vouched for by CA or,
	// where that is empty, by the system's authorities.
	Fingerprint string
	CA          string // a PEM file with the authorities that may vouch for the host

	Email string // the host writes there when a full backup is made; "": to nobody
	// Remove says that the host's copy of a full backup is removed once our archive of
	// it is verified. It never is before.
	Remove bool
	// Stall is how long a full backup may not grow before that is trouble. 0: 30
	// minutes.
	Stall time.Duration
	Push  *Push // the host sends full backups there, and they are taken in from there; nil: they are downloaded
	SFTP  *SFTP // downloads where HTTPS does not give them; nil: it is not tried
}

// Account names the account and its host, the same in whatever way it is reached:
// "ruthin at web1.example.net".
func (h Hosting) Account() string {
	host := strings.TrimPrefix(h.URL, "https://")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return h.User + " at " + host
}

// Push is a receiver to which a host sends its full backups, because it lets nobody
// download them.
type Push struct {
	Way        string // "ftp" or "scp"
	Host       string // the receiver, as the cPanel host reaches it
	Port       int    // 0: 21 or 22
	User       string
	Password   Secret // of the receiver
	Key        string // scp: the name of a key in the account, in place of Password
	Passphrase Secret // of Key
	Directory  string // on the receiver; "": where its user arrives
	Passive    bool   // ftp: passive mode
	// Folder is where what arrives there is seen on this machine, absolute. Keepwatch
	// takes archives in from there and proves them; it removes nothing.
	Folder string
}

// SFTP is the account's SSH access.
type SFTP struct {
	Host    string // "": that of Hosting.URL
	Port    int    // 0: 22
	User    string // "": the account
	Key     string // file of the private key, OpenSSH form
	HostKey string // the server's key as in known_hosts: "ssh-ed25519 AAAA…"
}

// Parts of a hosting account, as they are asked for.
const (
	PartHome       = "home"       // the home directory
	PartDatabases  = "databases"  // each database
	PartForwarders = "forwarders" // e-mail forwarders of each domain
	PartFilters    = "filters"    // e-mail filters
	// PartDatabase before a name is one database: "database:ruthin_wp".
	PartDatabase = "database:"
)

// ValidHostingPart reports whether text is one of the parts of a hosting account.
func ValidHostingPart(text string) bool {
	switch text {
	case PartHome, PartDatabases, PartForwarders, PartFilters:
		return true
	}
	name, ok := strings.CutPrefix(text, PartDatabase)
	return ok && name != "" && len(name) <= 64 && !strings.ContainsAny(name, "/\\ \t\r\n\x00")
}

// Inside is what was seen inside an archive that is stored as one file, so that it
// can be weighed against the one before it. Its names are private: they go into the
// record and never into what lies beside the archive.
type Inside struct {
	Files     int64    `json:"files"`               // in the home directory
	Bytes     int64    `json:"bytes"`               // of content, unpacked
	Databases []string `json:"databases,omitempty"` // that have a dump, sorted
	Domains   []string `json:"domains,omitempty"`   // sorted
	// Postgres are those of Databases that are of PostgreSQL: an account cannot put
	// them back.
	Postgres []string `json:"postgres,omitempty"`
	// Mail is what of e-mail an account can put back by itself; nil: nobody has looked.
	Mail *InsideMail `json:"mail,omitempty"`
	// Items are how many items of a mailbox have a file, by kind; nil: it is no mailbox.
	Items map[ItemKind]int64 `json:"items,omitempty"`

	// Account is what it is of, as Hosting.Account gives it: a source may come to mean
	// another account by a line in the configuration. "": nobody knows.
	Account string `json:"account,omitempty"`
	// Name is what the server calls the backup that it came from, its ServerBackup.ID;
	// "": the server had none before it was asked for this one, and keeps none.
	Name string `json:"name,omitempty"`
	// Made is of when that is; zero: of when the run began.
	Made time.Time `json:"made,omitzero"`
}

// InsideMail is what of a full backup are e-mail forwarders and filters.
type InsideMail struct {
	Forwarders []string `json:"forwarders,omitempty"` // domains that have some, sorted
	Filters    bool     `json:"filters,omitempty"`    // the account has some
}

// IsZero reports whether nothing was seen.
func (i Inside) IsZero() bool {
	return i.Files == 0 && i.Bytes == 0 && len(i.Databases) == 0 && len(i.Domains) == 0 && len(i.Items) == 0
}

// Quota is how much room an account has, at a moment.
type Quota struct {
	At    time.Time `json:"at"`
	Used  int64     `json:"used"`            // bytes
	Limit int64     `json:"limit,omitempty"` // bytes; 0: unlimited, or the host keeps no quotas
}

// Free gives the bytes that are left, and false where there is no limit.
func (q Quota) Free() (int64, bool) { return max(q.Limit-q.Used, 0), q.Limit > 0 }

// Expiring is something of a host that runs out: a certificate, a token.
type Expiring struct {
	Name string    `json:"name"` // "API token keepwatch", "certificate of ruthin.example"
	At   time.Time `json:"at"`   // the moment from which it does not work
	How  string    `json:"how"`  // how it is renewed, as a sentence
}

// ReturnItem is one thing that a restore puts back where it came from: a step of the
// run.
type ReturnItem struct {
	Name    string    `json:"name"`              // "database ruthin_wp"
	Archive string    `json:"archive"`           // Ref of what it comes from
	At      time.Time `json:"at"`                // of when that is
	Path    string    `json:"path"`              // of the file in the archive
	Part    string    `json:"part"`              // "home", "database:ruthin_wp", "forwarders", "filters", "account"
	Inner   string    `json:"inner,omitempty"`   // what of that file: "mysql/ruthin_wp.sql"; "": all of it
	Bytes   int64     `json:"bytes,omitempty"`   // to be sent, about; 0: unknown
	Of      int64     `json:"of,omitempty"`      // size of the file at Path, where Inner is a part of it
	Into    string    `json:"into,omitempty"`    // the account that it goes into, as Hosting.Account gives it, or the mailbox and the folder
	Present string    `json:"present,omitempty"` // as ReturnAsk.Present
	// Mailbox is the address of the mailbox that it goes into; "": it goes into a hosting
	// account.
	Mailbox string `json:"mailbox,omitempty"`
	// With are the Refs of more archives that it is put together from, the oldest first:
	// one of changes goes on from others.
	With []string `json:"with,omitempty"`
}

// ReturnAsk says what of archives is to be put back, and where.
type ReturnAsk struct {
	Parts []string // only these, as the provider names them; empty is all
	// Into is where it goes, as somebody typed it after --to: a mailbox, with a folder
	// behind "/"; "" is where it came from.
	Into string
	// Present says what becomes of what is there already: "" as the provider does, "skip"
	// leaves it as it is, "copy" puts another one beside it.
	Present string
}

// Beginnings of parts of a mailbox in a ReturnAsk that say which items are looked for in
// the others. Several of them have to fit at once.
const (
	PartFind  = "find:"  // a text in an item, wherever MailQuery.Text looks
	PartSince = "since:" // a moment as in RFC 3339: the date of the item is not before
	PartUntil = "until:" // and before
)

// ReturnPlan is what putting parts back is going to do.
type ReturnPlan struct {
	Found int64        `json:"found,omitempty"` // of a mailbox: how many of its items that are
	Items []ReturnItem `json:"items"`           // in this order: by date, the oldest archive first
	// Mind is what must be known before it is confirmed, because it may be a mistake,
	// as sentences.
	Mind []string `json:"mind,omitempty"`
	// Not is what is in the archives and cannot be put back this way, each with the
	// reason, as sentences.
	Not []string `json:"not,omitempty"`
	// Known are the parts that the archives hold.
	Known []string `json:"known,omitempty"`
}

// ServerLog is what a provider's server wrote about one step of a run.
type ServerLog struct {
	Step string `json:"step"`
	Name string `json:"name"` // the server's name for the log
	Text string `json:"text"` // its end, at most MaxServerLog bytes
	// Heed is what of it whoever asked must know, although it went well, as a sentence;
	// "": nothing.
	Heed string `json:"heed,omitempty"`
}

// MaxServerLog is how much of a server's log is kept with a run, in bytes.
const MaxServerLog = 16 << 10
