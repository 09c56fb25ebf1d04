// Package authenticator keeps watch over what no program can see: whether the backup
// of Microsoft Authenticator on somebody's phone is on and how old it is, where that
// is recorded without which other things are lost, and whether the team would get
// back into its Microsoft 365 tenant if a phone were gone.
//
// Microsoft tells nobody about the backup of Authenticator: there is no such property
// in Microsoft Graph, and "your IT admin won't get any information about any of these
// accounts". So all of it rests on people's words (keepwatch.Attestation), which are
// asked for again and again. It keeps no secret, only who said where one is recorded
// and when.
//
// What such a backup is worth (support.microsoft.com, "Back up and recover account
// credentials in the Authenticator app"): it comes back on the same sort of phone
// alone; of work and school accounts it brings back the name, and each has to be
// signed in to again; passkeys are never in it. For an administrator a second method
// therefore matters more than the backup.
package authenticator

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// Records keeps what people said, and the dossier.
type Records interface {
	// Attestations gives those about a subject, newest first, at most limit.
	Attestations(subject string, limit int) ([]keepwatch.Attestation, error)
	Attest(a keepwatch.Attestation) error
	Dossier() (keepwatch.Dossier, error)
	// SaveDossier changes it in one transaction, and gives what it is then; change may
	// be called more than once.
	SaveDossier(change func(*keepwatch.Dossier) error) (keepwatch.Dossier, error)
}

// EmergencyAccount is an account that is kept for the day on which nobody else gets
// in (Microsoft: "break glass").
type EmergencyAccount struct {
	Name   string    // "bg1": a valid name
	UPN    string    // "bg1@contoso.onmicrosoft.com"
	Method string    // how it signs in: "fido2", "certificate", or another word
	Where  string    // where its key is kept: "office safe"
	Tested time.Time // when somebody last signed in with it; zero: unknown. What is said in chat counts too
}

// Config is what a Keeper needs.
type Config struct {
	People []keepwatch.Person
	// KeyFile is the file of the bot's own key; "": it has none, only recipients.
	KeyFile   string
	Custodies []keepwatch.Custody // beyond those that follow from KeyFile, People and Emergency
	Emergency []EmergencyAccount
	// Second names how a person can sign in beside Authenticator ("FIDO2 key"), by
	// the person's name.
	Second map[string]string
	// Dossier are the fields that the configuration gives, by their name.
	Dossier map[string]string
	// Learned gives the fields that a provider knows, as it was last asked: Entered.By is
	// that provider, At when it was first seen to say so. It counts where neither a person
	// nor the configuration has said anything. It makes no network call; nil: nobody knows.
	Learned func() (map[string]keepwatch.Entered, error)
	Records Records
	// Settle answers what is open of a question, and says when it is asked next.
	Settle func(ask, by, what string, next time.Time) error
	// Direct gives the channel in which a person is reached alone; "": none.
	Direct func(p keepwatch.Person) string
	// Channel is where somebody is asked who cannot be reached alone; "": nobody is.
	Channel string
	// Chain is where a question goes that nobody answers.
	Chain    []string
	Location *time.Location // nil: UTC
	Now      func() time.Time
}

// Keeper knows devices, custody and the dossier. Its methods may be called from any
// goroutine.
type Keeper struct {
	cfg       Config
	devices   []owned
	custodies []keepwatch.Custody

	// saying is held while something is said, so that two people's words come one after
	// the other.
	saying sync.Mutex

	// mu guards words, and is never held while something is saved or settled: a
	// transaction that makes a message asks for the devices.
	mu sync.Mutex
	// words are the newest ones about each device, by subject, newest first; nil:
	// not read yet. They are in memory because a question is made within a
	// transaction, in which nothing else may be read. Nobody but Attest adds to them.
	words map[string][]keepwatch.Attestation
}

// owned is a device and whose it is.
type owned struct {
	person keepwatch.Person
	device keepwatch.Device
}

// keptWords is how many words about a device are looked at for the newest date.
const keptWords = 100

// New makes a Keeper, and refuses devices and custodies that commands could not tell
// apart.
func New(cfg Config) (*Keeper, error) {
	if cfg.Records == nil || cfg.Settle == nil {
		return nil, errors.New("authenticator: a Config that lacks one of its parts")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Direct == nil {
		cfg.Direct = func(keepwatch.Person) string { return "" }
	}
	k := &Keeper{cfg: cfg}
	seen := map[string]string{}
	for _, p := range cfg.People {
		for _, d := range p.Devices {
			if other, twice := seen[keepwatch.DeviceSubject(d)]; twice {
				return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The devices %q and %q have names that cannot be told apart in a command. Give one of them another name, such as %q.", other, d.Name, d.Name+" 2")
			}
			seen[keepwatch.DeviceSubject(d)] = d.Name
			if d.Recheck <= 0 {
				d.Recheck = keepwatch.DefaultRecheck
			}
			if d.Account == "" { // there is one choice on each
				d.Account = map[string]string{"ios": "icloud", "android": "microsoft"}[d.Platform]
			}
			k.devices = append(k.devices, owned{p, d})
		}
	}
	k.custodies = k.allCustodies()
	for i, c := range k.custodies {
		if !keepwatch.ValidName(c.Name) {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%q cannot be the name of something under custody: write it with a-z, 0-9, \"-\", such as %q.", c.Name, keepwatch.NameFrom(c.Name))
		}
		if slices.ContainsFunc(k.custodies[:i], func(o keepwatch.Custody) bool { return o.Name == c.Name }) {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "There are two things under custody that are named %q. Give one of them another name.", c.Name)
		}
	}
	for name, value := range cfg.Dossier {
		f, err := dossierField(name)
		if err == nil {
			err = fits(f, strings.TrimSpace(value))
		}
		if err != nil {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "In keepwatch.yaml, under dossier: %s", keepwatch.Sentence(err))
		}
	}
	return k, nil
}

// now is the time, in the bot's zone.
func (k *Keeper) now() time.Time { return k.cfg.Now().In(k.cfg.Location) }

// day writes a date that a device shows, which is at midnight UTC.
func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// date writes the day of an instant, in the bot's zone.
func (k *Keeper) date(t time.Time) string { return t.In(k.cfg.Location).Format("2 January 2006") }

// load gives the words about the devices. The first time they are read, which must not
// happen within a transaction: Rules does it at the start.
func (k *Keeper) load() (map[string][]keepwatch.Attestation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.words == nil {
		words := map[string][]keepwatch.Attestation{}
		for _, o := range k.devices {
			subject := keepwatch.DeviceSubject(o.device)
			list, err := k.cfg.Records.Attestations(subject, keptWords)
			if err != nil {
				return nil, fmt.Errorf("read what was said of %s: %w", o.device.Name, err)
			}
			words[subject] = list
		}
		k.words = words
	}
	return maps.Clone(k.words), nil
}

// remember puts a word that was saved before the others about its subject.
func (k *Keeper) remember(a keepwatch.Attestation) []keepwatch.Attestation {
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.words[a.Subject]
	k.words[a.Subject] = append([]keepwatch.Attestation{a}, old[:min(len(old), keptWords-1)]...)
	return k.words[a.Subject]
}

// Devices gives all of them, by person and name.
func (k *Keeper) Devices() ([]keepwatch.DeviceState, error) {
	words, err := k.load()
	if err != nil {
		return nil, err
	}
	now := k.now()
	var list []keepwatch.DeviceState
	for _, o := range k.devices {
		list = append(list, o.state(words[keepwatch.DeviceSubject(o.device)], now))
	}
	slices.SortStableFunc(list, func(a, b keepwatch.DeviceState) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Device.Name, b.Device.Name))
	})
	return list, nil
}

// state says how a device stands by the words about it, newest first.
func (o owned) state(words []keepwatch.Attestation, now time.Time) keepwatch.DeviceState {
	s := keepwatch.DeviceState{Person: o.person.Name, Device: o.device, Standing: keepwatch.StandingNever}
	if len(words) == 0 {
		return s
	}
	last := words[0]
	s.Last = &last
	if i := slices.IndexFunc(words, func(a keepwatch.Attestation) bool { return a.State == keepwatch.AttestedOn }); i >= 0 {
		s.Seen, s.SeenSaid = words[i].Seen, words[i].Said
	}
	if s.Next = next(o.device, last); !s.Next.After(now) {
		s.Next = time.Time{}
	}
	s.Standing = standing(o.device, last, now)
	return s
}

// Bounds of how long what was seen holds.
const (
	lateAfter  = 14 * 24 * time.Hour // a look that is so much overdue is too long ago
	oldAfter   = 30 * 24 * time.Hour // a backup younger than this is never called old
	askAgain   = 24 * time.Hour      // after "it is off": tomorrow
	askSoon    = 3 * 24 * time.Hour  // after an old date
	askCustody = 180 * 24 * time.Hour
	askTest    = 90 * 24 * time.Hour // emergency accounts: Microsoft, "Manage emergency access admin accounts"
)

// standing says how a device stands by the newest word about it.
func standing(d keepwatch.Device, last keepwatch.Attestation, now time.Time) keepwatch.Standing {
	switch last.State {
	case keepwatch.AttestedOff, keepwatch.AttestedNever, keepwatch.AttestedNotFound:
		return keepwatch.StandingOff
	case keepwatch.AttestedNew:
		return keepwatch.StandingReplaced
	}
	due := last.Said.Add(d.Recheck)
	switch {
	case !now.Before(due.Add(min(d.Recheck, lateAfter))):
		return keepwatch.StandingStale
	case !now.Before(due):
		return keepwatch.StandingDue
	case isOld(d, last.Seen, last.Said):
		return keepwatch.StandingOld
	}
	return keepwatch.StandingFresh
}

// isOld reports whether a date was too long ago already when it was seen. What the
// phone has backed up since then nobody knows.
func isOld(d keepwatch.Device, seen, said time.Time) bool {
	return said.Sub(seen) > max(d.Recheck, oldAfter)+24*time.Hour // it is the date of a day, which may have just ended
}

// next says when a device is asked about again after a word about it.
func next(d keepwatch.Device, a keepwatch.Attestation) time.Time {
	switch {
	case a.State != keepwatch.AttestedOn:
		return a.Said.Add(min(askAgain, d.Recheck))
	case isOld(d, a.Seen, a.Said):
		return a.Said.Add(min(askSoon, d.Recheck))
	}
	return a.Said.Add(d.Recheck)
}

// find gives the device that a subject names, or says which one was probably meant.
func (k *Keeper) find(subject string) (owned, error) {
	for _, o := range k.devices {
		if keepwatch.DeviceSubject(o.device) == subject {
			return o, nil
		}
	}
	word := strings.TrimPrefix(subject, "device/")
	var names []string
	for _, o := range k.devices {
		names = append(names, o.device.Name)
	}
	if near := nearest(word, names); near != "" {
		return owned{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no device %q. Did you mean %s?", word, near)
	}
	if len(names) == 0 {
		return owned{}, keepwatch.Errorf(keepwatch.KindNotFound, "No device is known. Name them in keepwatch.yaml, under the person: devices: [{name: \"Alis iPhone\", platform: ios, account: icloud}].")
	}
	return owned{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no device %q. `/authenticator status` lists those that there are.", word)
}

// nearest gives the candidate whose name shares the longest beginning with word, at
// least three letters of it, or "".
func nearest(word string, candidates []string) string {
	best, bestLen := "", 2
	word = keepwatch.NameFrom(word)
	for _, c := range candidates {
		name, n := keepwatch.NameFrom(c), 0
		for n < len(name) && n < len(word) && name[n] == word[n] {
			n++
		}
		if n > bestLen || strings.Contains(name, word) && len(word) > bestLen {
			best, bestLen = c, max(n, bestLen)
		}
	}
	return best
}
