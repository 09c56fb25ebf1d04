package handlers

import (
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// withheld stands in the place of what looks like a secret.
const withheld = "(the rest is left out: it looks like a secret)"

// guarded gives the text of a request as it is kept and logged.
func (r *Router) guarded(req keepwatch.Request) string { return Guard(r.commands, req.Text) }

// Guard gives the text of a request as it may be kept: without what looks like a
// secret where the command is one in which people write where secrets are, or is
// misspelt so that it may be one. Where nothing does it is the text as it was.
func Guard(table []Command, text string) string {
	words, err := Split(text)
	if err != nil { // what cannot be read may hold one all the same
		words = strings.Fields(text)
	}
	if len(words) == 0 {
		return text
	}
	group := strings.TrimPrefix(words[0], "/")
	words = append([]string{group}, words[1:]...)
	cmd, rest, found := find(table, words)
	if !found {
		guards := slices.ContainsFunc(table, func(c Command) bool { return c.Guarded && strings.EqualFold(c.Group, group) })
		switch {
		case guards && secretAmong(words[1:]):
			return "/" + group + " " + withheld
		case keepwatch.HoldsSecret(text):
			return withheld
		}
		return text
	}
	if !cmd.Guarded {
		return text
	}
	got, _, unbound := cmd.bind(rest)
	secret := (err != nil || unbound != nil) && secretAmong(rest)
	for _, o := range cmd.Options {
		secret = secret || (o.Variadic || o.Flag) && secretIn(strings.Join(got[o.Name], " "))
	}
	if !secret {
		return text
	}
	return "/" + cmd.Title() + " " + withheld
}

// secretIn reports whether an answer looks like a secret, and like no date.
func secretIn(text string) bool {
	first, second, year, _, dated := figures(text, time.Date(999, 12, 31, 0, 0, 0, 0, time.UTC)) // without a year it is one before 1000
	dayAndMonth := dated && (first < 13 || second < 13) && len(text) <= len("31/12.")            // 03/04: too short for a PIN with a sign in it
	if _, err := time.Parse("2006-1-2", text); err == nil || dated && year > 1000 || dayAndMonth {
		return false
	}
	return keepwatch.LooksSecret(text)
}

// secretAmong reports whether words hold a secret, or one of them looks like one.
func secretAmong(words []string) bool {
	return keepwatch.HoldsSecret(strings.Join(words, " ")) || slices.ContainsFunc(words, secretIn)
}
