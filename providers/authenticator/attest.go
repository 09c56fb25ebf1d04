package authenticator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// maxRemarks is the longest remark or place, in bytes.
const maxRemarks = 300

// Attest checks what somebody says of a device, saves it, and lets the question rest
// until the device is to be looked at again. The same word (by its ID, or said
// again within a minute) is saved once.
func (k *Keeper) Attest(a keepwatch.Attestation, sure bool) (keepwatch.DeviceState, error) {
	k.saying.Lock()
	defer k.saying.Unlock()
	o, err := k.find(a.Subject)
	if err != nil {
		return keepwatch.DeviceState{}, err
	}
	all, err := k.load()
	if err != nil {
		return keepwatch.DeviceState{}, err
	}
	if a.Said.IsZero() {
		a.Said = k.cfg.Now()
	}
	a.Version, a.Person, a.Said = 1, o.person.Name, a.Said.UTC()
	words := all[a.Subject]
	if again := saidBefore(words, a); again >= 0 {
		a = words[again]
	} else {
		if a, err = k.checked(o, a, words, sure); err != nil {
			return keepwatch.DeviceState{}, err
		}
		if err := k.cfg.Records.Attest(a); err != nil {
			return keepwatch.DeviceState{}, fmt.Errorf("save what was said of %s: %w", o.device.Name, err)
		}
		words = k.remember(a)
	}
	if err := k.cfg.Settle(a.Subject, a.By, saidOf(a), next(o.device, a)); err != nil {
		return keepwatch.DeviceState{}, fmt.Errorf("settle the question about %s: %w", o.device.Name, err)
	}
	return o.state(words, k.now()), nil
}

// pressedWithin is how long after a word the same one of the same person is another
// press of the button, by somebody whom the answer did not reach at once.
const pressedWithin = time.Minute

// saidBefore finds a word among those about its subject, newest first: the request is
// carried out a second time, after a crash, or the button was pressed twice. -1: it
// is new.
func saidBefore(words []keepwatch.Attestation, a keepwatch.Attestation) int {
	if i := slices.IndexFunc(words, func(w keepwatch.Attestation) bool { return w.ID == a.ID && a.ID != "" }); i >= 0 || len(words) == 0 {
		return i
	}
	w := words[0]
	if a.State == keepwatch.AttestedOn { // as it is kept
		a.Seen = time.Date(a.Seen.Year(), a.Seen.Month(), a.Seen.Day(), 0, 0, 0, 0, time.UTC)
	}
	since := a.Said.Sub(w.Said)
	if since >= 0 && since < pressedWithin && w.By == a.By && w.State == a.State && w.Seen.Equal(a.Seen) && w.Where == a.Where && w.Remarks == a.Remarks {
		return 0
	}
	return -1
}

// checked refuses what cannot be, and asks about what is unlikely after the words that
// were said before, newest first.
func (k *Keeper) checked(o owned, a keepwatch.Attestation, words []keepwatch.Attestation, sure bool) (keepwatch.Attestation, error) {
	if err := plainRemarks(a.Remarks); err != nil {
		return a, err
	}
	switch a.State {
	case keepwatch.AttestedOff, keepwatch.AttestedNever, keepwatch.AttestedNotFound, keepwatch.AttestedNew:
		a.Seen = time.Time{}
		return a, nil
	case keepwatch.AttestedOn:
	default:
		return a, keepwatch.Errorf(keepwatch.KindInvalid, "%q is nothing that can be said of a device. Say which date it shows, or: off, never, not found, new phone.", string(a.State))
	}
	if a.Seen.IsZero() {
		return a, keepwatch.Errorf(keepwatch.KindInvalid, "Say which date %s shows for its last backup, such as 2026-11-20.", o.device.Name)
	}
	a.Seen = time.Date(a.Seen.Year(), a.Seen.Month(), a.Seen.Day(), 0, 0, 0, 0, time.UTC)
	if today := latestToday(a.Said); a.Seen.After(today) {
		return a, keepwatch.Errorf(keepwatch.KindInvalid, "%s is in the future, so %s cannot show it for its last backup. Look again: which date does it show?", day(a.Seen), o.device.Name)
	}
	if a.Seen.Year() < firstYear {
		return a, keepwatch.Errorf(keepwatch.KindInvalid, "%s is before there was any Microsoft Authenticator. Look again: which date does %s show?", day(a.Seen), o.device.Name)
	}
	i := slices.IndexFunc(words, func(w keepwatch.Attestation) bool { return w.State == keepwatch.AttestedOn })
	if i >= 0 && a.Seen.Before(words[i].Seen) && !sure {
		return a, keepwatch.Errorf(keepwatch.KindConflict, "You say that %s shows %s. On %s %s said that it showed %s, and the date of a last backup does not go back unless the phone was reset or the backup removed. Is it really %s?",
			o.device.Name, day(a.Seen), k.date(words[i].Said), words[i].By, day(words[i].Seen), day(a.Seen))
	}
	return a, nil
}

// firstYear is when Microsoft Authenticator came out.
const firstYear = 2016

// latestToday gives the latest date that any calendar on earth shows at an instant:
// in Kiribati, fourteen hours ahead of UTC. Whoever asks may be anywhere.
func latestToday(at time.Time) time.Time {
	y, m, d := at.UTC().Add(14 * time.Hour).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// saidOf says in words what was said.
func saidOf(a keepwatch.Attestation) string {
	var text string
	switch a.State {
	case keepwatch.AttestedOn:
		text = "last backup " + day(a.Seen)
	case keepwatch.AttestedOff:
		text = "the backup is off"
	case keepwatch.AttestedNever:
		text = "no backup was ever made"
	case keepwatch.AttestedNotFound:
		text = "the setting could not be found"
	case keepwatch.AttestedNew:
		text = "it is a new phone"
	case keepwatch.AttestedRecorded:
		text = "where it is recorded is known"
	case keepwatch.AttestedLost:
		text = "nobody knows where it is recorded"
	default:
		text = string(a.State)
	}
	if a.Remarks != "" {
		text += " (" + a.Remarks + ")"
	}
	return text
}

// plainRemarks refuses remarks that are too long, and those with a secret in them.
func plainRemarks(text string) error {
	switch {
	case len(text) > maxRemarks:
		return keepwatch.Errorf(keepwatch.KindInvalid, "The remarks are too long: %d bytes, and at most %d are kept.", len(text), maxRemarks)
	case keepwatch.HoldsSecret(text):
		return keepwatch.Errorf(keepwatch.KindInvalid, "There seems to be a password or key in the remarks. Nothing was saved: Keepwatch keeps no secret. Say it without, and change that password if others could read this.")
	}
	return nil
}

// plainPlace refuses a place that is none: nothing, too long, or a secret.
func plainPlace(what, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say where %s is recorded, in a few words: \"in the safe, blue folder\".", what)
	case len(text) > maxRemarks:
		return keepwatch.Errorf(keepwatch.KindInvalid, "That is too long: %d bytes, and at most %d are kept. A few words are enough: \"in the safe, blue folder\".", len(text), maxRemarks)
	case keepwatch.LooksSecret(text):
		return keepwatch.Errorf(keepwatch.KindInvalid, "That looks like a password or key itself. Nothing was saved: Keepwatch keeps no secret, only where one is recorded. Write it as a place, in two words or more: \"in the safe, blue folder\". If it was a real password and others could read this, change it.")
	}
	return nil
}
