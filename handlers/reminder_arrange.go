package handlers

import (
	"slices"
	"strings"
)

// arrangeAdd puts the words of "reminder add" in order: options, then WHEN as one
// word however it was written, the channel, and the text. The words of a command
// that is to be carried out are taken as they are, so that its options are its
// own.
func (r *Router) arrangeAdd(c *call, words []string) []string {
	if _, _, err := r.rules(); err != nil {
		return words // the command says so
	}
	flags, plain, raw := divide(c.cmd, words, true)
	when, rest := r.takeWhen(c, plain)
	if len(raw) > 0 && len(rest) != 1 { // the slash stands within a text
		flags, plain, raw = divide(c.cmd, words, false)
		when, rest = r.takeWhen(c, plain)
	}
	if when == "" {
		return flags
	}
	return slices.Concat(flags, []string{"--", when}, rest, raw)
}

// divide takes the options of a command out of its words. raw is what begins with
// a slash, where that ends the options.
func divide(cmd Command, words []string, slash bool) (flags, plain, raw []string) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, isFlag := strings.CutPrefix(w, "--")
		switch {
		case w == "--":
			return flags, append(plain, words[i+1:]...), nil
		case isFlag:
			flags = append(flags, w)
			o, known := cmd.option(name)
			if known && o.Type != TypeSwitch && i+1 < len(words) {
				i++
				flags = append(flags, words[i])
			}
		case slash && len(plain) > 1 && strings.HasPrefix(w, "/") && !strings.ContainsAny(w, " \t\n"):
			return flags, plain, words[i:]
		default:
			plain = append(plain, w)
		}
	}
	return flags, plain, nil
}

// takeWhen finds where WHEN ends. Quoted it is the first word; otherwise it is as
// many words as can be read as a time and have a channel behind them. Where nothing
// can, what stands before the first channel is what was meant, so that the answer
// is about all of it.
func (r *Router) takeWhen(c *call, plain []string) (when string, rest []string) {
	if len(plain) == 0 {
		return "", nil
	}
	take := func(n int) (string, []string) { return strings.Join(plain[:n], " "), plain[n:] }
	quoted := strings.ContainsAny(plain[0], " \t\n")
	if quoted && (len(plain) == 1 || r.isPlace(c, plain[1])) {
		return take(1)
	}
	most := min(len(plain), mostWhenWords)
	for n := min(most, len(plain)-1); n > 0; n-- {
		if r.isPlace(c, plain[n]) && r.isWhen(plain[:n]) {
			return take(n)
		}
	}
	if quoted {
		return take(1)
	}
	for n := most; n > 0; n-- {
		if r.isWhen(plain[:n]) && (n == len(plain) || !ofTime(plain[n])) {
			return take(n)
		}
	}
	for n := 1; n < most; n++ {
		if r.isPlace(c, plain[n]) {
			return take(n)
		}
	}
	return take(1)
}

// ofTime reports whether a word goes on with a time, and is no channel that was
// misspelt.
func ofTime(word string) bool {
	first := word[:min(1, len(word))]
	return strings.Contains("0123456789*", first) || slices.Contains([]string{"at", "on", "and", "of", "the", "every", "in"}, strings.ToLower(word))
}

func (r *Router) isWhen(words []string) bool {
	_, err := r.parseWhen(strings.Join(words, " "), r.cfg.Location)
	return err == nil
}

func (r *Router) isPlace(c *call, word string) bool {
	_, err := r.place(c, word)
	return err == nil
}
