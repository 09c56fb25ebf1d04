// Package remind keeps rules and what comes due of them: it makes each occurrence
// once, posts it, asks again, passes it on when nobody answers, and carries out
// what is to be done at a time.
//
// Everything that is decided is saved in one transaction with the messages that say
// it and with the moment at which the next thing happens, so that a crash, a second
// tick or a clock that was set back can neither lose an occurrence nor double it. A
// tick reads what is due and nothing else.
package remind

import (
	"time"

	"keepwatch"
)

// Records keeps rules and occurrences. There may be very many of both: what is read is
// what is about one thing, or a part of all.
type Records interface {
	// Change runs fn as one transaction, and gives the lanes that have something to
	// send. fn may run more than once, so it has no side effects.
	Change(fn func(Change) error) (lanes []string, err error)
	RuleLists
	OpenLists
	// Occurrences gives those of a rule, newest first, at most limit.
	Occurrences(rule string, limit int) ([]keepwatch.Occurrence, error)
	Occurrence(id string) (keepwatch.Occurrence, error)
}

// RuleLists finds rules.
type RuleLists interface {
	Rule(id string) (keepwatch.Rule, error) // KindNotFound where there is none
	// RulesAfter gives those behind one, at most limit: those that have a number, in
	// its order, and then those that have a name. "" is before all.
	RulesAfter(id string, limit int) ([]keepwatch.Rule, error)
	FixedRules() ([]keepwatch.Rule, error)                   // those of the configuration
	RequestRules(request string) ([]keepwatch.Rule, error)   // what a request has made: one, if any
	AskingRules(ask string) ([]keepwatch.Rule, error)        // those that ask for something
	RulesLike(rule keepwatch.Rule) ([]keepwatch.Rule, error) // made by chat, that say the same at the same times, wherever
	AliveRules() (int64, error)                              // how many were made by chat and can still come due
}

// OpenLists finds occurrences that are not settled.
type OpenLists interface {
	// OpenAfter gives those behind one, oldest first, at most limit. "" is before all.
	OpenAfter(id string, limit int) ([]keepwatch.Occurrence, error)
	NewestOpen(limit int) ([]keepwatch.Occurrence, error)
	CountOpen() (int64, error)
	OpenOf(rules ...string) ([]keepwatch.Occurrence, error)      // those of some rules, oldest first
	OpenAsking(ask string) ([]keepwatch.Occurrence, error)       // those that ask for something
	DigestOccurrences(id string) ([]keepwatch.Occurrence, error) // what stands in a digest, settled or not
}

// Change reads and writes within one transaction.
type Change interface {
	Rule(id string) (rule keepwatch.Rule, found bool, err error)
	// PutRule saves a rule, and that it is to be looked at from rule.Next on; one
	// that is paused is not.
	PutRule(rule keepwatch.Rule) error
	DeleteRule(id string) error
	// NewRuleID gives the next number.
	NewRuleID() (string, error)
	Occurrence(id string) (o keepwatch.Occurrence, found bool, err error)
	// PutOccurrence saves an occurrence, and that it is to be looked at from o.Wake
	// on; one without Wake is not. One that is settled is open no longer.
	PutOccurrence(o keepwatch.Occurrence) error
	Digest(id string) (d keepwatch.Digest, found bool, err error)
	PutDigest(d keepwatch.Digest) error
	// Post saves messages to be posted, or to be edited.
	Post(out ...keepwatch.Outgoing) error
}

// Clock knows when a rule comes due.
type Clock interface {
	// Next gives the first moment after a moment, and after a wall time (Due.Wall)
	// where one is given, at which it comes due; false where it never does.
	Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool)
}
