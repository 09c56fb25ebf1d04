package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// Keys by which rules are found without reading all of them; those of lists hold no
// more than they say:
//
//	ruleby/request/<request>/<id>   what a request has made
//	ruleby/ask/<subject>/<id>       what asks for something
//	ruleby/command/<id>             what has a command carried out
//	ruleby/words/<sum>/<id>         what was made by chat, by what it says and when
//	asked/<subject>/<id>            an open occurrence that asks for something
//	counter/alive                   how many that were made by chat can still come due
const (
	byRequest = "ruleby/request/"
	byAsk     = "ruleby/ask/"
	byCommand = "ruleby/command/"
	byWords   = "ruleby/words/"
	asked     = "asked/"
	aliveRule = "counter/alive"
)

// listRule moves a rule from the lists that it was in to those where it belongs. The
// zero value of a rule is in none.
func (c *Change) listRule(old, now keepwatch.Rule) error {
	before, after := ruleLists(old), ruleLists(now)
	for _, key := range before {
		if !slices.Contains(after, key) {
			if err := c.tx.Delete(key); err != nil {
				return err
			}
		}
	}
	for _, key := range after {
		if !slices.Contains(before, key) {
			if err := c.tx.Put(key, nothing); err != nil {
				return err
			}
		}
	}
	if alive(old) == alive(now) {
		return nil
	}
	n, err := lastNumber(c.tx, aliveRule)
	if err != nil {
		return err
	}
	if alive(now) {
		n++
	} else {
		n--
	}
	return c.tx.Put(aliveRule, []byte(strconv.FormatInt(n, 10)))
}

// alive reports whether a rule was made by chat and can still come due.
func alive(rule keepwatch.Rule) bool {
	return rule.ID != "" && !rule.Fixed && (rule.Paused || !rule.Next.IsZero())
}

// ruleLists gives the keys under which a rule is listed.
func ruleLists(rule keepwatch.Rule) (keys []string) {
	if rule.ID == "" {
		return nil
	}
	if rule.Request != "" {
		keys = append(keys, byRequest+url.PathEscape(rule.Request)+"/"+rule.ID)
	}
	if rule.Kind == keepwatch.RuleAsk && rule.Ask != "" {
		keys = append(keys, byAsk+url.PathEscape(rule.Ask)+"/"+rule.ID)
	}
	if rule.Kind == keepwatch.RuleCommand {
		keys = append(keys, byCommand+rule.ID)
	}
	if !rule.Fixed {
		keys = append(keys, byWords+wordSum(rule)+"/"+rule.ID)
	}
	return keys
}

// wordSum gives a sum of what a rule says and when, wherever it says it.
func wordSum(rule keepwatch.Rule) string {
	at := ""
	if !rule.When.At.IsZero() {
		at = rule.When.At.UTC().Format(time.RFC3339)
	}
	text, err := json.Marshal([]string{string(rule.Kind), rule.When.Cron, rule.When.Every.String(), at, rule.Text, rule.Command, rule.Ask})
	if err != nil {
		return "" // strings can always be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// askedKey is where an occurrence is listed that asks for something and is open; ""
// where it is none.
func askedKey(o keepwatch.Occurrence) string {
	if o.ID == "" || o.Ask == "" || o.State.Settled() {
		return ""
	}
	return asked + url.PathEscape(o.Ask) + "/" + o.ID
}

// rulesUnder gives the rules of a list.
func (r *Records) rulesUnder(prefix string) (list []keepwatch.Rule, err error) {
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: prefix}, func(key string, _ []byte) error {
			var rule keepwatch.Rule
			found, err := get(rd, ruleKey(key[strings.LastIndexByte(key, '/')+1:]), &rule)
			if err == nil && found {
				list = append(list, rule)
			}
			return err
		})
	})
	return list, err
}

// RequestRules gives the rules that a request has made: one, if any.
func (r *Records) RequestRules(request string) ([]keepwatch.Rule, error) {
	if request == "" {
		return nil, nil
	}
	return r.rulesUnder(byRequest + url.PathEscape(request) + "/")
}

// AskingRules gives the rules that ask for something.
func (r *Records) AskingRules(ask string) ([]keepwatch.Rule, error) {
	return r.rulesUnder(byAsk + url.PathEscape(ask) + "/")
}

// CommandRules gives the rules that have a command carried out. It reads no others.
func (r *Records) CommandRules() ([]keepwatch.Rule, error) { return r.rulesUnder(byCommand) }

// RulesLike gives the rules made by chat that say the same at the same times, in
// whatever place and zone.
func (r *Records) RulesLike(rule keepwatch.Rule) ([]keepwatch.Rule, error) {
	return r.rulesUnder(byWords + wordSum(rule) + "/")
}

// AliveRules gives how many rules there are that were made by chat and can still come
// due.
func (r *Records) AliveRules() (n int64, err error) {
	err = r.store.View(func(rd Reader) error {
		n, err = lastNumber(rd, aliveRule)
		return err
	})
	return n, err
}
