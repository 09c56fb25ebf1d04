package bolt

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"keepwatch"
)

// ownerNote says who holds the lock. It is written once the lock is held, so
// while the lock is held by somebody it is about that somebody, unless that is
// another program altogether.
type ownerNote struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"`
}

func (s *Store) noteOwner() error {
	host, _ := os.Hostname()
	data, err := json.Marshal(ownerNote{PID: os.Getpid(), Host: host, Program: filepath.Base(os.Args[0]), Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	temp := s.owner + ".new"
	if err := os.WriteFile(temp, data, fileMode); err != nil {
		return err
	}
	return os.Rename(temp, s.owner)
}

// held says who has the state open.
func (s *Store) held(cause error) error {
	who := "Another program"
	var note ownerNote
	if data, err := os.ReadFile(s.owner); err == nil && json.Unmarshal(data, &note) == nil && note.PID > 0 {
		who = fmt.Sprintf("Another Keepwatch (process %d, %s, on %s, since %s)", note.PID, note.Program, note.Host, note.Since.Local().Format("2 Jan 15:04"))
	}
	return keepwatch.Errorf(keepwatch.KindConflict,
		"%s is using %s. Talk to that one, or stop it first; two would undo each other's work. `bot state backup FILE` works beside it.", who, s.path).Because(cause)
}
