package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/vault"
)

// recipientFact is where the store remembers the public halves of the bot's own
// keys, all of them, divided by blanks: so that a key file that has gone missing,
// or lost a line, is noticed and never silently replaced by a new one.
const recipientFact = "key/recipient"

// facts are the small values that the store keeps.
type facts interface {
	Value(key string) (string, error)
	SetValue(key, value string) error
}

// remembered gives the public keys that the store remembers.
func remembered(kept facts) ([]string, error) {
	value, err := kept.Value(recipientFact)
	return strings.Fields(value), err
}

func remember(kept facts, recipients []string) error {
	return kept.SetValue(recipientFact, strings.Join(recipients, " "))
}

// lacking gives those of before that are not among now.
func lacking(before, now []string) []string {
	return slices.DeleteFunc(slices.Clone(before), func(r string) bool { return slices.Contains(now, r) })
}

// ownKey is the state of the bot's own key.
type ownKey struct {
	File       string
	Made       bool     // this start made it
	Recipients []string // to seal to, where the key file is gone; nil: the file says
	Lost       error    // why nothing may be sealed to it; nil: all is well
}

// prepareKey sees that there is a key to seal to. With recipients configured
// the bot needs none of its own. At the first start it makes one. Where the
// store remembers one whose file is gone, it makes none: Lost says so. Nor does
// it where archives lie in the vault already: then the state was lost with the
// key, and a new one would open none of them.
func prepareKey(file, vaultDir string, configured []string, kept facts) (ownKey, error) {
	key := ownKey{File: file}
	if len(configured) > 0 {
		return key, nil
	}
	known, err := remembered(kept)
	if err != nil {
		return key, err
	}
	_, err = os.Stat(file)
	switch {
	case err == nil:
		return key, nil // recorded once the vault has read it
	case !errors.Is(err, fs.ErrNotExist):
		return key, keepwatch.Errorf(keepwatch.KindAttention, "The key file %s cannot be looked at: %v.", file, err).Because(err)
	case len(known) > 0:
		key.Recipients, key.Lost = known, goneKey(file)
		return key, nil
	}
	sealedTo, full, err := vault.SealedTo(vaultDir)
	if err != nil {
		return key, err
	}
	if full {
		key.Recipients = sealedTo
		key.Lost = keepwatch.Errorf(keepwatch.KindAttention,
			"Archives lie in the vault %s, and the key file %s that opens them is not there. Put it back from your copy and start Keepwatch again; nothing is sealed until then. Only if it is lost for good: `bot key new` makes another one; what was sealed so far then stays closed.", vaultDir, file)
		return key, nil
	}
	recipient, err := vault.NewIdentity(file)
	if err != nil {
		return key, err
	}
	key.Made = true
	return key, remember(kept, []string{recipient})
}

func goneKey(file string) error {
	return keepwatch.Errorf(keepwatch.KindAttention,
		"The key file %s is gone, so nothing is sealed: without it no archive can be opened. Put it back from your copy and start Keepwatch again. Only if it is lost for good: `bot key new` makes another one; what was sealed so far then stays closed.", file)
}

// rememberKey has the store know the keys that the vault seals to, so that a
// later start notices when their file is gone or one of them is missing from it:
// the copy that somebody keeps elsewhere would not open what is sealed then. A
// store that remembers none, because it was lost, is told by the newest archive.
func (a *app) rememberKey() error {
	if len(a.settings.Vault.Recipients) > 0 || a.key.Lost != nil {
		return nil
	}
	now := a.vault.Recipients()
	known, err := remembered(a.records)
	if err == nil && len(known) == 0 {
		known, _, err = vault.SealedTo(a.settings.Vault.Dir)
	}
	if err != nil {
		return err
	}
	if gone := lacking(known, now); len(gone) > 0 {
		a.key.Lost = replaced(a.key.File, gone, now)
		return nil
	}
	if kept, err := remembered(a.records); err != nil || slices.Equal(kept, now) {
		return err
	}
	return remember(a.records, now)
}

// keyNow says why nothing may be sealed at this moment, or nil. It looks into the
// key file anew, since that may be moved away or replaced while the bot runs.
func (a *app) keyNow() error {
	if a.key.Lost != nil || len(a.settings.Vault.Recipients) > 0 {
		return a.key.Lost
	}
	now, err := vault.PublicKeys(a.key.File)
	if errors.Is(err, fs.ErrNotExist) {
		return goneKey(a.key.File)
	}
	if err != nil {
		return err
	}
	if gone := lacking(a.vault.Recipients(), now); len(gone) > 0 {
		return replaced(a.key.File, gone, now)
	}
	return nil
}

// replaced says that a key file no longer holds keys that it held.
func replaced(file string, gone, now []string) error {
	return keepwatch.Errorf(keepwatch.KindAttention,
		"The key file %s was replaced: it holds the key %s, and archives were sealed to %s so far. Nothing is sealed until this is settled. Put the right file back, or add the older key's line to it. Only if the new one is meant: `bot key accept`; the older archives then do not open with it.", file, strings.Join(now, ", "), strings.Join(gone, ", "))
}

// makeKey makes a key file where the old one is lost for good, and has the store
// remember it. It never replaces a file.
func makeKey(file string, kept facts) (recipient string, err error) {
	recipient, err = vault.NewIdentity(file)
	if err != nil {
		return "", err
	}
	return recipient, remember(kept, []string{recipient})
}

// guarded refuses runs for which something is not as it must be, such as the key:
// new ones before they begin, and others at their next step. What a run has
// written by then is not put into the vault.
type guarded struct {
	engine.Work
	refuse func() error
}

// Steps gives what is wrong, or the work's own steps.
func (g guarded) Steps(ctx context.Context, run keepwatch.Run) ([]string, error) {
	if err := g.refuse(); err != nil {
		return nil, err
	}
	return g.Work.Steps(ctx, run)
}

// Do gives what is wrong, or does the step.
func (g guarded) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	if err := g.refuse(); err != nil {
		return task.Run.Result, err
	}
	return g.Work.Do(ctx, task)
}
