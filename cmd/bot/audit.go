package main

import (
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/store"
)

// audit leaves the lines of requests that come by no chat: the program's own
// commands that touch the state.
type audit struct {
	records *store.Records
	now     func() time.Time
}

// request carries out what was asked, after its line is saved.
func (a audit) request(text string, act func() error) error {
	account := terminalAccount()
	start := a.now()
	entry := keepwatch.AuditEntry{ID: strings.ToLower(rand.Text()), At: start.UTC(), Person: account.Name, Account: account, Channel: "terminal", Text: text, Outcome: keepwatch.OutcomeStarted}
	if err := a.records.BeginAudit(entry); err != nil {
		return keepwatch.Errorf(keepwatch.KindAttention, "Your request could not be recorded, so nothing was done. Is the disk of the state full?").Because(err)
	}
	err := act()
	entry.Outcome, entry.Duration, entry.Message = keepwatch.OutcomeDone, max(0, a.now().Sub(start)), keepwatch.Sentence(err)
	if err != nil {
		entry.Outcome = keepwatch.OutcomeFailed
	}
	return errors.Join(err, a.records.EndAudit(entry))
}

// auditedBackup copies the state, and leaves a line about it in the state that is
// copied.
type auditedBackup struct {
	backer
	audit
}

// Backup copies the state into file.
func (a auditedBackup) Backup(file string) (size int64, err error) {
	err = a.request("bot state backup "+file, func() (err error) { size, err = a.backer.Backup(file); return err })
	return size, err
}
