package store

import (
	"errors"
	"net/url"
	"time"
)

// Keys: fence/<name> holds until when a server asked not to be called, in the words of the
// provider that asks it. The name is any text, so it is escaped. Those that are over are tidied
// away.

// keptFence has wall times, since the program that reads it may be another one.
type keptFence struct {
	Version int       `json:"v"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
}

func fenceKey(name string) string { return "fence/" + url.PathEscape(name) }

// Fence gives since when and until when nobody may call the server that name stands for; zero
// times where nothing is kept.
func (r *Records) Fence(name string) (since, until time.Time, err error) {
	var f keptFence
	err = r.store.View(func(rd Reader) error {
		_, err := get(rd, fenceKey(name), &f)
		return err
	})
	return f.Since, f.Until, err
}

// KeepFence keeps that in the place of what was kept under the name.
func (r *Records) KeepFence(name string, since, until time.Time) error {
	if name == "" || !until.After(since) {
		return errors.New("store: a fence without a name or a time")
	}
	return r.store.Update(func(tx Tx) error {
		return put(tx, fenceKey(name), keptFence{version, since, until})
	})
}
