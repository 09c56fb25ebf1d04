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

// recipientFact is where the store remembers the public half of the bot's own
// key, so that a key file that has gone missing is noticed and never silently
// replaced by a new one.
const recipientFact = "key/recipient"

// facts are the small values that the store keeps.
type facts interface {
	Value(key string) (string, error)
	SetValue(key, value string) error
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
	known, err := kept.Value(recipientFact)
	if err != nil {
		return key, err
	}
	_, err = os.Stat(file)
	switch {
	case err == nil:
		return key, nil // recorded once the vault has read it
	case !errors.Is(err, fs.ErrNotExist):
		return key, keepwatch.Errorf(keepwatch.KindAttention, "The key file %s cannot be looked at: %v.", file, err).Because(err)
	case known != "":
		key.Recipients = []string{known}
		key.Lost = keepwatch.Errorf(keepwatch.KindAttention,
			"The key file %s is gone, so nothing is sealed: without it no archive can be opened. Put it back from your copy and start Keepwatch again. Only if it is lost for good: `bot key new` makes another one; what was sealed so far then stays closed.", file)
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
	return key, kept.SetValue(recipientFact, recipient)
}

// rememberKey has the store know the key that the vault seals to, so that a
// later start notices when its file is gone or holds another one: the copy that
// somebody keeps elsewhere would not open what is sealed to that.
func (a *app) rememberKey() error {
	if len(a.settings.Vault.Recipients) > 0 || a.key.Lost != nil {
		return nil
	}
	now := a.vault.Recipients()
	known, err := a.records.Value(recipientFact)
	if err != nil || len(now) == 0 || known == now[0] {
		return err
	}
	if known != "" && !slices.Contains(now, known) {
		a.key.Lost = replaced(a.key.File, known, now)
		return nil
	}
	return a.records.SetValue(recipientFact, now[0])
}

// replaced says that a key file holds another key than it did.
func replaced(file, known string, now []string) error {
	return keepwatch.Errorf(keepwatch.KindAttention,
		"The key file %s was replaced: it holds the key %s, and archives were sealed to %s so far. Nothing is sealed until this is settled. Put the right file back, or add the older key's line to it. Only if the new one is meant: `bot key accept`; the older archives then do not open with it.", file, strings.Join(now, ", "), known)
}

// makeKey makes a key file where the old one is lost for good, and has the store
// remember it. It never replaces a file.
func makeKey(file string, kept facts) (recipient string, err error) {
	recipient, err = vault.NewIdentity(file)
	if err != nil {
		return "", err
	}
	return recipient, kept.SetValue(recipientFact, recipient)
}

// keyed refuses runs that would seal to a key that is lost: new ones before they
// begin, and those that an earlier start left at their next step.
type keyed struct {
	engine.Work
	lost error
}

// Steps gives the sentence of the lost key, or the work's own steps.
func (k keyed) Steps(ctx context.Context, run keepwatch.Run) ([]string, error) {
	if k.lost != nil {
		return nil, k.lost
	}
	return k.Work.Steps(ctx, run)
}

// Do gives the sentence of the lost key, or does the step.
func (k keyed) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	if k.lost != nil {
		return task.Run.Result, k.lost
	}
	return k.Work.Do(ctx, task)
}
