package main

import (
	"slices"
	"time"

	"keepwatch"
)

// facts gives everything that needs somebody now. Each of the functions in the root
// package says of one thing whether it does.
func (a *app) facts(now time.Time) ([]keepwatch.Fact, error) {
	s := a.settings
	archives, err := a.records.Archives("")
	if err != nil {
		return nil, err
	}
	bySource := map[string][]keepwatch.Archive{}
	for _, x := range archives {
		bySource[x.Source] = append(bySource[x.Source], x)
	}
	facts := keepwatch.ExpiryFacts(s.Credentials, now, s.Location)
	facts = append(facts, keepwatch.VaultFacts(archives, s.Vault.Copies, now)...)
	rules, err := a.records.CommandRules()
	if err != nil {
		return nil, err
	}
	fixed, err := a.records.FixedRules()
	if err != nil {
		return nil, err
	}
	schedules, asked := map[string]keepwatch.Rule{}, map[string]keepwatch.Rule{}
	for _, rule := range fixed {
		if rule.Kind == keepwatch.RuleAsk {
			asked[rule.Ask] = rule
		}
	}
	for _, rule := range rules {
		schedules[rule.ID] = rule
		came, err := a.newest(rule.ID)
		if err != nil {
			return nil, err
		}
		facts = append(facts, keepwatch.RunFacts(rule, came, now, s.Location)...)
	}
	ofSources, err := a.sourceFacts(bySource, schedules, now)
	if err != nil {
		return nil, err
	}
	facts = append(facts, ofSources...)
	ofTenant, err := a.tenantFacts(now)
	if err != nil {
		return nil, err
	}
	facts = append(facts, ofTenant...)
	more, err := a.duties.phones.Facts(now)
	for _, f := range more {
		if rule, ok := asked[f.Key]; !ok || !justAsked(f, rule, now) {
			facts = append(facts, f)
		}
	}
	return facts, err
}

// tenantFacts gives those of what Microsoft Entra was last seen to say.
func (a *app) tenantFacts(now time.Time) ([]keepwatch.Fact, error) {
	if a.duties.tenant == nil {
		return nil, nil
	}
	devices, err := a.duties.phones.Devices()
	if err != nil {
		return nil, err
	}
	return a.duties.tenant.facts(devices, now, a.settings.Location)
}

// sourceFacts gives those about each source: its archives, and what its server holds.
func (a *app) sourceFacts(bySource map[string][]keepwatch.Archive, schedules map[string]keepwatch.Rule, now time.Time) ([]keepwatch.Fact, error) {
	s := a.settings
	var facts []keepwatch.Fact
	sources, err := a.catalog.Sources()
	if err != nil {
		return nil, err
	}
	states, err := a.records.ServerStates()
	if err != nil {
		return nil, err
	}
	for _, src := range sources {
		kept := keepwatch.Kept{Source: src, Archives: bySource[src.Name], Copies: s.Vault.Copies}
		if rule, ok := schedules["schedule:"+src.Name]; ok && !rule.Paused {
			kept.FirstSeen = rule.Made
			kept.Next = func(after time.Time) (time.Time, bool) {
				due, ok := a.duties.times.Next(rule.When, after, "")
				return due.At, ok
			}
		}
		facts = append(facts, keepwatch.ArchiveFacts(kept, now, s.Location)...)
		for _, state := range states {
			if state.Source == src.Name {
				facts = append(facts, keepwatch.RotationFacts(src, state, bySource[src.Name], keepwatch.HostNext(state, now), now, s.Location)...)
				facts = append(facts, keepwatch.ServerFacts(src, state, bySource[src.Name], now, s.Location)...)
			}
		}
	}
	return facts, nil
}

// patience is how long somebody has to answer a question for the first time before
// it is a warning too that nobody has.
const patience = 3 * 24 * time.Hour

// justAsked reports whether a fact is only that nobody has ever answered a question,
// which is about to be asked or was asked a short while ago.
func justAsked(f keepwatch.Fact, rule keepwatch.Rule, now time.Time) bool {
	return f.Urge == string(keepwatch.StandingNever) && !rule.Paused && (rule.Last.IsZero() || now.Sub(rule.Last) < patience)
}

// factOccurrences is how many of the newest occurrences of a rule are looked at: since
// when it fails in a row is known for so many.
const factOccurrences = 50

// newest gives the newest occurrences of a rule. What was before one that went well
// says nothing of how it stands, so mostly a few are enough.
func (a *app) newest(rule string) ([]keepwatch.Occurrence, error) {
	const few = 3
	came, err := a.records.Occurrences(rule, few)
	if err != nil || len(came) < few || slices.ContainsFunc(came, func(o keepwatch.Occurrence) bool { return o.State == keepwatch.OccurrenceDone }) {
		return came, err
	}
	return a.records.Occurrences(rule, factOccurrences)
}
