package store

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// Keys: rule/<id> holds a rule; occ/<rule>/<wall> an occurrence, so that those of a
// rule are in the order of the clock on the wall; digest/<id> a digest; counter/rule
// the last number given to a rule.

const ruleCounter = "counter/rule"

func ruleKey(id string) string   { return "rule/" + id }
func digestKey(id string) string { return "digest/" + id }

// occurrenceKey gives the key of an occurrence, or an error for what is no id of one.
func occurrenceKey(id string) (string, error) {
	rule, wall, ok := keepwatch.SplitOccurrence(id)
	if !ok || validRuleID(rule) != nil || validID("occurrence", wall) != nil {
		return "", fmt.Errorf("store: %q cannot be the name of an occurrence", id)
	}
	return "occ/" + rule + "/" + wall, nil
}

// longestID bounds what becomes a part of a key.
const longestID = 120

// validRuleID keeps an id out of the keys that could be taken for another one. It
// takes a number, or a name that begins with a letter, such as "schedule:ruthin-web".
func validRuleID(id string) error {
	digits := strings.Trim(id, "0123456789") == ""
	name := id != "" && id[0] >= 'a' && id[0] <= 'z' && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789.:_-") == ""
	if id == "" || len(id) > longestID || !digits && !name {
		return fmt.Errorf("store: %q cannot be the name of a rule", id)
	}
	return nil
}

// validID is likewise for names whose form is somebody else's: what can be seen of
// ASCII, but for "/".
func validID(what, id string) error {
	if id == "" || len(id) > longestID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' }) {
		return fmt.Errorf("store: %q cannot be the name of a %s", id, what)
	}
	return nil
}

// Rule gives a rule by its id.
func (r *Records) Rule(id string) (rule keepwatch.Rule, err error) {
	err = r.store.View(func(rd Reader) error {
		found, err := get(rd, ruleKey(id), &rule)
		if err == nil && !found {
			return keepwatch.Errorf(keepwatch.KindNotFound, "There is no reminder %s. `/reminder list` shows those that there are.", id)
		}
		return err
	})
	return rule, err
}

// Rules gives all of them: those of the configuration first, by name, then the
// others by number.
func (r *Records) Rules() ([]keepwatch.Rule, error) {
	rules, err := all[keepwatch.Rule](r.store, Range{Prefix: "rule/"}, 0)
	slices.SortStableFunc(rules, func(a, b keepwatch.Rule) int {
		return cmp.Or(compareBool(b.Fixed, a.Fixed), cmp.Compare(ruleNumber(a.ID), ruleNumber(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return rules, err
}

// FixedRules gives those of the configuration, by name. It reads no rule that has a
// number, however many there are.
func (r *Records) FixedRules() ([]keepwatch.Rule, error) {
	named, err := all[keepwatch.Rule](r.store, Range{Prefix: "rule/", From: "rule/a"}, 0)
	return slices.DeleteFunc(named, func(rule keepwatch.Rule) bool { return !rule.Fixed }), err
}

// ruleNumber gives the number of a rule; that of a name is 0.
func ruleNumber(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Occurrence gives what came due, by its id.
func (r *Records) Occurrence(id string) (o keepwatch.Occurrence, err error) {
	missing := keepwatch.Errorf(keepwatch.KindNotFound, "Nothing is known that came due as %s. `/reminder list --due` shows what is open.", id)
	key, err := occurrenceKey(id)
	if err != nil {
		return o, missing
	}
	err = r.store.View(func(rd Reader) error {
		found, err := get(rd, key, &o)
		if err == nil && !found {
			return missing
		}
		return err
	})
	return o, err
}

// Occurrences gives those of a rule, newest first, at most limit where it is above 0.
func (r *Records) Occurrences(rule string, limit int) ([]keepwatch.Occurrence, error) {
	if validRuleID(rule) != nil {
		return nil, nil // nothing of such a name was ever saved
	}
	return all[keepwatch.Occurrence](r.store, Range{Prefix: "occ/" + rule + "/", Reverse: true}, limit)
}

// OpenOccurrences gives those that are not settled, what was due first first.
func (r *Records) OpenOccurrences() ([]keepwatch.Occurrence, error) {
	return r.listed(Range{Prefix: openOccurrences}, openOccurrences, 0)
}

// OccurrencesSince gives those that were due at a time or after it, newest first, at
// most limit where it is above 0. It reads no others.
func (r *Records) OccurrencesSince(t time.Time, limit int) ([]keepwatch.Occurrence, error) {
	return r.listed(Range{Prefix: pastOccurrences, From: timeKey(pastOccurrences, t), Reverse: true}, pastOccurrences, limit)
}

// listed gives the occurrences that a list names.
func (r *Records) listed(in Range, prefix string, limit int) (list []keepwatch.Occurrence, err error) {
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(in, func(key string, _ []byte) error {
			_, id, _ := strings.Cut(key[len(prefix):], "/")
			key, err := occurrenceKey(id)
			if err != nil {
				return err
			}
			var o keepwatch.Occurrence
			if found, err := get(rd, key, &o); err != nil || !found {
				return err
			}
			if list = append(list, o); limit > 0 && len(list) >= limit {
				return ErrStop
			}
			return nil
		})
	})
	return list, err
}
