package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Keys: rule/<id> holds a rule, its number with zeros before it, so that those that
// have one are in its order and before those that have a name; occ/<rule>/<wall> an
// occurrence, so that those of a rule are in the order of the clock on the wall;
// digest/<id> a digest; counter/rule the last number given to a rule.

const ruleCounter = "counter/rule"

func ruleKey(id string) string {
	if digits(id) {
		return "rule/" + strings.Repeat("0", max(0, longestNumber-len(id))) + id
	}
	return "rule/" + id
}

func digestKey(id string) string { return "digest/" + id }

// longestNumber is how many digits the number of a rule has at the most.
const longestNumber = 12

func digits(id string) bool { return id != "" && strings.Trim(id, "0123456789") == "" }

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
	number := digits(id) && (id == "0" || id[0] != '0') && len(id) <= longestNumber
	name := id != "" && id[0] >= 'a' && id[0] <= 'z' && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789.:_-") == ""
	if id == "" || len(id) > longestID || !number && !name {
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
		if err == nil && (!found || rule.ID != id) { // 007 is not 7
			return keepwatch.Errorf(keepwatch.KindNotFound, "There is no reminder %s. `/reminder list` shows those that there are.", id)
		}
		return err
	})
	return rule, err
}

// RulesAfter gives the rules behind one, at most limit where it is above 0: those that
// have a number, in its order, and then those that have a name. "" is before all.
func (r *Records) RulesAfter(id string, limit int) ([]keepwatch.Rule, error) {
	in := Range{Prefix: "rule/"}
	if id != "" {
		in.From = ruleKey(id) + "\x00"
	}
	return all[keepwatch.Rule](r.store, in, limit)
}

// FixedRules gives those of the configuration, by name. It reads no rule that has a
// number, however many there are.
func (r *Records) FixedRules() ([]keepwatch.Rule, error) {
	named, err := all[keepwatch.Rule](r.store, Range{Prefix: "rule/", From: "rule/a"}, 0)
	return slices.DeleteFunc(named, func(rule keepwatch.Rule) bool { return !rule.Fixed }), err
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
			o, found, err := occurrence(rd, id)
			if err != nil || !found {
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

// occurrence gives what came due, by its id.
func occurrence(g getter, id string) (o keepwatch.Occurrence, found bool, err error) {
	key, err := occurrenceKey(id)
	if err != nil {
		return o, false, nil // nothing of such a name was ever saved
	}
	found, err = get(g, key, &o)
	return o, found, err
}
