package bolt

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"keepwatch"
)

// ownerNote says who holds the lock. It is written once the lock is held, so
// while somebody holds it the note is about them, but for the moment between
// the two and for programs that are not ours.
type ownerNote struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"`
}

func ownerPath(path string) string { return path + ".owner" }

func (s *Store) noteOwner() error {
	host, _ := os.Hostname()
	data, err := json.Marshal(ownerNote{PID: os.Getpid(), Host: host, Program: filepath.Base(os.Args[0]), Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	temp := ownerPath(s.path) + ".new"
	if err := os.WriteFile(temp, data, fileMode); err != nil {
		return err
	}
	return os.Rename(temp, ownerPath(s.path))
}

// held says who has the state at path open.
func held(path string, cause error) error {
	who := "Another program"
	var note ownerNote
	if data, err := os.ReadFile(ownerPath(path)); err == nil && json.Unmarshal(data, &note) == nil && note.lives() {
		who = fmt.Sprintf("Another Keepwatch (process %d, %s, on %s, since %s)", note.PID, note.Program, note.Host, note.Since.Local().Format("2 Jan 15:04"))
	}
	return keepwatch.Errorf(keepwatch.KindConflict,
		"%s is using %s. Talk to that one, or stop it first; two would undo each other's work. `bot state backup FILE` works beside it.", who, path).Because(cause)
}

// lives reports whether the process that wrote the note may still be there. A
// note that was left by a killed one must not accuse it.
func (n ownerNote) lives() bool {
	if n.PID <= 0 {
		return false
	}
	if host, err := os.Hostname(); runtime.GOOS != "linux" || err != nil || host != n.Host {
		return true // this cannot be seen from here
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d", n.PID))
	return err == nil
}
